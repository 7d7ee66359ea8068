"""The `alerts:` block: who is told, of what, and by which way."""

import base64
import binascii
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from orchestrator.configuration.entries import Entry, check_url
from orchestrator.configuration.values import Seconds, SomeSeconds
from orchestrator.core.alerts import AlertType, Severity
from orchestrator.core.causes import Cause
from orchestrator.core.paging import Grouping
from orchestrator.core.patterns import PatternError, glob
from orchestrator.core.silences import AlertMatch

_SHORTEST_WEBHOOK_SECRET: Final = 24
"""Bytes, as the Standard Webhooks specification says."""


# --- where to ---------------------------------------------------------------------------------------------------------


def _check_webhook_secret(secret: SecretStr) -> SecretStr:
    prefix, _, encoded = secret.get_secret_value().partition("_")
    try:
        strong = prefix == "whsec" and len(base64.b64decode(encoded, validate=True)) >= _SHORTEST_WEBHOOK_SECRET
    except binascii.Error:
        strong = False
    if not strong:
        message = "the secret must be whsec_ and the base64 of at least {least} bytes, as `openssl rand -base64 32` makes it"
        raise PydanticCustomError("webhook_secret", message, {"least": _SHORTEST_WEBHOOK_SECRET})
    return secret


def _check_hook(url: str) -> str:
    return check_url(url, ("http", "https"), "https://alerts.example/hook")


def _check_alertmanager(url: str) -> str:
    return check_url(url, ("http", "https"), "http://alertmanager:9093").rstrip("/")


def _check_apprise(url: SecretStr) -> SecretStr:
    """Only its form: what each of apprise's schemes wants is known to apprise, which need not be installed here."""
    scheme, colon, rest = url.get_secret_value().partition("://")
    if not colon or not scheme or not rest.strip():
        raise PydanticCustomError("apprise", "it is no URL of apprise. Write it like slack://tokenA/tokenB/tokenC/#on-call")
    return url


class WebhookEntry(Entry):
    """Where alerts are posted to, signed as Standard Webhooks says."""

    url: Annotated[str, AfterValidator(_check_hook)]
    """Of the receiver."""
    secret: Annotated[SecretStr, AfterValidator(_check_webhook_secret)]
    """By which the receiver knows us: whsec_ and the base64 of at least 24 bytes."""


class AlertmanagerEntry(Entry):
    """An Alertmanager of Prometheus, by its v2 API. What fires is sent again every minute until it is resolved."""

    url: Annotated[str, AfterValidator(_check_alertmanager)]
    """Of the Alertmanager, without /api."""


class AppriseEntry(Entry):
    """Slack, PagerDuty, mail and what else apprise knows. The URL is a secret: it holds the tokens."""

    url: Annotated[SecretStr, AfterValidator(_check_apprise)]
    """As apprise writes it, such as slack://tokenA/tokenB/tokenC/#on-call."""


# --- of what ----------------------------------------------------------------------------------------------------------


def _one_or_several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _check_glob(text: str) -> str:
    try:
        glob(text)
    except PatternError as error:
        raise PydanticCustomError("pattern", "{error}", {"error": str(error)}) from None
    return text


def _written(items: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [items, {"type": "array", "items": items, "minItems": 1}]})


_Globs = Annotated[
    tuple[Annotated[str, AfterValidator(_check_glob)], ...],
    BeforeValidator(_one_or_several),
    Field(min_length=1),
    _written({"type": "string"}),
]
_Causes = Annotated[
    tuple[Cause, ...], BeforeValidator(_one_or_several), Field(min_length=1), _written({"enum": [c.value for c in Cause]})
]
_Types = Annotated[
    tuple[AlertType, ...],
    BeforeValidator(_one_or_several),
    Field(min_length=1),
    _written({"enum": [t.value for t in AlertType]}),
]


class MatchEntry(Entry):
    """What an alert must be for this sink to be told of it: each that is written must hold."""

    type: _Types | None = None
    """What the alert is about."""
    agent: _Globs | None = None
    """Globs of agent names. An alert that is about no agent has none, and is not matched."""
    room: _Globs | None = None
    """Globs of room names."""
    cause: _Causes | None = None
    """Why the agent did not come."""

    @cached_property
    def compiled(self) -> AlertMatch:
        return AlertMatch(**{name: getattr(self, name) for name in type(self).model_fields})


class SinkMatchEntry(MatchEntry):
    """What an alert must be for this sink to be told of it: each that is written must hold."""

    route: _Globs | None = None
    """Globs of what a session says of its route: `routes[0] *`, or `*support-*` for a route of such rooms."""


class GroupEntry(Entry):
    """Many rooms that lack the same agent for the same cause are one page."""

    wait: Seconds = 5.0
    """From the first of them to the page: what comes in between is in it."""
    interval: SomeSeconds = 300.0
    """At the least between two counts of a page that grows."""


def _group(value: Any) -> Any:
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict | GroupEntry):
        raise PydanticCustomError("group", "it must be true, false, or keys with values: {wait: 5s, interval: 5m}")
    return value


class AlertEntry(Entry):
    """One sink, and what it is told."""

    webhook: WebhookEntry | None = None
    alertmanager: AlertmanagerEntry | None = None
    apprise: AppriseEntry | None = None
    match: SinkMatchEntry = Field(default_factory=SinkMatchEntry)
    severity: Severity = Severity.INFO
    """As bad as this, or worse."""
    watchdog: bool = False
    """Whether it is sent a Watchdog every minute, whatever the rest says."""
    group: Annotated[GroupEntry | None, BeforeValidator(_group, json_schema_input_type=GroupEntry | bool)] = None
    """Whether many rooms that lack the same agent for the same cause are one page, and when it is told. Left out: with apprise,
    whose messages people read. Alertmanager groups by itself."""
    anywhere: bool = False
    """Whether its address may be link-local or that of a cloud's metadata, and whether redirects are followed."""

    @model_validator(mode="after")
    def _one_sink(self) -> Self:
        written = [name for name in ("webhook", "alertmanager", "apprise") if getattr(self, name) is not None]
        if not written:
            raise PydanticCustomError("sink", "it says nobody to tell. Write one of webhook, alertmanager and apprise")
        if len(written) > 1:
            message = "it has both {first} and {second}. Give each an item of its own"
            raise PydanticCustomError("sink", message, {"first": written[0], "second": written[1], "at": (written[1],)})
        if self.alertmanager is not None and self.group:
            message = "alertmanager groups by itself: write group_by in its route, and leave group out here"
            raise PydanticCustomError("group", message, {"at": ("group",)})
        return self

    @property
    def grouping(self) -> Grouping | None:
        """How it groups; None: it does not."""
        entry = self.group
        if "group" not in self.model_fields_set and self.apprise is not None:
            entry = GroupEntry()
        return None if entry is None else Grouping(entry.wait, entry.interval)


# --- how bad, and after how long --------------------------------------------------------------------------------------


class AlertPolicyEntry(Entry):
    """Of one type of alert. What is left out is as the runbook says."""

    severity: Severity | None = None
    """How bad it is."""
    after: Seconds | None = None
    """For how long it must have been so. Only of what is about the service; a room's alert has its agent's deadline."""
