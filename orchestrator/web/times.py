"""Times as people and programs get them: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import PlainSerializer, WithJsonSchema

_LAST_SECOND: Final = 253_402_300_799.0
"""The end of the year 9999, the last that RFC 3339 can write: a time from outside may be any number."""


def rfc3339(seconds: float) -> str:
    """Unix seconds as `2026-11-21T08:19:00.123Z`."""
    moment = datetime.fromtimestamp(min(max(seconds, 0.0), _LAST_SECOND), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[float, PlainSerializer(rfc3339), WithJsonSchema({"type": "string", "format": "date-time"})]
"""Unix seconds inside, RFC 3339 outside."""
