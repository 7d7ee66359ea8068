"""Webhooks without end: recorded lives of rooms, each with sids, event ids and signatures of its own."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.ports import LOOPBACK
from tests.samples import WEBHOOKS
from tests.samples.signing import signed

PATH = "/webhooks/livekit"

LIFE = tuple(sample for sample in WEBHOOKS if sample.content["room"].get("name") == "k1")
"""One whole life: the room starts, a person and an agent join and leave, the room finishes."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request, ready to be sent, but for its token."""

    event: str
    room: str
    sid: str
    body: bytes

    def headers(self) -> dict[str, str]:
        """As livekit-server sends them, signed now."""
        return {
            "Authorization": signed(self.body, time.time(), API_KEY, API_SECRET),
            "Content-Type": "application/webhook+json",
            "User-Agent": "Go-http-client/1.1",
        }

    def request(self) -> bytes:
        """All bytes of the HTTP request."""
        fields = {"Host": LOOPBACK, "Content-Length": str(len(self.body)), **self.headers(), "Accept-Encoding": "gzip"}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + self.body


def life(room: str | None = None) -> list[Webhook]:
    """The webhooks of one new room, in their order, as if they happened now."""
    mark = uuid.uuid4().hex[:12]
    room = room or f"bench-{mark}"
    return [_webhook(sample.content, room, mark) for sample in LIFE]


def of_event(webhooks: list[Webhook], event: str, *, agent: bool = False) -> Webhook:
    """The webhook of this event; `agent`: the one about the agent."""
    return next(one for one in webhooks if one.event == event and (b'"kind":"AGENT"' in one.body) == agent)


def rooms(count: int) -> list[list[bytes]]:
    """The requests of so many new rooms."""
    return [[webhook.request() for webhook in life()] for _ in range(count)]


def _webhook(recorded: Mapping[str, object], room: str, mark: str) -> Webhook:
    content = json.loads(json.dumps(recorded))
    now = time.time()
    content["id"] = f"EV_{uuid.uuid4().hex[:12]}"
    content["createdAt"] = str(int(now))
    sid = f"RM_{mark}"
    content["room"] |= {"name": room, "sid": sid, "creationTime": str(int(now)), "creationTimeMs": str(int(now * 1000))}
    if participant := content.get("participant"):
        participant["sid"] = f"{participant['sid'][:5]}{mark}"
        participant |= {"joinedAt": str(int(now)), "joinedAtMs": str(int(now * 1000))}
    # Spelled as the server spells it: a space after each comma.
    body = json.dumps(content, separators=(", ", ":"), ensure_ascii=False).encode()
    return Webhook(content["event"], room, sid, body)
