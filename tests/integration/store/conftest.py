"""What the tests of the store share."""

from __future__ import annotations

import pytest

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.sessions import Retention, Sessions


@pytest.fixture
def other(connection: Connection, keys: Keys) -> Sessions:
    """The same sessions, as another replica sees them: it remembers nothing of the first."""
    return Sessions(connection, keys, Retention())


@pytest.fixture
def leases(connection: Connection, keys: Keys) -> ReplicaLeases:
    return ReplicaLeases(connection, keys)
