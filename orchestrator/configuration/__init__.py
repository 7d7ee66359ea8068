"""rollcall.yaml: what may be written in it, what is wrong with it and where, and what it means to the core."""
