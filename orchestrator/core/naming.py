"""Agent names as people read and type them: the agent without a name needs a word that stands for it."""

from typing import Final

UNNAMED: Final = "(unnamed)"
"""Stands for the empty agent name, in sentences, labels and addresses: there nothing can stand for nothing."""


def spelled(agent_name: str) -> str:
    return agent_name or UNNAMED


def meant(written: str) -> str:
    """The agent name that somebody has written."""
    return "" if written == UNNAMED else written
