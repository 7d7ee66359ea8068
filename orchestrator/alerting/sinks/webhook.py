"""Alerts as signed webhooks, as the Standard Webhooks specification says: receivers have libraries in many languages."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import aiohttp
from standardwebhooks import Webhook

from orchestrator.alerting.body import body
from orchestrator.alerting.posting import post
from orchestrator.core.alerts import Severity
from orchestrator.runtime.ports import Alert, Clock


class WebhookSink:
    """Posts alerts to one URL. `secret` is `whsec_` and the base64 of the key."""

    again: Final = None

    def __init__(
        self,
        name: str,
        url: str,
        secret: str,
        http: aiohttp.ClientSession,
        clock: Clock,
        *,
        severity: Callable[[Alert], Severity],
        redirects: bool = False,
    ) -> None:
        self._name = name
        self._url = url
        self._signer = Webhook(secret)
        self._http = http
        self._clock = clock
        self._severity = severity
        self._redirects = redirects

    @property
    def name(self) -> str:
        return self._name

    async def send(self, alert: Alert) -> None:
        """Any 2xx is an acceptance, and nothing else; redirects may lead anywhere, and are not followed unasked."""
        content = body(alert, self._severity(alert))
        await post(self._http, self._url, content.encode(), self._headers(alert, content), redirects=self._redirects)

    def _headers(self, alert: Alert, content: str) -> dict[str, str]:
        message_id, moment = webhook_id(alert), datetime.fromtimestamp(self._clock.now(), UTC)
        return {
            "Content-Type": "application/json",
            "User-Agent": "rollcall",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": self._signer.sign(message_id, moment, content),
        }


def webhook_id(alert: Alert) -> str:
    """The same for every delivery of an alert. Agent names are in the alert's own id, and need not fit into a header."""
    return "msg_" + hashlib.sha256(alert.id.encode()).hexdigest()[:32]
