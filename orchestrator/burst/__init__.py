"""Many rooms at once, on a real LiveKit: how long each waits for its agent, and which never gets one."""
