"""A redis-py client from a URL, with the options that the store relies on."""

from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio import Redis, Sentinel
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff

from orchestrator.store.packing import CONNECTIONS

SENTINEL: Final = "redis+sentinel"
_SENTINEL_PORT: Final = 26379


def open_client(url: str, timeout: float) -> Redis:
    """A client for redis://, rediss://, unix:// or redis+sentinel://host[:port][,host[:port]…]/<master>[/<db>].

    `timeout` bounds each step (connect, write, read) in seconds. Raises ValueError for any other URL.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),  # the default runs a script whose reply was lost up to ten times more
        "protocol": 2,  # RESP3 changes the shape of replies, and greets with commands that no Redis 7 knows
        "encoding_errors": "backslashreplace",  # a name from outside that is no text must not fail its pipeline
    }
    parts = urlsplit(url)
    if parts.scheme == SENTINEL:
        return _of_sentinel(parts, options)
    client = Redis.from_url(url, **options)
    # Not an option: from_url takes the class from the scheme alone.
    client.connection_pool.connection_class = CONNECTIONS[parts.scheme]
    return client


async def close_client(client: Redis) -> None:
    """Close the client, and those to the sentinels, which redis-py leaves open."""
    await client.aclose()
    if isinstance(client.connection_pool, SentinelConnectionPool):
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def _of_sentinel(url: SplitResult, options: dict[str, Any]) -> Redis:
    credentials, _, hosts = url.netloc.rpartition("@")
    username, _, password = (unquote(part) for part in credentials.partition(":"))
    master, _, database = url.path.strip("/").partition("/")
    if not hosts or not master:
        raise ValueError("a Sentinel URL reads redis+sentinel://host:port,host:port/master/db")
    addresses = [_address(host) for host in hosts.split(",")]
    sentinel = Sentinel(addresses, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
    client: Redis = sentinel.master_for(
        master, db=int(database or 0), username=username or None, password=password or None, **options
    )
    return client


def _address(host: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    return (name, int(port)) if colon else (host, _SENTINEL_PORT)
