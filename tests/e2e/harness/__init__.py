"""The world around Rollcall, started for real on loopback and free ports, each part with its log in a file."""
