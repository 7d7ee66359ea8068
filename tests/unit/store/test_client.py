"""open_client: the URL decides where to, and never how often a script is run."""

from __future__ import annotations

from typing import cast

import pytest
from redis.asyncio import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from orchestrator.store.client import open_client


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:secret@store:6380/2",
        "rediss://store",
        "unix:///run/valkey.sock?db=1",
        "redis+sentinel://:secret@one:26379,two/rollcall/3",
    ],
)
def test_nothing_is_retried_behind_our_back(url: str) -> None:
    client = open_client(url, 2.0)
    options = client.connection_pool.connection_kwargs
    assert options["retry"].get_retries() == 0
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (2.0, 2.0)


def test_the_url_says_how_to_connect() -> None:
    assert issubclass(open_client("rediss://store", 2.0).connection_pool.connection_class, SSLConnection)
    unix = open_client("unix:///run/a%20b.sock?db=1", 2.0).connection_pool
    assert issubclass(unix.connection_class, UnixDomainSocketConnection)
    assert (unix.connection_kwargs["path"], unix.connection_kwargs["db"]) == ("/run/a b.sock", 1)


def test_a_sentinel_url_names_sentinels_master_database_and_credentials() -> None:
    pool = open_client("redis+sentinel://user:p%40ss@one:26380,two/rollcall/3", 2.0).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "rollcall"
    options = pool.connection_kwargs
    assert (options["db"], options["username"], options["password"]) == (3, "user", "p@ss")
    addresses = [cast("SentinelConnectionPool", s.connection_pool).connection_kwargs for s in pool.sentinel_manager.sentinels]
    assert [(address["host"], address["port"]) for address in addresses] == [("one", 26380), ("two", 26379)]


@pytest.mark.parametrize(
    "url", ["", "http://store", "store:6379", "redis+sentinel://one", "redis+sentinel:///master", "redis://store:x"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        open_client(url, 2.0)


def test_commands_are_packed_as_redis_py_packs_them_also_what_is_no_text() -> None:
    pool = open_client("redis://store", 2.0).connection_pool
    connection = pool.connection_class(**pool.connection_kwargs)
    commands: list[tuple[str | bytes | float, ...]] = [("SET", "key", b"\x00\xff", 1, 1.5), ("GET", "half a pair \udc80")]
    theirs = [b"".join(AbstractConnection.pack_command(connection, *command)) for command in commands]
    assert b"".join(connection.pack_commands(commands)) == b"".join(theirs)
