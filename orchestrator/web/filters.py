"""What may be asked of the list of sessions, read from a query string; whatever else is asked is refused by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from multidict import MultiMapping
from pydantic_core import PydanticCustomError

from orchestrator.configuration.values import duration
from orchestrator.core.causes import Cause
from orchestrator.core.session import SessionState
from orchestrator.runtime.ports import RollcallError

MOST: Final = 100
"""Sessions on one page: each is shown whole, and a page must not hold up the event loop."""

USUAL: Final = 50

PARAMETERS: Final = ("state", "agent", "cause", "age", "cursor", "limit")

E = TypeVar("E", bound=StrEnum)


class BadFilter(RollcallError):
    """`detail` says what is wrong with `parameter`; `allowed` lists what it may be, where that is a list."""

    def __init__(self, parameter: str, detail: str, allowed: Iterable[str] | None = None) -> None:
        super().__init__(detail)
        self.parameter = parameter
        self.detail = detail
        self.allowed = None if allowed is None else tuple(allowed)


@dataclass(frozen=True, slots=True)
class Filters:
    state: SessionState | None = None
    agent_name: str | None = None
    cause: Cause | None = None
    older_than: float | None = None
    """Seconds since the session's start, at the least."""
    cursor: str | None = None
    limit: int = USUAL


def read_filters(query: MultiMapping[str]) -> Filters:
    """Raises BadFilter. A parameter without a value is as good as none: so do forms leave fields empty."""
    given: dict[str, str] = {}
    for name, value in query.items():
        if name not in PARAMETERS:
            raise BadFilter(name, "There is no such parameter.", PARAMETERS)
        if name in given:
            raise BadFilter(name, "It is given twice.")
        given[name] = value
    return Filters(
        state=_one_of(SessionState, "state", given.get("state")),
        agent_name=_text("agent", given.get("agent")),
        cause=_one_of(Cause, "cause", given.get("cause")),
        older_than=_age(given.get("age")),
        cursor=_text("cursor", given.get("cursor")),
        limit=_limit(given.get("limit")),
    )


def read_paging(query: MultiMapping[str]) -> tuple[str | None, int]:
    """The cursor and the limit of a list that has no filters. Raises BadFilter."""
    for name in query:
        if name not in ("cursor", "limit"):
            raise BadFilter(name, "There is no such parameter.", ("cursor", "limit"))
        if len(query.getall(name)) > 1:
            raise BadFilter(name, "It is given twice.")
    return _text("cursor", query.get("cursor")), _limit(query.get("limit"))


def _one_of(kind: type[E], parameter: str, value: str | None) -> E | None:
    if not value:
        return None
    if value not in {member.value for member in kind}:
        raise BadFilter(parameter, "There is no such value.", (member.value for member in kind))
    return kind(value)


def _text(parameter: str, value: str | None) -> str | None:
    if not value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadFilter(parameter, "It is no UTF-8.") from None
    return value


def _age(value: str | None) -> float | None:
    if not value:
        return None
    try:
        return duration(value)
    except PydanticCustomError:
        raise BadFilter("age", "It is no duration. Write a number with ms, s, m, h or d: 90s, 1.5h.") from None


def _limit(value: str | None) -> int:
    if not value:
        return USUAL
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(MOST)) and 1 <= int(value) <= MOST):
        raise BadFilter("limit", f"It must be a whole number from 1 to {MOST}.")
    return int(value)
