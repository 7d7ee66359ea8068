"""Connections that are not made to link-local and metadata addresses: a URL in a file must not reach a cloud's secrets.

The check is made of the address that is connected to, when it is: a name may say something else each time it is asked.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import AddrInfoType, ClientSession, DummyCookieJar, TCPConnector

_FORBIDDEN: Final = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # link-local; the metadata of AWS, Azure, Google Cloud and most others
            "fe80::/10",  # link-local
            "fd00:ec2::/32",  # AWS's metadata and time
            "fd20:ce::/64",  # Google Cloud's metadata
            "100.100.100.200/32",  # Alibaba Cloud's metadata
            "192.0.0.192/32",  # Oracle Cloud's metadata
        ),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


class ForbiddenAddress(OSError):
    """The address is link-local or a cloud's metadata."""


def forbidden(address: str) -> bool:
    """Whether nothing is sent to this address, however it is written."""
    parsed = _bare(ip_address(address.partition("%")[0]))
    return any(parsed.version == network.version and parsed in network for network in _FORBIDDEN)


def _bare(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one carries."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def http_session(*, anywhere: bool) -> ClientSession:
    """To be made inside a running event loop, and closed."""
    connector = TCPConnector() if anywhere else TCPConnector(socket_factory=_guarded_socket)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())


def _guarded_socket(info: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, address = info
    if forbidden(str(address[0])):
        raise ForbiddenAddress("the address is link-local or a cloud's metadata")
    return socket.socket(family, kind, protocol)


def any_forbidden(infos: Iterable[AddrInfoType]) -> bool:
    """Whether one of the addresses of a name is forbidden: for who cannot be handed a connection."""
    return any(forbidden(str(info[4][0])) for info in infos)
