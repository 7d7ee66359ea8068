"""The HTTP service in front of one replica: which handler stands behind which route, and what it is given."""

import secrets
from functools import partial
from importlib.metadata import version
from typing import Final

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from orchestrator.behind import Behind
from orchestrator.configuration.credentials import Scope
from orchestrator.configuration.requests import requested_placement
from orchestrator.core.facts import Source
from orchestrator.livekit.grants import GrantedTokens
from orchestrator.observability.measured_transcripts import MeasuredTranscripts
from orchestrator.screen import Screen
from orchestrator.store.audit import AuditLog
from orchestrator.store.open_incidents import OpenIncidents
from orchestrator.store.repeats import RepeatedRequests
from orchestrator.store.transcripts import Transcripts
from orchestrator.web import agents, debug, token_outcomes, webhooks
from orchestrator.web.admission import Admission
from orchestrator.web.attempts import Attempts
from orchestrator.web.auth import Bearers
from orchestrator.web.callers import Callers
from orchestrator.web.canaries import CanaryParts, canary_routes
from orchestrator.web.command_ports import CommandParts
from orchestrator.web.commands import Commands
from orchestrator.web.cors import Cors
from orchestrator.web.identity_provider import IdentityProvider
from orchestrator.web.incidents import IncidentParts, incident_routes
from orchestrator.web.links import Links
from orchestrator.web.operation_ports import OperationParts
from orchestrator.web.operation_table import operation_routes
from orchestrator.web.pausing import PausingParts, pausing_routes
from orchestrator.web.ratelimit import RateLimit
from orchestrator.web.routes import Route
from orchestrator.web.server import build_app, build_runner
from orchestrator.web.session_table import session_routes
from orchestrator.web.sessions import Sessions
from orchestrator.web.silences import SilenceParts, silence_routes
from orchestrator.web.table import routes_of
from orchestrator.web.token import TokenDoor, TokenParts, token_routes
from orchestrator.web.token_rules import Rules
from orchestrator.web.transcripts import TranscriptDoor

_NEW_NAME_BYTES: Final = 8
"""Of chance in a name that a caller leaves open: nobody guesses a room, and no two callers share one."""

_SILENCE_ID_BYTES: Final = 6
"""Enough for hundreds at a time, and short enough to be typed."""


