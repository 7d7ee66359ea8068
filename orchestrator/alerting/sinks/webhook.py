"""Alerts as signed webhooks, as the Standard Webhooks specification says: receivers have libraries in many languages."""

import hashlib
from datetime import UTC, datetime
from typing import Final

import aiohttp
from standardwebhooks import Webhook

from orchestrator.alerting.body import body
from orchestrator.alerting.ports import NotAccepted
from orchestrator.runtime.ports import Alert, Clock

TIMEOUT: Final = 10.0
"""Seconds for the whole exchange, the first connection included."""

_ACCEPTED: Final = range(200, 300)


class WebhookSink:
    """Posts alerts to one URL. `secret` is `whsec_` and the base64 of the key."""

    def __init__(self, name: str, url: str, secret: str, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._name = name
        self._url = url
        self._signer = Webhook(secret)
        self._http = http
        self._clock = clock

    @property
    def name(self) -> str:
        return self._name

    async def send(self, alert: Alert) -> None:
        """Any 2xx is an acceptance, and nothing else: redirects are not followed, for they may lead anywhere."""
        content = body(alert)
        try:
            async with self._http.post(
                self._url,
                data=content.encode(),
                headers=self._headers(alert, content),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                allow_redirects=False,
            ) as response:
                status = response.status
        except TimeoutError as error:
            raise NotAccepted(f"no answer within {TIMEOUT:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            # By its kind alone: the texts of some hold the URL, and so the secret that may be in it.
            raise NotAccepted(type(error).__name__) from error
        if status not in _ACCEPTED:
            raise NotAccepted(f"HTTP {status}")

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
