"""The token door of one test: real rules, real rooms and real tokens, on a LiveKit and a store in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from livekit.api.access_token import Claims, TokenVerifier

from orchestrator.configuration.entries import AgentEntry
from orchestrator.configuration.requests import requested_placement
from orchestrator.configuration.token import TokenEntry
from orchestrator.core.facts import CandidateSpec, Fact, PlacementSpec, RoomOpened, Routed
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session
from orchestrator.livekit.grants import GrantedTokens
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.rooms import Rooms
from orchestrator.runtime.tasks import Tasks
from orchestrator.web.auth import Bearers
from orchestrator.web.callers import Callers
from orchestrator.web.cors import Cors
from orchestrator.web.identity_provider import IdentityProvider
from orchestrator.web.ratelimit import RateLimit
from orchestrator.web.server import build_app
from orchestrator.web.token import TokenDoor, TokenParts, token_routes
from orchestrator.web.token_rules import Rules
from orchestrator.web.token_trace import Tracing
from tests.fakes.livekit import FakeLiveKit
from tests.fakes.store import Line, MemoryStore, Server
from tests.integration.web.door import TOKENS, StillClock

KEY = "APIkey"
SECRET = "a-secret-of-at-least-thirty-two-characters"
MINT = {"Authorization": "Bearer a-token-to-mint"}

AGENTS = {
    "mary": AgentEntry(metadata={"persona": "mary", "voice": "low"}, fallback=("ann",)),
    "tom": AgentEntry(metadata={"persona": "tom"}),
    "ann": AgentEntry(),
    "": AgentEntry(),
}

NOBODY = Routed((), "no route")


def of_route(*placements: tuple[str, str], fallback: str | None = None) -> Routed:
    """A route that places these agents with this metadata."""
    others = () if fallback is None else (CandidateSpec(fallback),)
    return Routed(
        tuple(PlacementSpec((CandidateSpec(name, metadata), *others), Policy()) for name, metadata in placements), "routes[0]"
    )


class Entrance:
    """What `app` puts together, and the world that it stands in."""

    def __init__(
        self,
        *,
        dev: bool = False,
        own: str | None = None,
        route: Callable[[str, str], Routed] = lambda _room, _metadata: NOBODY,
        trace: Tracing = lambda _: nullcontext(),
        **entry: Any,
    ) -> None:
        self.clock = StillClock()
        self.server = Server(self.clock)
        self.store = MemoryStore(Line(self.server))
        self.heard: list[Fact] = []
        self.intake = Intake(self.store, "r1", wake=lambda _sid, _loaded: None)
        self.livekit = FakeLiveKit(self.clock, self._hear)
        self.tasks = Tasks(lambda _name, _error: None)
        self._made_up = itertools.count(1)
        token = TokenEntry.model_validate(entry)
        bearers = Bearers(TOKENS, dev=dev)
        self.provider = None if token.jwt is None else IdentityProvider(token.jwt, self.clock, self.tasks.spawn)
        parts = TokenParts(
            rules=Rules(token, lambda: f"{next(self._made_up):04x}"),
            dispatch_in_token=token.dispatch_in_token,
            server_url=token.told_to_clients("http://livekit.example:7880"),
            callers=Callers(bearers, self.provider),
            limit=RateLimit(token.rate, self.clock),
            rooms=Rooms(self.livekit),
            store=self.store,
            intake=self.intake,
            route=route,
            placement=partial(requested_placement, AGENTS, Policy(), 65_536),
            minter=GrantedTokens(KEY, SECRET, token.ttl),
            clock=self.clock,
            trace=trace,
        )
        routes = token_routes(TokenDoor(parts), Cors(token.cors, dev=dev, own=own))
        self.app = build_app(routes, bearers=bearers, version="1.2.3")
        self.app.on_cleanup.append(self._close)

    async def _close(self, _: object) -> None:
        await self.tasks.cancel()
        if self.provider is not None:
            await self.provider.close()

    async def _hear(self, opening: RoomOpened, fact: Fact) -> None:
        self.heard.append(fact)

    async def tell(self, opening: RoomOpened, *facts: Fact) -> None:
        """What the owner of the session, or LiveKit, has told."""
        await self.intake.receive(opening, facts, event_id=None)

    async def session(self, room: str) -> Session:
        """The session of a room that lives, as it is stored."""
        session = await self.store.read(self.livekit.living[room].room.sid)
        assert session is not None
        return session


def claims_of(body: dict[str, Any]) -> Claims:
    """What the token says, which is good."""
    return TokenVerifier(KEY, SECRET).verify(body["participant_token"])
