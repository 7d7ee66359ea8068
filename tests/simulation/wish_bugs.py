"""The planted bugs that only show where somebody asks for something."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, ClassVar, Final

from orchestrator.core import belonging, relief, settlement, transitions, wishes
from orchestrator.core.belonging import belongs
from orchestrator.core.facts import AgentWanted
from orchestrator.core.placement import Placement
from orchestrator.core.session import Agent, Session
from orchestrator.runtime.aftercare import Aftercare
from orchestrator.runtime.attempt import JOB_IDENTITY_AFTER
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.pauses import PauseBoard
from tests.simulation.planting import Bug, replaced


def _what_follows(session: Session, placement: Placement, *what: Any, early: bool) -> Any:
    return _ACCORDING_TO_THE_RULES(session, replace(placement, leaves_at=None), *what, early=early)


_ACCORDING_TO_THE_RULES: Final = settlement._what_follows


class ReplacesTheRelieved(Bug):
    """An agent that has handed over and said goodbye is lost, like any other."""

    name = "a relieved agent is replaced"
    first = 93

    def in_place(self) -> AbstractContextManager[None]:
        return replaced(settlement, {"_what_follows": _what_follows})


class _CarelessAftercare(Aftercare):
    async def dismiss(self, owner: SessionOwner, name: str) -> None:
        """Delete what is known, and do not ask who else may come."""
        try:
            await owner.until(lambda s: s.ended, timeout=JOB_IDENTITY_AFTER)
            await self._attempts.clear(owner, name)
        except Superseded:
            return

    async def examine(self, owner: SessionOwner, extra: Agent) -> None:
        if not any(p.over and belongs(owner.session, p, extra) for p in owner.session.placements):
            await super().examine(owner, extra)


class KeepsTheLate(Bug):
    """Whoever comes after it was dismissed stays."""

    name = "a dismissed agent that comes late is kept"
    first = 35
    parts: ClassVar[Mapping[str, type]] = {"Aftercare": _CarelessAftercare}

    def in_place(self) -> AbstractContextManager[None]:
        return replaced(belonging, {"_was_sent_away": lambda *_: False})


class _DeafBoard(PauseBoard):
    def paused(self, agent_name: str) -> bool:  # that is the bug
        return False


class DispatchesThePaused(Bug):
    name = "a pause is not heeded"
    first = 20
    parts: ClassVar[Mapping[str, type]] = {"PauseBoard": _DeafBoard}


def _deaf_before_routing(session: Session, fact: AgentWanted, now: float) -> Session:
    return wishes.agent_wanted(session, fact, now) if session.routed else session


class IsDeafBeforeRouting(Bug):
    name = "a wish before the routes answered is dropped"
    first = 19

    def in_place(self) -> AbstractContextManager[None]:
        return replaced(transitions, {"_FOLDS": {**transitions._FOLDS, AgentWanted: _deaf_before_routing}})


def _hasty_switch(session: Session, fact: AgentWanted, now: float) -> Session:
    session = wishes.agent_wanted(session, fact, now)
    relieved = None if fact.instead_of is None else session.find_placement(fact.instead_of)
    return session if relieved is None or session.ended else relief.dismiss(session, relieved, fact.source, now)


class SwitchesBlindly(Bug):
    name = "the old agent goes before the new one is there"
    first = 9

    def in_place(self) -> AbstractContextManager[None]:
        return replaced(transitions, {"_FOLDS": {**transitions._FOLDS, AgentWanted: _hasty_switch}})
