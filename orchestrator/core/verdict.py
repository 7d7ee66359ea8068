"""What a person on call reads first: who is missing, or when it came. No more than is known.

Durations run in the store's time; those that LiveKit's clock has a part in are clipped at 0.
"""

from typing import Final, assert_never

from orchestrator.core import causes
from orchestrator.core.durations import spoken
from orchestrator.core.facts import Awaited
from orchestrator.core.naming import spelled
from orchestrator.core.outlook import pace
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.proof import Proof
from orchestrator.core.session import Outcome, Session, SessionState

_SAME_MOMENT: Final = 1.0
"""Seconds. An agent that was wanted no later than this after its room's creation was wanted when the room started."""

_WORST_FIRST: Final = (
    PlacementState.UNVERIFIED,
    PlacementState.LOST,
    PlacementState.DISPATCHING,
    PlacementState.WAITING,
    PlacementState.ENDED,
    PlacementState.VERIFIED,
    PlacementState.CANCELLED,
)


def verdict(session: Session, now: float) -> str:
    """Who is missing and why, or when it came; of several placements the worst first."""
    match session.state:
        case SessionState.ENDED:
            return _end(session)
        case SessionState.UNROUTED if not session.placements:
            return "No route wants an agent in this room."
        case SessionState.OBSERVED:
            return "The room was there before Rollcall watched it; nobody is dispatched unless an operator says so."
        case SessionState.DISPATCHING if not session.routed:
            return "The room was just seen; its routes have not been asked yet."
        case _:
            ordered = sorted(session.placements, key=lambda p: _WORST_FIRST.index(p.state))
            return " ".join(_of_placement(session, p, now) for p in ordered)


def served_by(placement: Placement) -> str | None:
    """The fallback that serves in place of the agent that was wanted; None when none does."""
    attempt = serving_attempt(placement)
    return attempt.agent_name if attempt and attempt.agent_name != placement.agent_name else None


def serving_attempt(placement: Placement) -> Attempt | None:
    """The attempt whose agent serves the placement."""
    if placement.identity is None:
        return None
    return next((a for a in reversed(placement.attempts) if a.identity == placement.identity), None)


# --- one placement --------------------------------------------------------------------------------


def _of_placement(session: Session, placement: Placement, now: float) -> str:
    name = spelled(placement.agent_name)
    match placement.state:
        case PlacementState.VERIFIED:
            return f"{_arrival(session, placement)}."
        case PlacementState.UNVERIFIED:
            return _unverified(session, placement)
        case PlacementState.LOST:
            return _lost(session, placement, now)
        case PlacementState.WAITING:
            return _waiting(session, placement, now)
        case PlacementState.DISPATCHING:
            return _dispatching(placement, now)
        case PlacementState.CANCELLED:
            return f"{name} is not wanted any more."
        case PlacementState.ENDED:
            return f"{name} was there and has left; it is not replaced."
        case _:
            assert_never(placement.state)


def _arrival(session: Session, placement: Placement) -> str:
    """Who came, when, and on which attempt."""
    name, attempt, substitute = spelled(placement.agent_name), serving_attempt(placement), served_by(placement)
    subject = name if substitute is None else f"{spelled(substitute)}, the fallback of {name},"
    on_attempt = "" if attempt is None else f", on attempt {attempt.number}"
    if attempt is not None and attempt.adopted:
        on_attempt += ", by a dispatch that Rollcall did not make"
    if placement.losses and attempt is not None and attempt.joined_at is not None:
        gone_for = spoken(attempt.joined_at - placement.wanted_at)
        return f"{subject} is there again, {gone_for} after it was lost{on_attempt}"
    if placement.time_to_agent_ms is None:
        return f"{subject} is there{on_attempt}"
    since = "the room started" if placement.first_wanted_at - session.started_at <= _SAME_MOMENT else "it was wanted"
    return f"{subject} joined {spoken(placement.time_to_agent_ms / 1000)} after {since}{on_attempt}"


def _unverified(session: Session, placement: Placement) -> str:
    made = f"{_counted(placement.attempts_total)} made; {_going_on(session, placement)}."
    return f"{spelled(placement.agent_name)} is missing. {_why(placement)} {made}"


def _counted(attempts: int) -> str:
    match attempts:
        case 0:
            return "No attempt was"
        case 1:
            return "1 attempt was"
        case _:
            return f"{attempts} attempts were"


def _going_on(session: Session, placement: Placement) -> str:
    if session.empty:
        return "nobody is in the room any more, so none is made now"
    if placement.awaited is Awaited.PAUSED:
        return "an operator has paused it, so none is made now"
    if (every := pace(placement)) is None:
        return "nothing more is tried by itself"
    return f"one {every} goes on while people are in the room"


