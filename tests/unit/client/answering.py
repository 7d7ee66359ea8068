"""Sessions as the service shows them, read back as the command reads them."""

from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console, RenderableType

from orchestrator.client import answers
from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.session import Session
from orchestrator.web.links import Links
from orchestrator.web.session_view import session_view
from tests.unit.core.stories import START, accepted, agent_joined, person_joined, play, requested, routed

NOW = START + 60.0
THEN = datetime.fromtimestamp(NOW, UTC)
URL = "http://rollcall.example"


def told(session: Session, now: float = NOW) -> answers.Session:
    """What `GET /sessions/<room>` says of it."""
    body = session_view(session, now, Links(None)).model_dump_json(by_alias=True)
    return answers.read(answers.Session, body.encode())


def verified(room: str = "support-17", *agents: str) -> Session:
    name, *others = agents or ("mary",)
    return play(
        f.RoomOpened(room, "RM_1", START),
        f.RoomStarted(created_at=START),
        routed(name, *others),
        person_joined(),
        requested(placement=name),
        accepted(placement=name),
        agent_joined(name=name, at=START),
        f.PulseAnswered("agent-AJ_1", rtt_ms=3.2),
    )


def missing(room: str = "support-18", cause: Cause = Cause.NOT_TAKEN) -> Session:
    return play(
        f.RoomOpened(room, "RM_2", START),
        f.RoomStarted(created_at=START),
        routed("mary"),
        person_joined(),
        requested(),
        accepted(),
        f.AttemptEnded("mary", 1, cause),
        f.GaveUp("mary", cause),
    )


def at(session: Session, **changes: object) -> Session:
    return replace(session, **changes)  # type: ignore[arg-type]  # any field of the record


def printed(part: RenderableType, width: int, *, colour: bool = False) -> list[str]:
    """The lines on a terminal of this width."""
    console = Console(
        width=width,
        markup=False,
        highlight=False,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
    )
    with console.capture() as captured:
        console.print(part)
    return [line.rstrip() for line in captured.get().splitlines()]
