"""The commands that ask a running service, or tell it to do something, over its HTTP API."""
