"""A LiveKit to try Rollcall on: rooms, dispatches, jobs, workers and webhook queues that behave like the real ones."""
