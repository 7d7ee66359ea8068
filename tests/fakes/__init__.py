"""Hand-written stand-ins for the runtime's ports, small enough to be believed by reading."""
