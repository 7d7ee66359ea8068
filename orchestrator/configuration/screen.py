"""The `screen:` block: who gets in without a token."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchestrator.configuration.entries import Entry

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

_MEANING_SOMETHING_ELSE: Final = frozenset({"authorization", "cookie", "host", "origin", "content-type", "x-rollcall-csrf"})

Network = IPv4Network | IPv6Network


def _header(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise PydanticCustomError("header", "it is no name of a header. Write it like X-Forwarded-User")
    if name.lower() in _MEANING_SOMETHING_ELSE:
        raise PydanticCustomError("header", "this header means something else. Take one such as X-Forwarded-User")
    return name


def _network(value: Any) -> Any:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        network = ip_network(value) if isinstance(value, str) else None
    except ValueError:
        network = None
    if network is None:
        raise PydanticCustomError("network", "it is no network of addresses. Write it like 10.0.0.0/8, or one address")
    if network.prefixlen == 0:
        raise PydanticCustomError(
            "network", "everybody in the world could say who they are. Write the addresses of your proxies"
        )
    return network


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _some(networks: tuple[Network, ...]) -> tuple[Network, ...]:
    if not networks:
        raise PydanticCustomError("networks", "it is empty. Write the addresses of your proxies")
    return networks


class ProxyEntry(Entry):
    """A proxy that lets nobody through whom it does not know, and says in a header who it is."""

    header: Annotated[str, AfterValidator(_header)] = Field(
        description="Holds the person's name. The proxy must take it out of what it is sent."
    )
    networks: Annotated[
        tuple[Annotated[Network, BeforeValidator(_network), WithJsonSchema({"type": "string"})], ...],
        BeforeValidator(_several),
        AfterValidator(_some),
    ] = Field(alias="from", description="The addresses of the proxy; the header counts from nowhere else.")
    scope: Literal["read", "operate"] = Field(
        "read", description="What whoever it lets through may: read, or operate, which includes read."
    )


class ScreenEntry(Entry):
    """`screen:`, as a whole."""

    proxy: ProxyEntry | None = Field(default=None, description="A proxy before this service that people log in to.")
