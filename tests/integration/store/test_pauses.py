"""PausedAgents: which agent names nobody is dispatched of, over all replicas."""

from __future__ import annotations

import pytest

from orchestrator.core.pauses import Pause
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.pauses import PausedAgents

PAUSE = Pause(1_000.5, 2_000.25, by="operate", reason="a bad release, \u00fcber Nacht")


@pytest.fixture
def pauses(connection: Connection, keys: Keys) -> PausedAgents:
    return PausedAgents(connection, keys)


async def test_a_pause_is_read_as_it_was_written_until_it_is_ended(pauses: PausedAgents) -> None:
    assert await pauses.look() == {}
    await pauses.pause("mary", PAUSE)
    await pauses.pause("", Pause(3.0))
    assert await pauses.look() == {"mary": PAUSE, "": Pause(3.0)}
    await pauses.resume("mary")
    assert await pauses.look() == {"": Pause(3.0)}


async def test_to_end_a_pause_that_nobody_made_is_no_error(pauses: PausedAgents) -> None:
    await pauses.resume("mary")
    assert await pauses.look() == {}


async def test_the_newest_pause_of_a_name_counts(pauses: PausedAgents) -> None:
    await pauses.pause("mary", PAUSE)
    await pauses.pause("mary", Pause(7.0, reason="again"))
    assert await pauses.look() == {"mary": Pause(7.0, reason="again")}


async def test_pauses_stay_for_as_long_as_somebody_reads_them(pauses: PausedAgents, connection: Connection, keys: Keys) -> None:
    await pauses.pause("mary", PAUSE)
    assert await connection.call("TTL", keys.pauses) > 86_400
    await connection.call("EXPIRE", keys.pauses, 5)
    await pauses.look()
    assert await connection.call("TTL", keys.pauses) > 86_400
