"""What is wrong, or worth knowing, between settings that are right by themselves."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from orchestrator.configuration import apprise_url, traces
from orchestrator.configuration.checks import MetadataLimits, check, no_such_agent
from orchestrator.configuration.credentials import SHORT_TOKEN
from orchestrator.configuration.entries import SHORTEST_SECRET
from orchestrator.configuration.environment import variable
from orchestrator.configuration.problems import Finding, Severity
from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.settings.model import Configuration, Settings

DEVELOPMENT_PAIR: Final = ("devkey", "secret")
"""The API key and secret of `livekit-server --dev`, which everybody knows."""

_ORDERED: Final = (
    ("slots_floor", "slots_start"),
    ("slots_start", "slots_ceiling"),
    ("metadata_warning", "metadata_limit"),
    ("lease_renewal", "lease_fence"),
    ("lease_fence", "lease_ttl"),
)
"""Settings of which the first must not be more than the second."""

_REQUIRED: Final = ("livekit_url", "livekit_api_key", "livekit_api_secret")

_OTLP_OVER_GRPC: Final = 4317

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def findings_of_configuration(configuration: Configuration) -> Iterator[Finding]:
    """Of what the file, or everything together, says."""
    limits = MetadataLimits(configuration.metadata_warning, configuration.metadata_limit)
    yield from check(configuration.agents, configuration.routes, limits)
    yield from _out_of_order(configuration)
    yield from _weak_secret(configuration)
    yield from _keys_twice(configuration)
    yield from _alerts_without_after(configuration)
    yield from _canaries(configuration)
    yield from _apprise_urls(configuration)


def findings_of_settings(settings: Settings) -> Iterator[Finding]:
    """Of what the service is to be started with: as above, and that nothing is missing."""
    yield from findings_of_configuration(settings)
    for name in _REQUIRED:
        if not getattr(settings, name):
            fix = f"Set the environment variable {variable(name)}, or {name} in rollcall.yaml."
            yield Finding((name,), "It is not set, or empty.", fix)
    yield from _open_doors(settings)
    yield from _without_apprise(settings)
    yield from _traces(settings)


def _out_of_order(configuration: Configuration) -> Iterator[Finding]:
    for smaller, larger in _ORDERED:
        low, high = getattr(configuration, smaller), getattr(configuration, larger)
        if low > high:
            # Shown where somebody wrote one of the two; the other one may be a default.
            written = smaller if smaller in configuration.model_fields_set else larger
            message = f"{smaller} ({low:g}) must not be more than {larger} ({high:g})."
            yield Finding((written,), message, "Change one of them.")


def _weak_secret(configuration: Configuration) -> Iterator[Finding]:
    secret = configuration.livekit_api_secret.get_secret_value()
    if (configuration.livekit_api_key, secret) == DEVELOPMENT_PAIR:
        if not configuration.dev:
            message = "devkey and secret are what `livekit-server --dev` uses, and everybody knows them."
            fix = f"Set a secret of at least {SHORTEST_SECRET} characters, or add --dev on your own machine."
            yield Finding(("livekit_api_secret",), message, fix)
    elif 0 < len(secret) < SHORTEST_SECRET:
        message = f"The secret has {len(secret)} characters, and needs at least {SHORTEST_SECRET}."
        fix = "Make one with `openssl rand -hex 32`, and give the same to livekit-server."
        yield Finding(("livekit_api_secret",), message, fix)


def _keys_twice(configuration: Configuration) -> Iterator[Finding]:
    seen = {configuration.livekit_api_key}
    for index, entry in enumerate(configuration.keys):
        if entry.key in seen:
            message = f'The key "{entry.key}" has a secret already.'
            yield Finding(("keys", index, "key"), message, "Keep one of them.")
        seen.add(entry.key)


def _open_doors(settings: Settings) -> Iterator[Finding]:
    if settings.dev and settings.host not in _LOOPBACK:
        message = f"With --dev nobody is asked for a token, and {settings.host} can be reached from other machines."
        yield Finding(("host",), message, severity=Severity.WARNING)
    if not settings.dev and not settings.api_tokens:
        message = "No API tokens are set: sessions and metrics answer 401 to everybody."
        fix = f"Set {variable('api_tokens')}=read:<token>,operate:<token>."
        yield Finding(("api_tokens",), message, fix, Severity.WARNING)
    for token in settings.api_tokens:
        if len(token.token.get_secret_value()) < SHORT_TOKEN:
            message = f"The token of scope {token.scope} has fewer than {SHORT_TOKEN} characters and can be guessed."
            yield Finding(("api_tokens",), message, "Make one with `openssl rand -hex 32`.", Severity.WARNING)


def _alerts_without_after(configuration: Configuration) -> Iterator[Finding]:
    for kind, policy in configuration.alert_policy.items():
        if policy.after is not None and ABOUT[kind].after is None:
            fix = "Take it out." if kind is not AlertType.UNVERIFIED else "Write the agent's policy.deadline instead."
            yield Finding(("alert_policy", kind.value, "after"), f"It is not told after a time of its own: {kind}.", fix)


def _canaries(configuration: Configuration) -> Iterator[Finding]:
    named = () if configuration.canary is None else configuration.canary.scheduled(configuration.agents)
    for index, name in enumerate(named):
        if name not in configuration.agents:
            yield no_such_agent(("canary", "agents", index), name, configuration.agents)


def _without_apprise(settings: Settings) -> Iterator[Finding]:
    """Of the machine, and not of the file, which may be checked on another one."""
    for index, entry in enumerate(settings.alerts):
        if entry.apprise is not None and not apprise_url.installed():
            fix = "Install it with `pip install '.[apprise]'` in a checkout, or tell people by a webhook or an Alertmanager."
            yield Finding(("alerts", index, "apprise"), "The package apprise is not installed.", fix)


def _apprise_urls(configuration: Configuration) -> Iterator[Finding]:
    """As far as apprise is there to be asked."""
    for index, entry in enumerate(configuration.alerts):
        if entry.apprise is None or not apprise_url.installed():
            continue
        try:
            apprise_url.notifier(entry.apprise.url.get_secret_value(), redirects=entry.anywhere)
        except apprise_url.NotUnderstood:
            fix = "Compare it with what apprise's documentation says of this service."
            yield Finding(("alerts", index, "apprise", "url"), "Apprise does not understand this URL.", fix)


def _traces(settings: Settings) -> Iterator[Finding]:
    if settings.traces_endpoint is None:
        return
    written = (
        "otel_exporter_otlp_traces_endpoint" if settings.otel_exporter_otlp_traces_endpoint else "otel_exporter_otlp_endpoint"
    )
    if not traces.installed():
        fix = "Install it with `pip install '.[otel]'` in a checkout, or set OTEL_TRACES_EXPORTER=none."
        yield Finding((written,), "Traces are to be sent there, and the packages of OpenTelemetry are not installed.", fix)
    elif urlsplit(settings.traces_endpoint).port == _OTLP_OVER_GRPC:
        message = f"Port {_OTLP_OVER_GRPC} is mostly OTLP over gRPC, and traces are sent over HTTP."
        yield Finding((written,), message, "Collectors take that on port 4318.", Severity.WARNING)
