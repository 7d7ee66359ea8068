"""TALKS to people and to LiveKit's webhook sender over HTTP."""
