"""Whom the sandbox believes, and how it signs: LiveKit's tokens, which are JWTs of its API key."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import jwt

ALGORITHM: Final = "HS256"

LIFETIME: Final = 300
"""Seconds for which a webhook's token is valid."""

LEEWAY: Final = 60.0
"""Seconds by which a caller's clock may be wrong."""

_BEARER: Final = "Bearer "


class Unauthorized(Exception):
    """A token of an unknown key, of another secret, out of its time, or none at all where there should be one."""


class Right(Enum):
    """What a token may allow, by the name of its claim."""

    CREATE_ROOMS = "roomCreate"
    """To delete them, too."""
    LIST_ROOMS = "roomList"
    ADMINISTER = "roomAdmin"
    """Of one room."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the bearer of a token may do; whoever sends no token may do nothing."""

    video: Mapping[str, Any] = field(default_factory=dict)

    def allow(self, right: Right, room: str) -> bool:
        """Whether a call that takes this right, on this room, may be made."""
        if right is Right.ADMINISTER and self.video.get("room", "") != room:
            return False
        return self.video.get(right.value) is True


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one pair of API key and secret that a sandbox knows."""

    key: str
    secret: str = field(repr=False)

    def rights(self, authorization: str | None) -> Rights:
        """What the sender of this header may do. Raises Unauthorized."""
        if not authorization:
            return Rights()
        if not authorization.startswith(_BEARER):
            raise Unauthorized
        token = authorization.removeprefix(_BEARER)
        try:
            claims = jwt.decode(
                token,
                self.secret,
                issuer=self.key,
                algorithms=[ALGORITHM],
                leeway=LEEWAY,
                options={"require": ["iss", "exp"]},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthorized from error
        video = claims.get("video")
        return Rights(video if isinstance(video, dict) else {})

    def sign(self, body: bytes, now: float) -> str:
        """The token of a webhook with this body. It stands in `Authorization` as it is, without "Bearer"."""
        issued_at = int(now)
        claims = {
            "iss": self.key,
            "exp": issued_at + LIFETIME,
            "nbf": issued_at,
            "iat": issued_at,
            "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        }
        return jwt.encode(claims, self.secret, algorithm=ALGORITHM)
