"""Answers that wait until the agent is there: the caller's request is held open, for a bounded time."""

from collections.abc import Callable, Collection
from typing import Final, Protocol

from aiohttp import web

from orchestrator.core.facts import Awaited
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session
from orchestrator.runtime.ports import Clock
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused

LOOK_EVERY: Final = 0.2
"""Seconds between two readings of the session: less than a person notices, and some hundred bytes each."""


class SessionReader(Protocol):
    async def read(self, sid: str) -> Session | None:
        """The session as everybody may see it. Raises StoreUnavailable."""
        ...


def is_verified(session: Session, agent_names: Collection[str] | None) -> bool:
    """Whether these agents are there, all of them; with None all that the session wants, of which there must be one."""
    wanted = _wanted(session, agent_names)
    found = {placement.agent_name for placement in wanted}
    return (
        not session.ended
        and (session.routed or agent_names is not None)
        and bool(wanted)
        and found.issuperset(agent_names or ())
        and all(placement.state is PlacementState.VERIFIED for placement in wanted)
    )


async def until_verified(
    store: SessionReader, clock: Clock, sid: str, agent_names: Collection[str] | None, timeout: float
) -> Session | None:
    """Wait until `is_verified`, until no waiting helps, or for `timeout` seconds; the session as it was last read.

    None: the store knows no such session. Raises StoreUnavailable.
    """
    return await until(
        store, clock, sid, lambda session: is_verified(session, agent_names) or _in_vain(session, agent_names), timeout
    )


async def until(
    store: SessionReader, clock: Clock, sid: str, condition: Callable[[Session], bool], timeout: float
) -> Session | None:
    """Wait for a condition, or for `timeout` seconds; the session as it was last read, as `until_verified` says."""
    runs_out_at = clock.monotonic() + timeout
    while True:
        session = await store.read(sid)
        left = runs_out_at - clock.monotonic()
        if left <= 0 or (session is not None and condition(session)):
            return session
        await clock.sleep(min(LOOK_EVERY, left))


def _in_vain(session: Session, agent_names: Collection[str] | None) -> bool:
    if session.ended or _waits_for_people(session, agent_names):
        return True
    if agent_names is None:
        return session.routed and not _wanted(session, None)
    over = {placement.agent_name for placement in session.placements if placement.over}
    return not over.isdisjoint(agent_names)


def _waits_for_people(session: Session, agent_names: Collection[str] | None) -> bool:
    """Its policy says that somebody must be there first, who may be the one that waits here."""
    return any(placement.awaited is Awaited.PEOPLE for placement in _wanted(session, agent_names))


def _wanted(session: Session, agent_names: Collection[str] | None) -> list[Placement]:
    return [
        placement
        for placement in session.placements
        if not placement.over and (agent_names is None or placement.agent_name in agent_names)
    ]


def read_hold(request: web.Request, *, usual: float, longest: float) -> float | None:
    """For how many seconds an answer is to wait for the agent, at most `longest`; None: not at all. Raises Refused."""
    match request.query.get("hold"):
        case None:
            return None
        case "verified":
            pass
        case _:
            raise Refused(problem(400, "Bad Request", "hold can only be verified.", parameter="hold"))
    try:
        seconds = float(request.query.get("hold_seconds", usual))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        detail = "hold_seconds must be a number of seconds."
        raise Refused(problem(400, "Bad Request", detail, parameter="hold_seconds"))
    return min(seconds, longest)
