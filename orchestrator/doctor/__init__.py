"""`rollcall doctor`: does all that a room needs to get its agent work, from here, now? One finding per line."""
