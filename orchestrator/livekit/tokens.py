"""Access tokens for LiveKit's API. One serves many calls: signing it costs half as much as the rest of a call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from livekit.api.access_token import AccessToken, VideoGrants

LIFETIME: Final = timedelta(minutes=10)
REUSE: Final = 300.0
"""Seconds for which a token is used again: half of its lifetime; by the other half the clocks may disagree."""
LIMIT: Final = 16_384
"""Tokens kept at most, one per room in use: about 10 MB."""


class ApiTokens:
    """Signs tokens that allow one kind of call each, and uses them again for a while."""

    def __init__(self, key: str, secret: str, monotonic: Callable[[], float]) -> None:
        self._key = key
        self._secret = secret
        self._monotonic = monotonic
        self._kept: dict[tuple[str, str], tuple[str, float]] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def to_list_rooms(self) -> str:
        return self._token(("list", ""), VideoGrants(room_list=True))

    def to_administer(self, room: str) -> str:
        """For the participants and the dispatches of one room."""
        return self._token(("administer", room), VideoGrants(room_admin=True, room=room))

    def to_manage_rooms(self) -> str:
        """DeleteRoom, too, takes the right to create rooms; roomAdmin on the room is refused (seen on 1.13.5)."""
        return self._token(("manage", ""), VideoGrants(room_create=True))

    def forget(self) -> None:
        """Sign anew from now on: a token was refused, and this machine's clock may have been wrong when it was made."""
        self._kept.clear()

    def _token(self, what: tuple[str, str], grants: VideoGrants) -> str:
        now = self._monotonic()
        token, until = self._kept.get(what, ("", now))
        if until <= now:
            self._make_room(now)
            token = AccessToken(self._key, self._secret).with_ttl(LIFETIME).with_grants(grants).to_jwt()
            self._kept[what] = token, now + REUSE
        return token

    def _make_room(self, now: float) -> None:
        """Drop what has lapsed, and the oldest if that is not enough: tokens lapse in the order of signing."""
        while self._kept:
            oldest = next(iter(self._kept))
            _, until = self._kept[oldest]
            if until > now and len(self._kept) < LIMIT:
                return
            del self._kept[oldest]
