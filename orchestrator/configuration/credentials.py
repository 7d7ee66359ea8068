"""The bearer tokens of Rollcall's own API, as they are configured: `read:<token>,operate:<token>`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchestrator.configuration.problems import did_you_mean, listed

SHORT_TOKEN: Final = 16
"""Characters; a shorter token can be guessed."""


class Scope(StrEnum):
    """What a caller may do."""

    READ = "read"
    """See sessions."""
    OPERATE = "operate"
    """See and change them."""
    MINT = "mint"
    """Get tokens for LiveKit."""
    WORKER = "worker"
    """Report as a worker."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    scope: Scope
    token: SecretStr


def _api_tokens(value: Any) -> Any:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    pairs = value.split(",") if isinstance(value, str) else value
    if not isinstance(pairs, list | tuple) or not all(isinstance(pair, str | ApiToken) for pair in pairs):
        raise PydanticCustomError("api_tokens", "they must be written as read:<token>,operate:<token>")
    return tuple(pair if isinstance(pair, ApiToken) else _api_token(pair.strip()) for pair in pairs if pair)


def _api_token(pair: str) -> ApiToken:
    # Nothing of the pair is shown: who writes it the wrong way round has put the token where its scope should be.
    scope, colon, token = pair.partition(":")
    if not colon:
        raise PydanticCustomError("api_tokens", "a token lacks its scope. Write it as read:<token>")
    if scope not in set(Scope):
        hint = did_you_mean(scope, list(Scope))
        message = " ".join(filter(None, ["a token has no scope that exists.", hint, f"The scopes are {listed(Scope)}"]))
        raise PydanticCustomError("api_tokens", "{message}", {"message": message})
    if not token.strip():
        raise PydanticCustomError("api_tokens", "the token of scope {scope} is empty. Write {scope}:<token>", {"scope": scope})
    return ApiToken(Scope(scope), SecretStr(token.strip()))


ApiTokens = Annotated[
    tuple[ApiToken, ...],
    BeforeValidator(_api_tokens),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
