"""What there are alerts about: the closed list. Each type has how bad it is, what it means, and what to do.

What is said here is for the runbook; an alert's own sentences name the agent, the numbers and the times.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class AlertType(StrEnum):
    UNVERIFIED = "unverified"
    WEBHOOKS_SILENT = "webhooks_silent"
    LIVEKIT_REJECTED_CREDENTIALS = "livekit_rejected_credentials"
    LIVEKIT_UNREACHABLE = "livekit_unreachable"
    STORE_TROUBLE = "store_trouble"
    BREAKER_OPEN = "breaker_open"
    NO_WORKER_ANNOUNCED = "no_worker_announced"
    CANARY_FAILED = "canary_failed"
    SINK_DOWN = "sink_down"
    WATCHDOG = "watchdog"


class Severity(StrEnum):
    """How bad it is, the worst first."""

    CRITICAL = "critical"
    """People wait for an agent, or nobody could be given one: somebody gets up."""
    WARNING = "warning"
    """It still works, and will not for long, or not well: somebody looks today."""
    INFO = "info"


@dataclass(frozen=True, slots=True)
class About:
    severity: Severity
    meaning: str
    fix: str
    after: float | None = None
    """Seconds for which it must have been so before anybody is told; None: whoever finds it knows when."""


ABOUT: Final[dict[AlertType, About]] = {
    AlertType.UNVERIFIED: About(
        Severity.CRITICAL,
        "A room lacks an agent that it must have, and all attempts to bring one have failed.",
        "Read the cause in the alert, and what stands under that cause on this page.",
    ),
    AlertType.WEBHOOKS_SILENT: About(
        Severity.WARNING,
        "LiveKit lists rooms of which no webhook came. Rooms get their agents all the same, only later: at the next listing.",
        "Check LiveKit's `webhook.urls` and `webhook.api_key`, and whether its servers reach this service.",
    ),
    AlertType.LIVEKIT_REJECTED_CREDENTIALS: About(
        Severity.CRITICAL,
        "LiveKit refuses our API key. No room gets an agent until it takes the key.",
        "Compare LIVEKIT_API_KEY and LIVEKIT_API_SECRET with the keys of the LiveKit server or project.",
    ),
    AlertType.LIVEKIT_UNREACHABLE: About(
        Severity.CRITICAL,
        "LiveKit's API answers no call. New rooms get no agents until it does; calls that have theirs go on.",
        "Check that LiveKit runs and that LIVEKIT_URL is reached from where Rollcall runs.",
        after=30.0,
    ),
    AlertType.STORE_TROUBLE: About(
        Severity.CRITICAL,
        "Redis does not answer. Nothing can be stored, so nothing is dispatched, and LiveKit's webhooks are answered 503 "
        "until it does. Each replica tells this by itself, since what they share is away.",
        "Check that Redis runs, has memory and disk left, and is reached from where Rollcall runs.",
        after=30.0,
    ),
    AlertType.BREAKER_OPEN: About(
        Severity.WARNING,
        "Dispatches of this agent are lost one after the other, so only one at a time probes; the other rooms wait.",
        "Check the workers of the agent. The first that joins a room closes the breaker by itself.",
        after=60.0,
    ),
    AlertType.NO_WORKER_ANNOUNCED: About(
        Severity.WARNING,
        "Workers of a configured agent had announced themselves, and none of them is there any more.",
        "Start a worker with exactly this agent name; `GET /agents` tells when the last one was there.",
        after=60.0,
    ),
    AlertType.CANARY_FAILED: About(
        Severity.WARNING,
        "An agent was dispatched into a scratch room, several times in a row, and did not come, or did not answer. The next "
        "caller will most likely miss it, too. Only a canary that is well ends this.",
        "Read the cause in the alert, and what stands under that cause on this page; `rollcall canary AGENT` tries again.",
    ),
    AlertType.SINK_DOWN: About(
        Severity.WARNING,
        "A receiver of alerts accepts none. They are kept for a month and tried again all the time.",
        "Check the receiver, and its address and secret under `alerts` in rollcall.yaml; `rollcall alerts test` tries it.",
        after=60.0,
    ),
    AlertType.WATCHDOG: About(
        Severity.INFO,
        "A sign of life, sent all the time on the way of all alerts. It is its absence that should wake somebody.",
        "Nothing is wrong when it comes. When it stops, check that Rollcall and Redis run and reach the receiver.",
    ),
}


def runbook_anchor(alert_type: AlertType) -> str:
    """The fragment under which the runbook of an alert is found; causes have theirs without the prefix."""
    return "alert-" + alert_type.value.replace("_", "-")


def alert_id(incident: str, status: str) -> str:
    """The id of the alert that tells of an incident's beginning (`firing`) or of its end (`resolved`)."""
    return f"{incident}/{status}"
