"""TALKS to Redis: sessions, slots and the outbox of alerts."""
