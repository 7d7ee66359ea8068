"""What may be asked of the list of sessions, read from a query string; whatever else is asked is refused by name."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic_core import PydanticCustomError

from orchestrator.configuration.values import duration
from orchestrator.core.causes import Cause
from orchestrator.core.session import SessionState
from orchestrator.runtime.ports import RollcallError
from orchestrator.web.problems import problem

MOST: Final = 100
"""Sessions on one page: each is shown whole, and a page must not hold up the event loop."""

USUAL: Final = 50

PAGING: Final = ("cursor", "limit")

PARAMETERS: Final = ("state", "agent", "cause", "age", "cursor", "limit")

NOT_OURS: Final = "It is none that this service has given out."
"""What is said of a cursor."""

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
    return filters_of(given_once(query, PARAMETERS))


def given_once(query: MultiMapping[str], allowed: Collection[str]) -> dict[str, str]:
    """What is given, each parameter once. Raises BadFilter."""
    given: dict[str, str] = {}
    for name, value in query.items():
        if name not in allowed:
            raise BadFilter(name, "There is no such parameter.", allowed)
        if name in given:
            raise BadFilter(name, "It is given twice.")
        given[name] = value
    return given


def filters_of(given: Mapping[str, str]) -> Filters:
    """Raises BadFilter."""
    return Filters(
        state=one_of(SessionState, "state", given.get("state")),
        agent_name=_text("agent", given.get("agent")),
        cause=one_of(Cause, "cause", given.get("cause")),
        older_than=_age(given.get("age")),
        cursor=_text("cursor", given.get("cursor")),
        limit=_limit(given.get("limit")),
    )


def read_paging(query: MultiMapping[str]) -> tuple[str | None, int]:
    """The cursor and the limit of a list that has no filters. Raises BadFilter."""
    return paging_of(given_once(query, PAGING))


def paging_of(given: Mapping[str, str]) -> tuple[str | None, int]:
    """The cursor and the limit. Raises BadFilter."""
    return _text("cursor", given.get("cursor")), _limit(given.get("limit"))


@contextmanager
def following(cursor: str | None) -> Iterator[None]:
    """Whoever reads the page behind a cursor raises ValueError for one that no page gave. Raises BadFilter then."""
    try:
        yield
    except ValueError as error:
        if cursor is None:
            raise
        raise BadFilter("cursor", NOT_OURS) from error


def bad_request(bad: BadFilter) -> web.Response:
    """The answer to a filter that is none."""
    if bad.allowed is None:
        return problem(400, "Bad Request", bad.detail, parameter=bad.parameter)
    return problem(400, "Bad Request", bad.detail, parameter=bad.parameter, allowed=list(bad.allowed))


def one_of(kind: type[E], parameter: str, value: str | None) -> E | None:
    """The member that the text names; None for no text. Raises BadFilter."""
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
