"""Cutting a process off the network: every packet from and to its sockets is dropped, as when a cable is pulled."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TABLES: Final = {"udp": ("udp", "udp6"), "tcp": ("tcp", "tcp6")}
_LOCAL, _INODE = 1, 9
"""Columns of /proc/net/udp and tcp."""


def can_cut() -> bool:
    """Whether this machine lets us: iptables, and the right to change its rules."""
    iptables = shutil.which("iptables")
    return (
        iptables is not None and subprocess.run([iptables, "-w", "-L", "-n"], check=False, capture_output=True).returncode == 0
    )


@contextmanager
def cut_off(pid: int) -> Iterator[None]:
    """Cut a process off for as long as this lasts: the sockets that it has now."""
    rules = [
        (chain, "-p", protocol, side, str(port), "-j", "DROP")
        for protocol, port in sorted(ports(pid))
        for chain, side in (("INPUT", "--dport"), ("OUTPUT", "--sport"))
    ]
    if not rules:
        message = f"process {pid} has no sockets"
        raise RuntimeError(message)
    try:
        for rule in rules:
            _iptables("-I", *rule)
        yield
    finally:
        for rule in rules:
            _iptables("-D", *rule)


def ports(pid: int) -> set[tuple[str, int]]:
    """The protocol and local port of each socket that a process has open."""
    links = (str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink())
    inodes = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    return {
        (protocol, int(columns[_LOCAL].rpartition(":")[2], 16))
        for protocol, tables in _TABLES.items()
        for table in tables
        for columns in (line.split() for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:])
        if columns[_INODE] in inodes
    }


def _iptables(*arguments: str) -> None:
    subprocess.run(["iptables", "-w", *arguments], check=True, capture_output=True)
