"""The `token:` block: who may ask for tokens with which people join rooms, and for which ones."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from orchestrator.configuration.entries import Entry, check_url
from orchestrator.configuration.values import PerSecond, Seconds, SomeSeconds
from orchestrator.core.patterns import PatternError, glob

LONGEST_TTL: Final = 86_400.0
"""Seconds. A token cannot be taken back: one for longer than a day is a password."""

LONGEST_HOLD: Final = 30.0
"""Seconds. Proxies and browsers end requests that take longer."""

SHORTEST_SHARED_SECRET: Final = 32
"""Bytes: HS256 wants a key as long as its hash."""

_ELEMENT: Final = re.compile(r"(?P<set>\[!?.[^\]]*\])|\{(?P<claim>[A-Za-z_][A-Za-z0-9_.:/-]*)\}", re.DOTALL)
"""What a pattern holds besides characters and stars. Sets come first: a brace in one is a character of it."""

_SPECIAL: Final = frozenset("*?[]{}")
"""Characters that mean something in a glob."""

Claims = Mapping[str, object]


# --- patterns with claims -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allowed:
    """A glob of the names that may be asked for, in which `{claim}` stands for a claim of the caller's JWT.

    What a claim holds is taken literally, whatever characters are in it. One that is missing, empty, or neither text nor
    a whole number allows nothing. To a caller who has no claims, it stands for any text but none.
    """

    text: str

    @property
    def claims(self) -> frozenset[str]:
        return frozenset(claim for element in _ELEMENT.finditer(self.text) if (claim := element["claim"]) is not None)

    def allows(self, name: str, claims: Claims | None) -> bool:
        """`claims` None: those of somebody who needs none."""
        pattern = self._filled(claims)
        return pattern is not None and glob(pattern).match(name) is not None

    def example(self, part: str, claims: Claims | None) -> str | None:
        """A name that is allowed, with `part` for every star; None where that makes none."""
        name, position = "", 0
        for element in _ELEMENT.finditer(self.text):
            if element["claim"] is None:
                return None  # what a set allows is for people to choose
            name += self.text[position : element.start()].replace("*", part)
            name += part if claims is None else _value(claims.get(element["claim"]))
            position = element.end()
        name += self.text[position:].replace("*", part)
        return name if "?" not in self.text and self.allows(name, claims) else None

    def _filled(self, claims: Claims | None) -> str | None:
        missing = claims is not None and not all(_value(claims.get(claim)) for claim in self.claims)
        return None if missing else _ELEMENT.sub(lambda element: _filling(element, claims), self.text)


def _filling(element: re.Match[str], claims: Claims | None) -> str:
    if element["claim"] is None:
        return element[0]
    return "?*" if claims is None else "".join(map(_literal, _value(claims.get(element["claim"]))))


def _value(claim: object) -> str:
    """A claim's text; none for what has none that one could rely on."""
    return str(claim) if isinstance(claim, str | int) and not isinstance(claim, bool) else ""


def _literal(character: str) -> str:
    return f"[{character}]" if character in _SPECIAL else character


def _allowed(text: str) -> str:
    try:
        glob(_ELEMENT.sub(lambda element: element[0] if element["claim"] is None else "x", text))
    except PatternError as error:
        raise PydanticCustomError("pattern", "{error}", {"error": str(error)}) from None
    if not text:
        raise PydanticCustomError("pattern", "it is empty and would allow nothing. Write * for all")
    return text


Pattern = Annotated[str, AfterValidator(_allowed)]


# --- origins --------------------------------------------------------------------------------------------------------


_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?/?"
)
"""Not only of web pages: an application in a web view has one such as capacitor://localhost."""

_OWN_PORTS: Final = {("http", "80"), ("https", "443")}
"""Browsers leave out a port that is the scheme's own."""


def _origin(text: str) -> str:
    """An origin as browsers send it: scheme, host, and the port unless it is the scheme's own."""
    if text == "*":
        raise PydanticCustomError("origin", "every page in the world could ask. List the origins, such as https://app.example")
    match = _ORIGIN.fullmatch(text.strip())
    if match is None:
        raise PydanticCustomError("origin", "it is no origin. Write scheme, host and port only, such as https://app.example")
    scheme, host, port = match["scheme"], match["host"].lower(), match["port"]
    return f"{scheme}://{host}" if port is None or (scheme, port) in _OWN_PORTS else f"{scheme}://{host}:{port}"


