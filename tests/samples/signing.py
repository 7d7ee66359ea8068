"""Tokens as LiveKit makes them, and as forgers do."""

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.samples import KEY, SECRET


def claims_for(body: bytes, at: float, key: str = KEY) -> dict[str, Any]:
    """The claims that livekit-server signs for this body at this time."""
    signed_at = int(at)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return {"iss": key, "exp": signed_at + 300, "nbf": signed_at, "iat": signed_at, "sha256": digest}


def token(claims: dict[str, Any], secret: str = SECRET, **header: Any) -> str:
    """An HS256 token of these claims; `header` adds to its header, or replaces what is there."""
    return token_of(encode({"alg": "HS256", "typ": "JWT"} | header), encode(claims), secret)


def token_of(header: str, payload: str, secret: str = SECRET) -> str:
    """A token of two parts that are spelled already, whatever they are."""
    signed = f"{header}.{payload}"
    return f"{signed}.{base64url(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def signed(body: bytes, at: float, key: str = KEY, secret: str = SECRET) -> str:
    """The Authorization header of a genuine webhook."""
    return token(claims_for(body, at, key), secret)


def encode(part: object) -> str:
    return base64url(json.dumps(part, separators=(",", ":")).encode())


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
