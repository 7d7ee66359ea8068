"""TALKS to LiveKit: webhooks in, API calls out."""
