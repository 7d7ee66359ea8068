"""Which life of the store this is, and whether it lost, on the way into it, what this process saw there."""

from collections.abc import Callable

import structlog

from orchestrator.store.connection import Connection

log = structlog.get_logger()


class Incarnation:
    """A server that starts gives itself a new run_id; behind Sentinel, another server means another one, too.

    `forget` is called when what this process remembers of the store may no longer be there.
    """

    def __init__(self, connection: Connection, forget: Callable[[], None]) -> None:
        self._connection = connection
        self._forget = forget
        self._known = ""
        self._said_of = ""

    async def read(self) -> str:
        server = await self._connection.call("INFO", "server")
        run_id = str(server["run_id"])
        if run_id != self._known:
            if self._known:
                self._forget()
            self._known = run_id
        return run_id

    async def went_backwards(self, sid: str, *, held: int, stored: int) -> None:
        """The store holds an epoch below one that it gave out. Said once per life: all sessions are affected at once."""
        if self._said_of and self._said_of == self._known:
            return
        incarnation = await self.read()
        if incarnation != self._said_of:
            self._said_of = incarnation
            self._forget()  # a server that was emptied, or loaded an older dump, keeps its run_id
            log.error("store_went_backwards", incarnation=incarnation, sid=sid, held_epoch=held, stored_epoch=stored)
