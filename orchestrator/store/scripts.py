"""The Lua scripts: sent by their hash, and in full to a server that does not know them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from redis.exceptions import NoScriptError, ResponseError

from orchestrator.store.connection import Argument, Command, Connection, Reply, refused


class Outcome(StrEnum):
    """What the scripts answer, by name."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    UNCLAIMED = "unclaimed"
    """Nothing was stored: the session has no owner, and the caller may not become it yet."""
    COMMITTED = "committed"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"
    """Nothing was written: the store's epoch is below the caller's, so the store has lost what came last."""
    KEPT = "kept"
    """The replica owns the session, and is still needed."""
    FULL = "full"
    """More is not kept."""
    UNKNOWN = "unknown"
    """There is no such session."""
    RELEASED = "released"
    """The replica does not own the session, or no longer."""


@dataclass(frozen=True, slots=True)
class Script:
    """One verb of the store, in Lua."""

    source: str
    sha: str

    @classmethod
    def load(cls, *names: str) -> "Script":
        """The files `scripts/<name>.lua`, one behind the other."""
        folder = resources.files(__package__) / "scripts"
        source = "\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in names)
        return cls(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())

    async def run(
        self, connection: Connection, keys: Sequence[str], args: Sequence[Argument], *, after: Sequence[Command] = ()
    ) -> Reply:
        """Run it; `after`: commands that are executed before it. Raises StoreUnavailable."""
        by_hash: Command = ("EVALSHA", self.sha, len(keys), *keys, *args)
        replies = await connection.replies(*after, by_hash)
        for command, reply in zip((*after, by_hash), replies, strict=True):
            if isinstance(reply, NoScriptError):
                # A server that was restarted, promoted or flushed: nothing was executed, and EVAL teaches it.
                return await connection.call("EVAL", self.source, len(keys), *keys, *args)
            if isinstance(reply, ResponseError):
                raise refused(command, reply) from reply
        return replies[-1]
