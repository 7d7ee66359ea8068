"""Logins: kept under a digest, for a while."""

from __future__ import annotations

import pytest

from orchestrator.core.login import Login
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.logins import Logins
from tests.e2e.harness.wait import wait_until

LOGIN = Login("bound", 1_000_000.5)


@pytest.fixture
def logins(connection: Connection, keys: Keys) -> Logins:
    return Logins(connection, keys)


async def test_a_login_is_found_by_its_digest_and_by_no_other(logins: Logins) -> None:
    await logins.add("a", LOGIN, seconds=60)
    assert await logins.find("a") == LOGIN
    assert await logins.find("b") is None


async def test_a_login_that_was_dropped_is_gone_and_may_be_dropped_again(logins: Logins) -> None:
    await logins.add("a", LOGIN, seconds=60)
    await logins.drop("a")
    await logins.drop("a")
    assert await logins.find("a") is None


async def test_a_login_ends_by_itself(logins: Logins) -> None:
    await logins.add("a", LOGIN, seconds=0.01)

    async def gone() -> bool:
        return await logins.find("a") is None

    await wait_until(gone, timeout=2, description="the login is gone")
