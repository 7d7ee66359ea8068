"""Why a room has no agent, or what proves that it has, in a few lines: for whoever was woken by it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from rich.console import Group
from rich.text import Text

from orchestrator.client.answers import Agent, Placement, Session
from orchestrator.client.printing import STYLES, grid
from orchestrator.client.session_list import worst_first
from orchestrator.client.text import NOTHING, agent, printable, room
from orchestrator.core import causes
from orchestrator.core.causes import Cause
from orchestrator.core.durations import spoken
from orchestrator.core.facts import Awaited

_PAUSED: Final = Awaited.PAUSED.value
_OF_THE_FLEET: Final = frozenset({None, *(cause.value for cause in causes.UNTAKEN)})


@dataclass(frozen=True, slots=True)
class Explanation:
    room: str
    sid: str
    state: str
    verdict: str
    cause: str | None
    """The code; `meaning` is its sentence, of which nothing is known for a cause of a newer service."""
    meaning: str | None
    evidence: str
    fix: str | None
    next: str | None
    runbook: str | None

    def json(self) -> dict[str, object]:
        return asdict(self)


def worst_placement(session: Session) -> Placement | None:
    """The one that needs explaining."""
    return next(iter(worst_first(session)), None)


def explain(session: Session, fleet: Agent | None) -> Explanation:
    """`fleet`: what workers announce of the agent of the worst placement; None where that is not known."""
    placement = worst_placement(session)
    cause = placement.cause if placement else None
    return Explanation(
        room=session.room,
        sid=session.sid,
        state=session.state,
        verdict=session.verdict,
        cause=cause,
        meaning=_meaning(placement) if placement else None,
        evidence=" ".join(_evidence(session, placement, fleet)),
        fix=_fix(session, placement),
        next=session.next,
        runbook=session.links.runbook,
    )


def explanation_page(explained: Explanation, link: str) -> Group:
    """Under twelve lines on a terminal of usual width."""
    head = Text.assemble(
        (room(explained.room), "bold"),
        "  ",
        printable(explained.sid),
        "  ",
        (explained.state, STYLES.get(explained.state, "")),
    )
    told = grid(2)
    told.add_row("Verdict", printable(_without(explained.verdict, explained.meaning)))
    told.add_row("Cause", printable(_cause(explained)))
    told.add_row("Evidence", printable(explained.evidence))
    told.add_row("Fix", printable(explained.fix or NOTHING))
    told.add_row("Next", printable(explained.next or "nothing happens by itself"))
    told.add_row("More", link)
    return Group(head, told)


def _cause(explained: Explanation) -> str:
    """The code, and what it means; the evidence and the fix tell what a colon in its sentence would go on to."""
    if explained.cause is None:
        return NOTHING
    meaning = (explained.meaning or "").split(": ")[0].split(". ")[0].rstrip(".")
    return f"{explained.cause}: {meaning}." if meaning else explained.cause


def _without(verdict: str, meaning: str | None) -> str:
    """The verdict may hold the cause's sentence, which has a line of its own here."""
    return " ".join(verdict.replace(meaning, "").split("  ")) if meaning else verdict


def _meaning(placement: Placement) -> str | None:
    if placement.cause not in {cause.value for cause in Cause}:
        return None
    tried = placement.attempts[-1].agent_name if placement.attempts else placement.agent_name
    return causes.sentence(Cause(placement.cause), tried)


def _evidence(session: Session, placement: Placement | None, fleet: Agent | None) -> Iterator[str]:
    if placement is None:
        yield "The session wants no agent." if session.state != "ended" else "The session has ended."
        return
    name = agent(placement.agent_name)
    if placement.state == "verified":
        yield f"{placement.identity or name} is in the room (proof {placement.proof})."
    elif placement.attempts:
        yield _of_attempts(placement)
    else:
        yield f"No dispatch of {name} was requested yet."
    if placement.pulse is not None:
        yield f"It answered last {spoken(placement.pulse.age_s)} ago."
    # Of a job that somebody took, who else is there explains nothing.
    if fleet is not None and placement.cause in _OF_THE_FLEET:
        yield fleet.verdict


def _of_attempts(placement: Placement) -> str:
    kept = placement.attempts
    accepted = sum(attempt.accepted_at is not None for attempt in kept)
    joined = sum(attempt.joined_at is not None for attempt in kept)
    total = placement.attempts_total
    counted = "1 attempt" if total == 1 else f"{total} attempts"
    shown = "" if total == len(kept) else f" (of {len(kept)} kept)"
    job = f", the last one's job is {kept[-1].job_id}" if kept[-1].job_id else ""
    return f"{counted}{shown}: LiveKit accepted {accepted or 'none'}, {joined or 'none'} joined{job}."


def _fix(session: Session, placement: Placement | None) -> str | None:
    if placement is not None and placement.awaited == _PAUSED:
        return f"Resume it with `rollcall resume {agent(placement.agent_name)}`, once what it was paused for is over."
    if placement is not None and placement.fix:
        return placement.fix
    match session.state:
        case "unrouted" if not session.placements:
            return f"Try `rollcall route test --room {printable(session.room)}`, and correct the routes."
        case "observed":
            return "Have agents sent into it with `rollcall redispatch`, or leave it to whoever made it."
        case _:
            return None
