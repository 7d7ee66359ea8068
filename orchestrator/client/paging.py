"""Sessions, over as many pages as it takes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.client.answers import Session, Sessions, read
from orchestrator.client.service import Service

PAGE: Final = 100
"""Sessions that are asked for at once: the most that the service gives."""


@dataclass(frozen=True, slots=True)
class Page:
    sessions: tuple[Session, ...]
    told: tuple[dict[str, Any], ...]
    """The same, as the service has told them."""
    cursor: str | None
    """Where the next page begins; None: there is none."""


def pages(service: Service, filters: Mapping[str, str], limit: int | None = None) -> Iterator[Page]:
    """The newest first; `limit`: how many sessions at the most. Each page raises CommandFailed."""
    asked = dict(filters)
    left = limit
    while True:
        size = PAGE if left is None else min(left, PAGE)
        body = service.get("sessions", query={**asked, "limit": str(size)})
        answer = read(Sessions, body)
        yield Page(answer.sessions, tuple(json.loads(body)["sessions"]), answer.cursor)
        left = None if left is None else left - len(answer.sessions)
        if answer.cursor is None or (left is not None and left <= 0):
            return
        asked["cursor"] = answer.cursor
