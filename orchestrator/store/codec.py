"""Records and facts as bytes: JSON, so that an on-call person can read them with redis-cli.

What has its default is left out, and a field that is missing gets its default: records stay small, and a field that is
new needs no new schema version. A default that changes its value does need one, and so does a fact that changes its
name. Fields that this version does not know are skipped: a newer replica may have written them.
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any, Final, TypeVar, get_args

import msgspec

from orchestrator.core.canary import Canary
from orchestrator.core.facts import Fact, PersonJoined, PersonLeft
from orchestrator.core.paging import Page
from orchestrator.core.session import SCHEMA_VERSION, Session
from orchestrator.core.silences import Silence
from orchestrator.core.transcript import Said
from orchestrator.runtime.ports import Alert, Delivered, ScratchRoom, StoreCorrupt

T = TypeVar("T")

_FACTS: Final[dict[str, type]] = {kind.__name__: kind for kind in get_args(Fact)}


@dataclass(frozen=True, slots=True)
class _Record:
    """The envelope of a stored session."""

    version: int
    session: msgspec.Raw


def encode_session(session: Session) -> bytes:
    return _to_json({"version": SCHEMA_VERSION, "session": _sparse(session)})


def decode_session(record: bytes) -> Session:
    """Reads this schema version and the one before. Raises StoreCorrupt."""
    envelope = _from_json(_Record, record)
    if envelope.version not in (SCHEMA_VERSION, SCHEMA_VERSION - 1):
        raise StoreCorrupt(f"the record has schema version {envelope.version}; this replica reads {SCHEMA_VERSION}")
    return _from_json(Session, envelope.session)


def encode_fact(fact: Fact) -> bytes:
    """The name of the fact's type, a space, its fields."""
    return type(fact).__name__.encode() + b" " + _to_json(_sparse(fact))


def decode_fact(fact: bytes) -> Fact:
    """Raises StoreCorrupt, also for a kind of fact that only newer versions know."""
    name, _, body = fact.partition(b" ")
    kind = _FACTS.get(name.decode("utf-8", "replace"))
    if kind is None:
        raise StoreCorrupt(f"no fact is called {name[:40]!r}")
    decoded: Fact = _from_json(kind, body)
    return decoded


def decode_delivered(entry: bytes) -> Delivered:
    """An entry of an inbox: the time in ms, the count of people (or nothing), the fact. Raises StoreCorrupt."""
    try:
        at, people, body = entry.split(b" ", 2)
        stored_at, count = int(at) / 1000, int(people) if people else None
    except ValueError as error:
        raise StoreCorrupt("an entry of the inbox is none") from error
    fact = decode_fact(body)
    if count is not None and isinstance(fact, PersonJoined | PersonLeft):
        fact = replace(fact, people=count)
    return Delivered(fact, stored_at)


def encode_alert(alert: Alert) -> bytes:
    return _to_json(_sparse(alert))


def decode_alert(body: bytes) -> Alert:
    """Raises StoreCorrupt."""
    return _from_json(Alert, body)


def encode_page(page: Page) -> bytes:
    return _to_json(_sparse(page))


def decode_page(body: bytes) -> Page:
    """Raises StoreCorrupt."""
    return _from_json(Page, body)


def encode_silence(silence: Silence) -> bytes:
    return _to_json(_sparse(silence))


def decode_silence(body: bytes) -> Silence:
    """Raises StoreCorrupt."""
    return _from_json(Silence, body)


def encode_canary(canary: Canary) -> bytes:
    return _to_json(_sparse(canary))


def decode_canary(body: bytes) -> Canary:
    """Raises StoreCorrupt."""
    return _from_json(Canary, body)


def encode_scratch_room(room: ScratchRoom) -> bytes:
    return _to_json(_sparse(room))


def decode_scratch_room(body: bytes) -> ScratchRoom:
    """Raises StoreCorrupt."""
    return _from_json(ScratchRoom, body)


def encode_said(said: Said) -> bytes:
    return _to_json(_sparse(said))


def decode_said(body: bytes) -> Said:
    """Raises StoreCorrupt."""
    return _from_json(Said, body)


_to_json = msgspec.json.Encoder().encode


def _from_json(kind: type[T], document: bytes | msgspec.Raw) -> T:
    try:
        decoded: T = msgspec.json.decode(document, type=kind)
    except msgspec.DecodeError as error:  # the parent of ValidationError
        raise StoreCorrupt(f"stored {kind.__name__} cannot be read: {error}") from error
    return decoded


def _sparse(value: Any) -> Any:
    """Dataclasses as dictionaries without what has its default; the rest as it is."""
    if type(value) is tuple:
        return [_sparse(item) for item in value]
    defaults = _defaults(type(value))  # type: ignore[arg-type]  # mypy asks the hash of a type of its instances
    if defaults is None:
        return value
    return {
        name: _sparse(item) for name, default in defaults if (item := getattr(value, name)) is not default and item != default
    }


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, object], ...] | None:
    """The fields of a dataclass with their defaults (MISSING equals nothing); None for what is no dataclass."""
    return tuple((field.name, field.default) for field in fields(kind)) if is_dataclass(kind) else None
