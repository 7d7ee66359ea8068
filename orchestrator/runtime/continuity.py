"""Whether the store is still the one that it was: after a restart it may have lost what came last."""

from collections.abc import Callable
from typing import Final

import structlog

from orchestrator.runtime.ports import Clock, SessionStore, StoreUnavailable

log = structlog.get_logger()

_PERIOD: Final = 2.0


class Continuity:
    """Watches for another life of the store.

    Epochs keep a stale commit out, but a record may now be older than what its owner has committed and acted upon, and
    sessions and facts may be missing: so everything is loaded anew, and compared with what LiveKit lists.
    """

    def __init__(self, store: SessionStore, clock: Clock, on_restart: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_restart = on_restart

    async def run(self) -> None:
        """Watch for ever."""
        known: str | None = None
        while True:
            try:
                now = await self._store.incarnation()
            except StoreUnavailable:
                pass
            else:
                if known is not None and now != known:
                    log.warning("store_restarted", before=known, now=now, fix="Everything is loaded anew and reconciled.")
                    self._on_restart()
                known = now
            await self._clock.sleep(_PERIOD)
