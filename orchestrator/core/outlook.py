"""What happens next in a session, if nobody does anything."""

from typing import assert_never

from orchestrator.core.durations import MINUTE, spoken
from orchestrator.core.facts import Awaited
from orchestrator.core.naming import spelled
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session


def next_step(session: Session, now: float) -> str | None:
    """What will happen if nobody does anything; None when nothing is pending."""
    if session.ended or session.observed:
        return None
    steps = [(p.agent_name, step) for p in session.placements if (step := _next_of(session, p, now))]
    if len(session.placements) == 1:
        return steps[0][1] if steps else None
    return "; ".join(f"{spelled(name)}: {step}" for name, step in steps) or None


def pace(placement: Placement) -> str | None:
    """How often an agent that was given up is tried all the same; None when never."""
    seconds = placement.policy.keep_trying
    if seconds <= 0:
        return None
    return "attempt a minute" if seconds == MINUTE else f"attempt every {spoken(seconds)}"


def _next_of(session: Session, placement: Placement, now: float) -> str | None:
    if not placement.wanting:
        return None
    if session.empty:
        return "waits for people"
    if attempt := placement.open_attempt:
        left = attempt.requested_at + placement.policy.join_window - now
        return f"attempt {attempt.number} has {spoken(left)} left"
    return _next_when_waiting(placement, None if placement.next_at is None else spoken(placement.next_at - now))


def _next_when_waiting(placement: Placement, pause: str | None) -> str | None:
    match placement.awaited:
        case Awaited.SLOT:
            return "waits for a slot"
        case Awaited.BREAKER:
            return "waits until a probe for it brings an agent"
        case Awaited.PEOPLE:
            return "waits for people"
        case Awaited.LIVEKIT:
            return "waits for LiveKit"
        case Awaited.PAUSED:
            return "waits until its pause is over"
        case Awaited.GRACE:
            return "a replacement, if people stay" if pause is None else f"a replacement in {pause}, if people stay"
        case Awaited.BACKOFF if pause is not None:
            return f"attempt {placement.next_number} in {pause}"
        case Awaited.BACKOFF | None:
            return _next_attempt(placement)
        case _:
            assert_never(placement.awaited)


def _next_attempt(placement: Placement) -> str | None:
    if placement.state is not PlacementState.UNVERIFIED:
        return f"attempt {placement.next_number}"
    return f"one {every} while people are in the room" if (every := pace(placement)) else None
