"""Which checks there are, and what each of them needs of the others."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import aiohttp

from orchestrator.doctor import address, agents, canary, configuration, key_pair, redis, rights, service, webhooks
from orchestrator.doctor.agents import Announced
from orchestrator.doctor.canary import Canaries
from orchestrator.doctor.configuration import Configured
from orchestrator.doctor.examination import Check
from orchestrator.doctor.findings import Finding
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.doctor.service import Access, Service
from orchestrator.doctor.webhooks import RoundTrip
from orchestrator.runtime.ports import Clock, LiveKit
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks work with. `clock` is this machine's."""

    configured: Configured
    access: Access
    livekit: LiveKit
    scratch: ScratchRooms
    http: aiohttp.ClientSession
    clock: Clock

    @property
    def settings(self) -> Settings:
        if self.configured.settings is None:
            raise ValueError("there are no settings to examine anything with")
        return self.configured.settings


_ORDER = (address.NAME, key_pair.NAME, rights.NAME, redis.NAME, service.NAME, webhooks.NAME, agents.NAME, canary.NAME)


def without_settings(configured: Configured) -> list[Check]:
    """The configuration could not be read: all else is skipped."""
    rest = (Check(name, _nothing, needs=(configuration.NAME,)) for name in _ORDER)
    return [_said(configured), *rest]


def checks(given: Surroundings, only_agents: tuple[str, ...], *, canary: bool) -> list[Check]:
    """All checks, each after those that it needs. `only_agents` limits the canaries, if there are to be any."""
    return [
        _said(given.configured),
        *_of_livekit(given),
        Check(redis.NAME, lambda: redis.examine_redis(given.settings)),
        *_of_service(given, only_agents if canary else None),
    ]


def _said(configured: Configured) -> Check:
    async def repeat() -> list[Finding]:
        return list(configured.findings)

    return Check(configuration.NAME, repeat)


async def _nothing() -> list[Finding]:
    return []


def _of_livekit(given: Surroundings) -> Iterator[Check]:
    settings, http, clock = given.settings, given.http, given.clock
    url, key, secret = settings.livekit_url, settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
    # What is not set was found by the check of the configuration, which has failed then.
    needs_url = () if url else (configuration.NAME,)
    needs_pair = () if key and secret else (configuration.NAME,)
    yield Check(address.NAME, lambda: address.examine_address(url, http, clock), needs_url)
    examine_pair = lambda: key_pair.examine_key_pair(url, key, secret, http, clock)  # noqa: E731 - as all others
    yield Check(key_pair.NAME, examine_pair, (*needs_pair, address.NAME))
    yield Check(rights.NAME, lambda: rights.examine_rights(given.livekit, given.scratch), (key_pair.NAME,))


def _of_service(given: Surroundings, only_agents: tuple[str, ...] | None) -> Iterator[Check]:
    found = Service(given.access, given.http)
    announced = Announced(found)
    trip = RoundTrip(given.settings, given.scratch, found, given.clock)
    yield Check(service.NAME, found.examine)
    yield Check(webhooks.NAME, trip.examine, (rights.NAME, service.NAME))
    # What the routes come to is known only of a configuration without errors.
    whole = not any(finding.status == "failed" for finding in given.configured.findings)
    wanted = canary.wanted(given.settings) if whole else ()
    needed = (configuration.NAME, service.NAME)
    yield Check(agents.NAME, lambda: announced.examine(wanted, given.settings.agents), needed)
    if only_agents is None:
        return
    canaries = Canaries(given.settings, given.livekit, given.scratch, announced, given.clock)
    for name in canary.names(given.settings, only_agents):
        yield Check(
            canary.NAME,
            _of_agent(canaries, name),
            needs=(configuration.NAME, rights.NAME),
            after=(agents.NAME,),
            subject=name,
        )


def _of_agent(canaries: Canaries, name: str) -> Callable[[], Awaitable[list[Finding]]]:
    return lambda: canaries.examine(name)
