"""`rollcall replay`: recorded webhooks into the door of the service, in their order, signed anew."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from orchestrator.client.errors import CommandFailed
from orchestrator.client.printing import grid, show, show_json
from orchestrator.client.service import Service
from orchestrator.client.text import printable, room
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.exits import ExitCode
from orchestrator.sandbox.signing import Credentials
from orchestrator.settings import Settings

DOOR: Final = "/webhooks/livekit"
_MEDIA_TYPE: Final = "application/webhook+json"
_STANDARD_INPUT: Final = Path("-")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One webhook, and the line of the file that it stands in."""

    line: int
    event: str
    room: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Replayed:
    line: int
    event: str
    room: str
    status: int
    """What the service answered."""


def replay(service: Service, file: Path, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    recorded = list(_recorded(file))  # all of it is read before the first is sent
    if not recorded:
        raise CommandFailed(ExitCode.USAGE, f"{printable(str(file))} holds no webhook.")
    credentials = _credentials()
    answered = [_send(service, credentials, webhook) for webhook in recorded]
    refused = [webhook for webhook in answered if webhook.status != HTTPStatus.OK]
    if as_json:
        told = {"sent": len(answered), "refused": len(refused), "webhooks": [asdict(webhook) for webhook in answered]}
        show_json(json.dumps(told).encode())
    else:
        _show(answered, refused)
    return ExitCode.FAILED if refused else ExitCode.OK


def _show(answered: list[Replayed], refused: list[Replayed]) -> None:
    rows = grid(4)
    for webhook in answered:
        rows.add_row(str(webhook.status), f"line {webhook.line}", webhook.event, room(webhook.room))
    show(rows)
    statuses = Counter(webhook.status for webhook in refused)
    why = ", ".join(f"{count} with {status}" for status, count in statuses.items())
    show(f"{len(answered)} sent, {len(refused)} refused{': ' + why if why else ''}.")
    if HTTPStatus.UNAUTHORIZED in statuses:
        show("401: LIVEKIT_API_KEY and LIVEKIT_API_SECRET are no pair that the service accepts webhooks of.")


def _send(service: Service, credentials: Credentials, webhook: Recorded) -> Replayed:
    headers = {"Authorization": credentials.sign(webhook.body, time.time()), "Content-Type": _MEDIA_TYPE}
    reply = service.exchange("POST", DOOR, body=webhook.body, headers=headers)
    return Replayed(webhook.line, webhook.event, webhook.room, reply.status)


def _recorded(file: Path) -> Iterator[Recorded]:
    """Raises CommandFailed for a file that cannot be read, or a line that is no webhook."""
    try:
        text = sys.stdin.read() if file == _STANDARD_INPUT else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandFailed(ExitCode.USAGE, f"{printable(str(file))} cannot be read: {why}.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _webhook(number, line)


def _webhook(number: int, line: str) -> Recorded:
    """A line is a webhook's body, or an object with that text as its `body`. Raises CommandFailed."""
    said = _object(line)
    body = said.get("body", line) if said else None
    event = _object(body) if isinstance(body, str) else None
    if event is None or not isinstance(event.get("event"), str):
        fix = (
            'Each line must be the body of one webhook, or {"body": "…"} with it as text: a signature alone cannot be replayed.'
        )
        raise CommandFailed(ExitCode.USAGE, f"Line {number} is no recorded webhook.", fix)
    room = event.get("room")
    name = room.get("name") if isinstance(room, dict) else None
    return Recorded(number, printable(event["event"]), name if isinstance(name, str) else "", str(body).encode())


def _object(text: str) -> dict[str, Any] | None:
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _credentials() -> Credentials:
    """The pair with which LiveKit would sign. Raises CommandFailed when it is not in the environment."""
    environment = Settings.environment_source()
    try:
        key, secret = environment.value("livekit_api_key"), environment.value("livekit_api_secret")
    except ConfigurationError as error:
        raise CommandFailed(ExitCode.USAGE, " ".join(map(str, error.problems))) from None
    if not key or not secret:
        fix = "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair that the service accepts."
        raise CommandFailed(ExitCode.USAGE, "Recorded signatures have expired, and there is no key to sign anew with.", fix)
    return Credentials(key, secret)
