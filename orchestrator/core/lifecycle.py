"""The life of a placement, as one table. ARCHITECTURE.md's diagram is generated from it.

    waiting ──request──▶ dispatching ──confirm──▶ verified ──lose──▶ lost ──confirm──▶ verified
       any of them, when attempts or deadline run out: ──give up──▶ unverified ──confirm──▶ verified

What stands in no row changes nothing: an event that a state does not know is answered by that state itself. So a fact
that comes twice, late, or for a placement that has ended cannot do harm.
"""

from enum import StrEnum
from typing import Final

from orchestrator.core.placement import PlacementState


class PlacementEvent(StrEnum):
    WAIT = "wait"
    """It waits for a slot, for people, for LiveKit, or out its backoff."""
    REQUEST = "request"
    """An attempt begins: a call of ours, or a foreign dispatch that we adopt."""
    CONFIRM = "confirm"
    """Proof has reached the level that the policy asks for."""
    FAIL = "fail"
    """The verified agent left so soon that it never served."""
    LOSE = "lose"
    """The verified agent is gone and is to be replaced."""
    RELEASE = "release"
    """The verified agent is gone and nobody wants another."""
    GIVE_UP = "give_up"
    CANCEL = "cancel"
    """Nobody wants it any more: dismissed, or relieved by another agent."""
    WANT = "want"
    """Somebody asks for it again."""
    END = "end"
    """The room is finished."""
    REVIVE = "revive"
    """The room lives after all: only a listing had said that it was finished."""


_S = PlacementState
_E = PlacementEvent

TRANSITIONS: Final[dict[tuple[PlacementState, PlacementEvent], PlacementState]] = {
    (_S.WAITING, _E.REQUEST): _S.DISPATCHING,
    (_S.WAITING, _E.CONFIRM): _S.VERIFIED,
    (_S.WAITING, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.WAITING, _E.END): _S.ENDED,
    (_S.DISPATCHING, _E.WAIT): _S.WAITING,
    (_S.DISPATCHING, _E.CONFIRM): _S.VERIFIED,
    (_S.DISPATCHING, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.DISPATCHING, _E.END): _S.ENDED,
    (_S.VERIFIED, _E.FAIL): _S.DISPATCHING,
    (_S.VERIFIED, _E.LOSE): _S.LOST,
    (_S.VERIFIED, _E.RELEASE): _S.ENDED,
    (_S.VERIFIED, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.VERIFIED, _E.END): _S.ENDED,
    (_S.LOST, _E.CONFIRM): _S.VERIFIED,
    (_S.LOST, _E.GIVE_UP): _S.UNVERIFIED,
    (_S.LOST, _E.END): _S.ENDED,
    (_S.UNVERIFIED, _E.CONFIRM): _S.VERIFIED,
    (_S.UNVERIFIED, _E.END): _S.ENDED,
    (_S.WAITING, _E.CANCEL): _S.CANCELLED,
    (_S.DISPATCHING, _E.CANCEL): _S.CANCELLED,
    (_S.VERIFIED, _E.CANCEL): _S.CANCELLED,
    (_S.LOST, _E.CANCEL): _S.CANCELLED,
    (_S.UNVERIFIED, _E.CANCEL): _S.CANCELLED,
    (_S.UNVERIFIED, _E.WANT): _S.WAITING,
    (_S.CANCELLED, _E.WANT): _S.WAITING,
    (_S.ENDED, _E.WANT): _S.WAITING,
    (_S.ENDED, _E.REVIVE): _S.WAITING,
}


def next_state(state: PlacementState, event: PlacementEvent) -> PlacementState:
    """The state after an event; the same one when the table knows no row."""
    return TRANSITIONS.get((state, event), state)