def _lost(session: Session, placement: Placement, now: float) -> str:
    name = spelled(placement.agent_name)
    if placement.awaited is Awaited.GRACE:
        return f"{name} said goodbye and left; it is replaced if people stay."
    if session.empty:
        return f"{name} left, and then everybody did."
    if placement.awaited is Awaited.PAUSED:
        return f"{name} was lost {_ago(placement.wanted_at, now)} and is not replaced: an operator has paused it."
    under_way = "" if (attempt := placement.open_attempt) is None else f" {_attempt_under_way(placement, attempt, now)}"
    return f"{name} was lost {_ago(placement.wanted_at, now)} and is being replaced. {_why(placement)}{under_way}"


def _waiting(session: Session, placement: Placement, now: float) -> str:
    name, since = spelled(placement.agent_name), spoken(now - placement.wanted_at)
    why = f" {_why(placement)}" if placement.cause else ""
    match placement.awaited:
        case Awaited.SLOT:
            return f"{name} has waited {since} for a slot: enough dispatches of it are under way.{why}"
        case Awaited.BREAKER:
            return f"{name} has waited {since}: none came lately, so one dispatch at a time probes for it.{why}"
        case Awaited.PEOPLE if session.empty:
            return f"{name} is not tried any more: everybody has left the room."
        case Awaited.PEOPLE:
            return f"{name} is dispatched as soon as somebody is in the room."
        case Awaited.LIVEKIT:
            return f"{name} has waited {since} for LiveKit to answer.{why}"
        case Awaited.PAUSED:
            return f"{name} is not dispatched: an operator has paused it.{why}"
        case Awaited.BACKOFF | Awaited.GRACE | None:
            return f"{name} is not there yet, {since} after it was wanted.{why}"
        case _:
            assert_never(placement.awaited)


def _dispatching(placement: Placement, now: float) -> str:
    name = spelled(placement.agent_name)
    if attempt := placement.open_attempt:
        return f"{name} is not there yet. {_attempt_under_way(placement, attempt, now)}"
    why = f" {_why(placement)}" if placement.cause else ""
    return f"{name} is not there yet, {spoken(now - placement.wanted_at)} after it was wanted.{why}"


def _attempt_under_way(placement: Placement, attempt: Attempt, now: float) -> str:
    whom = "" if attempt.agent_name == placement.agent_name else f" with the fallback {spelled(attempt.agent_name)}"
    begun = f"Attempt {_numbered(placement, attempt)}{whom} began {_ago(attempt.requested_at, now)}"
    return f"{begun}{_reached(placement, attempt)}."


def _numbered(placement: Placement, attempt: Attempt) -> str:
    """`2 of 6`; numbers are never used again, so after a fallback or a loss they exceed what one round may take."""
    if placement.state is PlacementState.UNVERIFIED:
        return str(attempt.number)
    if attempt.number == placement.tries:
        return f"{attempt.number} of {placement.policy.attempts}"
    return f"{attempt.number} ({placement.tries} of {placement.policy.attempts} in this round)"


def _reached(placement: Placement, attempt: Attempt) -> str:
    if attempt.proof >= Proof.JOINED:
        return f"; its agent is {attempt.proof.label}, and must be {placement.policy.verify_at.label}"
    if attempt.adopted:
        return ", by a dispatch that Rollcall did not make"
    return "; LiveKit accepted the dispatch" if attempt.proof is Proof.ACCEPTED else ""


# --- the end --------------------------------------------------------------------------------------


def _end(session: Session) -> str:
    ended = f"The room ended after {spoken((session.ended_at or session.started_at) - session.started_at)}"
    match session.outcome:
        case Outcome.UNROUTED:
            return f"{ended}; no route wanted an agent in it."
        case Outcome.ABANDONED if not session.placements:
            return f"{ended}, before its routes were asked."
        case _:
            came = [p for p in session.placements if not p.given_up and p.verified_at is not None]
            missing = [p for p in session.placements if p not in came and p.state is not PlacementState.CANCELLED]
            told = [_missed(p) for p in missing] + [f"{_had_been_there(session, p)}." for p in came]
            return " ".join((f"{ended}.", *told))


def _missed(placement: Placement) -> str:
    name = spelled(placement.agent_name)
    if placement.cause in (None, causes.Cause.ROOM_GONE):
        return f"{name} was not there before its end."
    verb = "was missing" if placement.given_up else "was not there before its end"
    return f"{name} {verb}: {_why(placement)}"


def _had_been_there(session: Session, placement: Placement) -> str:
    """After the end a late webhook may tell that an agent had been there; when it came is then not known."""
    if serving_attempt(placement) is None:
        return f"{spelled(placement.agent_name)} had been there"
    return _arrival(session, placement)


# --- words ----------------------------------------------------------------------------------------


def _why(placement: Placement) -> str:
    cause = placement.cause or causes.Cause.UNKNOWN
    last = placement.attempts[-1].agent_name if placement.attempts else placement.agent_name
    return causes.sentence(cause, last)


def _ago(at: float, now: float) -> str:
    return f"{spoken(now - at)} ago"
