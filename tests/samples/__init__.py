"""Webhooks as livekit-server really sent them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

KEY: Final = "devkey"  # of the server that was recorded
SECRET: Final = "secretsecretsecretsecretsecretsecret"


@dataclass(frozen=True, slots=True)
class Sample:
    received: float
    token: str
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The body as an independent reader sees it."""
        content: dict[str, Any] = json.loads(self.body)
        return content

    def __str__(self) -> str:
        return f"{self.content['event']}-{self.content['id']}"


def _recorded() -> tuple[Sample, ...]:
    lines = Path(__file__).with_name("webhooks.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(
        Sample(line["received"], line["headers"]["Authorization"], line["body"].encode()) for line in map(json.loads, lines)
    )


WEBHOOKS: Final = _recorded()
