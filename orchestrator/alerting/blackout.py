"""The one alert that cannot go through the outbox: that the store, in which the outbox is, does not answer.

Each replica tells it by itself, straight to the sinks. To an Alertmanager that is one alert; others hear of it from each
replica once. It is sent again until it is accepted, and its end too, as long as this replica lives.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from orchestrator.alerting.ports import NotAccepted, Sink
from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.runtime.ports import Alert, Clock, StoreUnavailable

log = structlog.get_logger()

PERIOD: Final = 5.0


class Blackout:
    """Asks the store for ever. `sinks` are those that want this alert; `ask` raises StoreUnavailable."""

    def __init__(self, ask: Callable[[], Awaitable[object]], sinks: Iterable[Sink], clock: Clock, after: float) -> None:
        self._ask = ask
        self._sinks = tuple(sinks)
        self._clock = clock
        self._after = after
        self._since: float | None = None
        self._told: dict[str, tuple[str, float]] = {}
        """By sink: that it has accepted that it fires, and when it is to be told again."""
        self._ended_at: float | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._clock.sleep(PERIOD)

    async def look(self) -> None:
        """One question, and what follows."""
        now = self._clock.now()
        try:
            await self._ask()
        except StoreUnavailable as error:
            if self._since is None or self._ended_at is not None:
                self._since, self._ended_at = now, None
            if now - self._since >= self._after:
                summary = f"Redis has answered nothing for {now - self._since:.0f} s: {error}."
                await self._tell("firing", summary, self._since)
            return
        if self._since is None:
            return
        if self._ended_at is None:
            self._ended_at = now
        if not self._told:  # nobody heard of it
            self._since = self._ended_at = None
            return
        await self._tell("resolved", "Redis answers again.", self._ended_at)

    async def _tell(self, status: str, summary: str, at: float) -> None:
        await asyncio.gather(*(self._tell_one(sink, status, summary, at) for sink in self._sinks))

    async def _tell_one(self, sink: Sink, status: str, summary: str, at: float) -> None:
        told, next_at = self._told.get(sink.name, ("", 0.0))
        now = self._clock.now()
        if told == status and (sink.again is None or now < next_at):
            return
        if status == "resolved" and not told:
            return
        try:
            await sink.send(self._alert(status, summary, at))
        except NotAccepted as error:
            log.warning("alert_not_accepted", sink=sink.name, type=AlertType.STORE_TROUBLE, status=status, reason=str(error))
        except Exception:  # one sink's top: a defect in it must keep this from no other, nor end the watch
            log.exception("delivery_failed", sink=sink.name, incident=AlertType.STORE_TROUBLE)
        else:
            log.info("alert_accepted", sink=sink.name, type=AlertType.STORE_TROUBLE, status=status)
            if status == "resolved":
                del self._told[sink.name]
            else:
                self._told[sink.name] = (status, now + sink.again if sink.again else 0.0)

    def _alert(self, status: str, summary: str, at: float) -> Alert:
        kind = AlertType.STORE_TROUBLE
        fix = ABOUT[kind].fix if status == "firing" else None
        # Receivers know a repetition by its id, and the next absence is none.
        return Alert(f"{kind}/{self._since}/{status}", kind, status, kind, at, summary=summary, fix=fix, since=self._since)
