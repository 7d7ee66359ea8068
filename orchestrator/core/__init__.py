"""DECIDES: facts in, records out. Pure: no clock, no randomness, no I/O."""