Origin = Annotated[str, AfterValidator(_origin)]


# --- the identity provider ------------------------------------------------------------------------------------------


def _jwks(url: str) -> str:
    check_url(url, ("http", "https"), "https://id.example/.well-known/jwks.json")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise PydanticCustomError("url", "whoever is between could put in keys of his own. Use https")
    return url


def _shared(secret: SecretStr) -> SecretStr:
    length = len(secret.get_secret_value().encode())
    if length < SHORTEST_SHARED_SECRET:
        raise PydanticCustomError(
            "secret",
            "the secret has {length} bytes, and HS256 needs at least {least}. Make one with `openssl rand -hex 32`",
            {"length": length, "least": SHORTEST_SHARED_SECRET},
        )
    return secret


class JwtEntry(Entry):
    """The team's own identity provider, whose JWTs are taken in place of a mint token."""

    issuer: str = Field(min_length=1)
    """What `iss` must be."""
    audience: str = Field(min_length=1)
    """What `aud` must be, or hold."""
    jwks_url: Annotated[str, AfterValidator(_jwks)] | None = None
    """Where the provider's public keys are; https, but on this machine."""
    secret: Annotated[SecretStr, AfterValidator(_shared)] | None = None
    """Shared with the provider, for HS256."""

    @model_validator(mode="after")
    def _one_key(self) -> "JwtEntry":
        if (self.jwks_url is None) == (self.secret is None):
            raise PydanticCustomError("jwt", "it needs either jwks_url or secret. Write one of them")
        return self


# --- the block ------------------------------------------------------------------------------------------------------


def _server_url(url: str) -> str:
    return check_url(url, ("ws", "wss", "http", "https"), "wss://livekit.example")


class TokenEntry(Entry):
    """`token:`, as a whole. The defaults are what a mint token may do where there is no such block."""

    server_url: Annotated[str, AfterValidator(_server_url)] | None = Field(
        default=None, description="Told to clients. Default: LIVEKIT_URL."
    )
    rooms: Pattern = Field(default="*", description="A glob of the rooms that may be asked for; {claim} is a claim of the JWT.")
    identities: Pattern | None = Field(
        default=None,
        description="A glob of the identities. Default: any for a mint token, {sub} for a JWT. None begins with agent-.",
    )
    room_config_agents: bool = Field(default=True, description="Whether callers may name agents, of those configured here.")
    dispatch_in_token: bool = Field(
        default=False,
        description="Whether CreateRoom and the token carry the agents, too, for LiveKit to dispatch them itself; they are"
        " adopted and verified all the same.",
    )
    ttl: Annotated[SomeSeconds, Field(le=LONGEST_TTL)] = Field(
        default=600.0, description="How long a token can be used to join."
    )
    rate: PerSecond = Field(default=10.0, description="Tokens per caller, counted by each replica for itself.")
    hold: Annotated[Seconds, Field(le=LONGEST_HOLD)] = Field(
        default=10.0, description="How long ?hold=verified waits for the agent at most. 0s: not at all."
    )
    cors: tuple[Origin, ...] = Field(
        default=(), description="Origins of the pages that may ask. With dev and without a list: those of this machine."
    )
    jwt: JwtEntry | None = Field(default=None, description="Whose JWTs are taken in place of a mint token.")

    @property
    def rooms_allowed(self) -> Allowed:
        return Allowed(self.rooms)

    def identities_allowed(self, claims: Claims | None) -> Allowed:
        """`claims` None: of a caller without any. Whoever has some is, unless this block says otherwise, who they say."""
        return Allowed(self.identities or ("*" if claims is None else "{sub}"))

    def told_to_clients(self, livekit_url: str) -> str:
        """Where clients connect, as they expect it: ws or wss."""
        url = self.server_url or livekit_url
        return f"ws{url.removeprefix('http')}" if url.startswith("http") else url

    @model_validator(mode="after")
    def _claims_of_somebody(self) -> "TokenEntry":
        for name, pattern in self._patterns():
            if pattern.claims and self.jwt is None:
                message = "it names a claim of a JWT, and no jwt is configured. Add one, or write * in its place"
                raise PydanticCustomError("claims", message, {"at": (name,)})
        return self

    def _patterns(self) -> Iterator[tuple[str, Allowed]]:
        yield "rooms", Allowed(self.rooms)
        if self.identities is not None:
            yield "identities", Allowed(self.identities)
