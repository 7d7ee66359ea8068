"""Rollcall's orchestrator: it sees to it that every LiveKit room has the agents that it should have."""
