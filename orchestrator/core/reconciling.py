"""What LiveKit lists against what we hold: which rooms to adopt, to doubt, and to look into.

A listing that lacks a room is only a reason to doubt it. What was heard of in the two seconds before the listing was
requested, or since, is not doubted at all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.core.evidence import agent_differences, dispatch_differences, people_differences
from orchestrator.core.facts import Fact
from orchestrator.core.listing import LISTING_LAG, ListedRoom, Look
from orchestrator.core.session import Session, SessionState

LOOK_EVERY: Final = 30.0
"""Seconds after which one looks into a room again, whatever is heard of it: a listing of all rooms counts no agents."""

UNHEARD_AFTER: Final = 15.0
"""Seconds after which a room's first webhook is lost: so long LiveKit repeats it (after 1, 2, 4 and 8 s)."""

ABANDONED_AFTER: Final = 12.0
"""Seconds within which those who watch the leases have taken a dead replica's sessions over, if they ever will."""

_RECENT: Final = 60.0
"""Seconds: which rooms tell whether webhooks are partly lost. So long after they return, the older ones still count."""

_FEW: Final = 3
"""Fewer lost webhooks than this, beside others that came, are not silence: LiveKit's own queue loses some."""


@dataclass(frozen=True, slots=True)
class Held:
    """A session that has not ended, in the few words that are compared with LiveKit's listing. Times are the store's."""

    sid: str
    state: SessionState
    owner: str
    """The replica that drives it, or that did before it died; empty when nobody has claimed it."""
    people: int
    """As the set of participant sids counts them."""
    opened_at: float
    """When it was first stored."""
    heard_at: float | None
    """When the last webhook about it was stored; None: none ever came."""
    touched_at: float
    """When the last fact about it was stored, or its record was committed last."""


def doubtful(held: Held, listed: Mapping[str, ListedRoom], requested_at: float) -> bool:
    """Whether a listing that was requested then casts doubt on a session by lacking its room."""
    last_known = max(held.opened_at, held.heard_at or 0.0)
    return held.sid not in listed and last_known < requested_at - LISTING_LAG


def abandoned(held: Held, live: Collection[str], now: float) -> bool:
    """Whether nobody drives a session: its owner has no lease, and it is not just being claimed."""
    return held.owner not in live and held.touched_at < now - ABANDONED_AFTER


def urgency(held: Held, room: ListedRoom, looked_at: float, now: float) -> int | None:
    """How urgently one should look into a room, 0 before 1 before 2; None: not at all. `looked_at`: when one did last."""
    if held.people != room.num_participants:
        return 0
    if held.state is SessionState.OBSERVED and looked_at <= held.opened_at:
        return 1  # nobody has told us of its agents
    if now - max(looked_at, held.opened_at) >= LOOK_EVERY:
        return 2
    return None


def listed_differences(session: Session, look: Look, people: frozenset[str]) -> tuple[Fact, ...]:
    """The facts by which a look differs from a session of which somebody else may hold the record.

    `people`: the participant sids that the store counts.
    """
    return (
        *people_differences(session, look, people),
        *agent_differences(session, look),
        *dispatch_differences(session, look),
    )


@dataclass(frozen=True, slots=True)
class Silence:
    """Whether LiveKit's webhooks reach us, as one round of the reconciler saw it."""

    unheard: int
    """Rooms that LiveKit lists, and of which no webhook came."""
    silent: bool


@dataclass(slots=True)
class Round:
    """What one round saw and did."""

    rooms: int = 0
    adopted: int = 0
    ended: int = 0
    looked: int = 0
    differing: int = 0
    claimed: int = 0
    seconds: float = 0.0
    silence: Silence = Silence(0, silent=False)


class Listening:
    """Counts, over one round, the rooms of which no webhook came."""

    def __init__(self, now: float, last_heard: float | None, *, since: float) -> None:
        """`since`: from when on one has listened; what is older may have been told before."""
        self._now = now
        self._since = since
        self._last_heard = last_heard
        self._unheard = 0
        self._recent = 0
        self._recent_unheard = 0
        self._nothing_since = False

    def add(self, held: Held, room: ListedRoom) -> None:
        """A session whose room is listed. One that lived before us tells nothing: its webhooks came before us, too."""
        age = self._now - held.opened_at
        if room.created_at < self._since or (held.heard_at is None and age < UNHEARD_AFTER):
            return
        recent = age < _RECENT
        self._recent += recent
        if held.heard_at is None:
            self._unheard += 1
            self._recent_unheard += recent
            self._nothing_since |= self._last_heard is None or self._last_heard < held.opened_at

    @property
    def result(self) -> Silence:
        """Silent: nothing at all came since one of them was found, or of several new ones most were not heard of."""
        most = self._recent_unheard >= _FEW and 2 * self._recent_unheard >= self._recent
        return Silence(self._unheard, self._nothing_since or most)
