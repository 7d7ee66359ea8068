"""The sandbox over HTTP, held against the real server."""
