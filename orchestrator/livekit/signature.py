"""Is this webhook from somebody who holds one of our secrets? Bytes in, nothing or Forged out.

LiveKit signs a webhook with a JWT of its own API key that carries the SHA-256 of the body. The rules:

* HS256 and nothing else; no `crit`; the key is the one that `iss` names.
* `iss`, `exp`, `nbf` and `sha256` are required, and a token is valid for a few minutes only.
* Every part has exactly one spelling: base64 is checked by writing it again, so padding, stray bits and foreign
  alphabets are refused, and there are no two tokens for one signature.
* Claims are read before the signature is checked, because `iss` is one of them. Nothing is done with them before.
"""

import binascii
import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

from orchestrator.runtime.ports import RollcallError

LIFETIME: Final = 360.0
"""Seconds. The longest `exp - nbf`: LiveKit signs for 5 minutes, and a token for ten years is a password."""

LEEWAY: Final = 60.0
"""Seconds by which LiveKit's clock may be wrong against the store's."""

TOKEN_BYTES: Final = 4096
"""LiveKit's tokens have about 350: what is longer is not worth hashing."""

_BEARER: Final = "bearer "
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

T = TypeVar("T")


class Forgery(StrEnum):
    """What is wrong with the signature: for our log. The sender is never told."""

    MISSING = "missing"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    LIFETIME = "lifetime"
    EARLY = "early"
    EXPIRED = "expired"
    BODY = "body"


class Forged(RollcallError):
    """Permanent: this request is not from LiveKit, or not any more."""

    def __init__(self, reason: Forgery) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Header(msgspec.Struct):
    alg: str
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Claims(msgspec.Struct):
    iss: str
    exp: float
    nbf: float
    sha256: str


_HEADER: Final = msgspec.json.Decoder(_Header)
_CLAIMS: Final = msgspec.json.Decoder(_Claims)


def verify(
    body: bytes,
    authorization: str | None,
    keys: Mapping[str, str],
    now: float,
    *,
    lifetime: float = LIFETIME,
    leeway: float = LEEWAY,
) -> str:
    """The API key that signed exactly this body; raises Forged when none of ours did. `keys` maps them to their secrets."""
    signed, _, signature = _token(authorization).rpartition(b".")
    header, _, payload = signed.partition(b".")
    _check_header(header)
    claims = _read(payload, _CLAIMS)
    secret = keys.get(claims.iss)
    if not secret:
        raise Forged(Forgery.UNKNOWN_KEY)
    if not hmac.compare_digest(_url_safe(hmac.digest(secret.encode(), signed, "sha256")), signature):
        raise Forged(Forgery.SIGNATURE)
    _check_times(claims, now, lifetime, leeway)
    if not hmac.compare_digest(_standard(hashlib.sha256(body).digest()), claims.sha256.encode()):
        raise Forged(Forgery.BODY)
    return claims.iss


def sign(body: bytes, key: str, secret: str, now: float, *, lifetime: float = LIFETIME) -> str:
    """The token with which LiveKit would send this body, and `verify` takes it for so many seconds."""
    issued_at = int(now)
    digest = _standard(hashlib.sha256(body).digest()).decode()
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"iss": key, "nbf": issued_at, "exp": issued_at + int(lifetime), "sha256": digest}
    signed = b".".join(_url_safe(msgspec.json.encode(part)) for part in (header, claims))
    return b".".join((signed, _url_safe(hmac.digest(secret.encode(), signed, "sha256")))).decode()


def _token(authorization: str | None) -> bytes:
    """The token in the header: LiveKit sends it bare, proxies and people with curl put "Bearer " before it."""
    if not authorization:
        raise Forged(Forgery.MISSING)
    if authorization[: len(_BEARER)].lower() == _BEARER:
        authorization = authorization[len(_BEARER) :]
    if len(authorization) > TOKEN_BYTES or not authorization.isascii():
        raise Forged(Forgery.MALFORMED)
    return authorization.encode()


@lru_cache(maxsize=8)
def _check_header(part: bytes) -> None:
    """Cached, because all of LiveKit's tokens have the same header. What is refused is not kept."""
    header = _read(part, _HEADER)
    if header.alg != "HS256":
        raise Forged(Forgery.ALGORITHM)
    if header.crit is not msgspec.UNSET:  # an extension that we must understand, and do not
        raise Forged(Forgery.MALFORMED)


def _check_times(claims: _Claims, now: float, lifetime: float, leeway: float) -> None:
    if not 0 <= claims.exp - claims.nbf <= lifetime:
        raise Forged(Forgery.LIFETIME)
    if now < claims.nbf - leeway:
        raise Forged(Forgery.EARLY)
    if now >= claims.exp + leeway:
        raise Forged(Forgery.EXPIRED)


def _read(part: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """One part of the token: canonical base64url of a JSON object."""
    try:
        decoded = binascii.a2b_base64(part.translate(_TO_STANDARD) + b"==")
        if _url_safe(decoded) != part:
            raise Forged(Forgery.MALFORMED)
        return decoder.decode(decoded)
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Forged(Forgery.MALFORMED) from error


def _standard(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False)


def _url_safe(raw: bytes) -> bytes:
    return _standard(raw).translate(_TO_URL_SAFE, b"=")