class Front:
    """The HTTP service. To be made inside a running event loop, and closed."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        settings = behind.settings
        self._placement = partial(requested_placement, settings.agents, settings.default_policy, settings.metadata_limit)
        self._audit = AuditLog(behind.connection, behind.keys)
        self._bearers = Bearers(settings.api_tokens, dev=settings.dev)
        provider = settings.token.jwt
        self._provider = None if provider is None else IdentityProvider(provider, behind.clock, behind.tasks.spawn)
        self._screen = Screen(behind, self._bearers, self._audit)
        app = build_app(self._routes(), bearers=self._bearers, version=version("rollcall"), entrance=self._screen.entrance)
        self._runner = build_runner(app)

    async def open(self) -> None:
        """Listen where the settings say."""
        self._screen.open()
        await self._runner.setup()
        await web.TCPSite(self._runner, self._behind.settings.host, self._behind.settings.port).start()

    def drain(self) -> None:
        """Let those go who follow what happens: they come again, to another replica."""
        self._screen.drain()

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._screen.close()
        if self._provider is not None:
            await self._provider.close()

    def _routes(self) -> tuple[Route, ...]:
        behind, settings = self._behind, self._behind.settings
        page = debug.debug_page(
            debug.FOLDER,
            dev=settings.dev,
            operators=any(token.scope is Scope.OPERATE for token in settings.api_tokens),
            livekit_urls=[settings.token.told_to_clients(settings.livekit_url)],
        )
        webhook_door = self._webhook_door()
        return (
            *routes_of(
                webhook_door.post,
                Sessions(behind.store, behind.clock, Links(settings.public_url, settings.runbook_url)),
                behind.readiness,
                make_aiohttp_handler(behind.metrics.registry),
            ),
            *self._routes_with_rules(),
            *self._agent_routes(),
            *debug.routes(page),
            *self._screen.routes(webhook_door),
            *operation_routes(self._operation_parts()),
            *self._alert_routes(),
        )

    def _agent_routes(self) -> tuple[Route, ...]:
        """Who answers to an agent name, whether somebody does when it is tried, and whether anybody may be sent."""
        behind, configured = self._behind, self._behind.settings.agents
        fleet, pauses, canaries = behind.runtime.fleet, behind.runtime.pauses, behind.canaries
        pausing = PausingParts(pauses, fleet, configured, self._audit, behind.clock, self._count_operation)
        return (
            *agents.routes(agents.Agents(fleet, configured, pauses.current, canaries)),
            *canary_routes(CanaryParts(canaries, canaries, fleet, configured, pauses.current, self._audit)),
            *pausing_routes(pausing),
        )

    def _alert_routes(self) -> tuple[Route, ...]:
        behind, alerts = self._behind, self._behind.alerts
        new_id = partial(secrets.token_hex, _SILENCE_ID_BYTES)
        incidents = OpenIncidents(behind.connection, behind.keys)
        return (
            *silence_routes(
                SilenceParts(alerts.silences, alerts.outbox, self._audit, behind.clock, new_id, self._count_operation)
            ),
            *incident_routes(IncidentParts(incidents, alerts.silences, alerts.sinks.telling.severity, behind.clock)),
        )

    def _webhook_door(self) -> webhooks.WebhookDoor:
        settings = self._behind.settings
        return webhooks.WebhookDoor(
            settings.webhook_secrets(),
            self._behind.runtime.intake,
            self._behind.clock,
            webhooks.WebhookLimits(
                body_bytes=settings.webhook_body_limit,
                body_seconds=settings.webhook_body_timeout,
                token_lifetime=settings.webhook_token_lifetime,
                token_leeway=settings.webhook_leeway,
            ),
            self._see_webhook,
        )

    def _see_webhook(self, seen: webhooks.Seen) -> None:
        self._behind.metrics.webhooks.labels(seen.outcome.value).inc()
        self._screen.note(seen)

    def _count_operation(self, command: str) -> None:
        """What an operator did that is no fact of a session: those are counted where they are folded."""
        self._behind.metrics.commands.labels(command, Source.OPERATOR.value).inc()

    def _count_token(self, outcome: token_outcomes.Outcome) -> None:
        self._behind.metrics.tokens.labels(outcome.value).inc()

    def _routes_with_rules(self) -> tuple[Route, ...]:
        """Those on which people ask who are no operators, and the other ones of the same handlers."""
        behind, entry = self._behind, self._behind.settings.token
        rules = Rules(entry, partial(secrets.token_hex, _NEW_NAME_BYTES))
        callers = Callers(self._bearers, self._provider)
        limit = RateLimit(entry.rate, behind.clock)
        cors = Cors(entry.cors, dev=behind.settings.dev, own=behind.settings.public_url)
        commands = Commands(self._command_parts(Admission(callers, limit, rules)))
        stored = Transcripts(behind.connection, behind.keys, behind.settings.transcript_memory)
        transcripts = MeasuredTranscripts(stored, behind.metrics)
        return (
            *token_outcomes.counted(token_routes(TokenDoor(self._token_parts(rules, callers, limit)), cors), self._count_token),
            *session_routes(commands, Attempts(behind.store), TranscriptDoor(behind.store, transcripts), cors),
        )

    def _command_parts(self, admission: Admission) -> CommandParts:
        behind = self._behind
        return CommandParts(
            store=behind.store,
            route=behind.route,
            doorkeeper=admission,
            intake=behind.runtime.intake,
            rooms=behind.runtime.rooms,
            repeats=RepeatedRequests(behind.connection, behind.keys),
            placement=self._placement,
            audit=self._audit,
            clock=behind.clock,
        )

    def _operation_parts(self) -> OperationParts:
        runtime = self._behind.runtime
        return OperationParts(
            store=self._behind.store,
            wishes=runtime.intake,
            breakers=runtime.pacing,
            audit=self._audit,
            clock=self._behind.clock,
        )

    def _token_parts(self, rules: Rules, callers: Callers, limit: RateLimit) -> TokenParts:
        behind, settings = self._behind, self._behind.settings
        key, secret = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
        return TokenParts(
            rules=rules,
            dispatch_in_token=settings.token.dispatch_in_token,
            server_url=settings.token.told_to_clients(settings.livekit_url),
            callers=callers,
            limit=limit,
            rooms=behind.runtime.rooms,
            store=behind.store,
            intake=behind.runtime.intake,
            route=behind.route,
            placement=self._placement,
            minter=GrantedTokens(key, secret, settings.token.ttl),
            clock=behind.clock,
            trace=behind.trace,
        )
