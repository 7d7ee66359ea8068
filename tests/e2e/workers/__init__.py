"""Workers of the tests, with nothing of Rollcall in them: what LiveKit's own kit gives, well-behaved or not.

They run in the worker's environment: `python -m tests.e2e.workers mary=light tom=raising`.
"""
