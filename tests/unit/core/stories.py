"""Short words for the facts of a session, so that the tests of the core read like a transcript."""

from collections.abc import Iterable

from orchestrator.core import facts as f
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold

SID = "RM_story"
START = 1_000.0


def opened(room: str = "support-17") -> f.RoomOpened:
    return f.RoomOpened(room=room, sid=SID, started_at=START)


def routed(*names: str, policy: Policy | None = None, fallback: Iterable[str] = ()) -> f.Routed:
    policy = policy or Policy()
    return f.Routed(
        placements=tuple(f.PlacementSpec(tuple(f.CandidateSpec(n) for n in (name, *fallback)), policy) for name in names),
        route="routes[0]",
    )


def person_joined(sid: str = "PA_alice", people: int = 1) -> f.PersonJoined:
    return f.PersonJoined(sid, "alice", created_at=START, people=people)


def person_left(sid: str = "PA_alice", people: int = 0) -> f.PersonLeft:
    return f.PersonLeft(sid, "alice", created_at=START + 60, people=people)


def agent_joined(
    job: str = "AJ_1", name: str | None = "mary", *, at: float = START + 1, source: f.Source = f.Source.WEBHOOK
) -> f.AgentJoined:
    return f.AgentJoined(f"PA_{job}", f"agent-{job}", name, joined_at=at, created_at=at, source=source)


def agent_left(
    job: str = "AJ_1",
    name: str | None = "mary",
    *,
    joined_at: float = START + 1,
    at: float = START + 60,
    leave: f.LeaveReason = f.LeaveReason.FAILURE,
    done: bool = False,
) -> f.AgentLeft:
    return f.AgentLeft(f"PA_{job}", f"agent-{job}", name, joined_at, created_at=at, reason=leave.name, leave=leave, done=done)


def requested(number: int = 1, placement: str = "mary", agent: str | None = None) -> f.DispatchRequested:
    return f.DispatchRequested(placement, number, f"attempt-{number}", agent or placement)


def accepted(number: int = 1, placement: str = "mary") -> f.DispatchAccepted:
    return f.DispatchAccepted(placement, number, f"AD_{number}")


def job(number: int = 1, status: f.JobStatus = f.JobStatus.RUNNING, identity: str | None = "default") -> f.JobChanged:
    name = f"AJ_{number}"
    return f.JobChanged(f"AD_{number}", name, "mary", status, identity=f"agent-{name}" if identity == "default" else identity)


def play(*facts: f.Fact, session: Session | None = None, at: float = START) -> Session:
    """Fold facts one after the other, a tenth of a second apart."""
    for n, fact in enumerate(facts):
        session = fold(session, fact, at + n / 10)
    assert session is not None
    return session
