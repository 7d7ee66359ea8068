"""Many rooms as one page: what `core.paging` decides for each group of each sink that groups, put into the outbox.

Any number of replicas look; what one of them has decided counts only if nothing has changed since it looked. So each
message is made once, and kept with its content until the sink has accepted it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from orchestrator.alerting.ports import Silences
from orchestrator.core import causes
from orchestrator.core.alerts import alert_id
from orchestrator.core.naming import spelled
from orchestrator.core.paging import (
    MOST_LISTED,
    End,
    Gathered,
    Grouping,
    GroupName,
    Page,
    Tell,
    Wait,
    decide,
    reconsidered,
)
from orchestrator.core.silences import Silence, silencing
from orchestrator.runtime.ports import Alert, Clock, GroupLook, GroupMessage, GroupPages, StoreCorrupt, StoreUnavailable

log = structlog.get_logger()

PERIOD: Final = 1.0
"""Seconds between two looks."""


class Paging:
    """Looks for ever. `sinks`: those that group; `link`: where people see all incidents."""

    def __init__(self, pages: GroupPages, silences: Silences, sinks: Mapping[str, Grouping], clock: Clock, link: str) -> None:
        self._pages = pages
        self._silences = silences
        self._sinks = sinks
        self._clock = clock
        self._link = link

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("pages_unavailable", error=str(error))
            await self._clock.sleep(PERIOD)

    async def look(self) -> None:
        """At every group that is due, once. Raises StoreUnavailable."""
        for sink, grouping in self._sinks.items():
            due = await self._pages.due(sink, self._clock.now())
            silences = await self._silences.look(self._clock.now()) if due else ()
            for group in due:
                try:
                    await self._settle(await self._pages.look(sink, group), grouping, silences)
                except StoreCorrupt as error:
                    log.warning("page_unreadable", sink=sink, error=str(error))  # a newer replica's: it will see to it
                except StoreUnavailable as error:
                    log.warning("pages_unavailable", sink=sink, error=str(error))
                except Exception:  # one group's top: a defect in one must not keep the pages of the others from being told
                    log.exception("page_failed", sink=sink)

    async def _settle(self, looked: GroupLook, grouping: Grouping, silences: Sequence[Silence]) -> None:
        now, gathered = self._clock.now(), looked.gathered
        # In a thread: thousands of rooms against many patterns would hold up every webhook meanwhile.
        silenced = await asyncio.to_thread(_silenced, looked, silences, now) if silences else {}
        again = reconsidered(silenced, now)
        said: GroupMessage | None = None
        match decide(gathered, silenced, grouping, now):
            case Wait(until=until):
                again = until
            case Tell(incidents=first):
                said = self._beginning(gathered, first, now) or self._count(looked, first, now)
            case End():
                said = self._end(looked, now)
        if await self._pages.commit(looked, said, look_at=again, held=len(silenced)) and said is not None and said.alert:
            about = {"sink": looked.sink, "group": looked.group, "status": said.alert.status}
            log.info("alerts_grouped", **about, rooms=said.alert.rooms)

    def _beginning(self, gathered: Gathered, first: Sequence[str], now: float) -> GroupMessage | None:
        """Of a page with a single incident: that incident's own alert."""
        if gathered.page is not None or len(first) > 1:
            return None
        (lead,) = first
        message = alert_id(lead, "firing")
        return GroupMessage(Page(lead, gathered.fresh[lead].since, now, message, (lead,)), message, first=first)

    def _count(self, looked: GroupLook, first: Sequence[str], now: float) -> GroupMessage:
        """The page as it is now: its first message, or a new count."""
        gathered, before = looked.gathered, looked.gathered.page
        listed = (*gathered.told, *first)[:MOST_LISTED]
        page = Page(first[0], gathered.fresh[first[0]].since, now, "", listed, total=len(first))
        if before is not None:
            number, total = before.number + 1, before.total + len(first)
            page = replace(before, told_at=now, listed=listed, number=number, total=total)
        shared, rooms = GroupName.parse(looked.group), gathered.told_count + len(first)
        page = replace(page, last=_message(page, looked.sink, "firing"))
        alert = self._alert(looked, page, "firing", page.since, rooms)
        cause = shared.cause
        alert = replace(
            alert,
            summary=causes.many_rooms(cause, shared.agent_name, rooms),
            fix=None if cause is None else causes.fix(cause, shared.agent_name),
        )
        return GroupMessage(page, page.last, alert, first)

    def _end(self, looked: GroupLook, now: float) -> GroupMessage:
        page = looked.gathered.page
        assert page is not None  # noqa: S101 - `decide` ends pages alone
        if page.total == 1:
            return GroupMessage(None, f"{page.lead}/resolved")
        agent_name = spelled(GroupName.parse(looked.group).agent_name)
        alert = self._alert(looked, page, "resolved", now, page.total)
        summary = f"None of the {page.total} rooms lacks {agent_name} any more."
        alert = replace(alert, since=page.since, summary=summary)
        return GroupMessage(None, alert.id, alert)

    def _alert(self, looked: GroupLook, page: Page, status: str, at: float, rooms: int) -> Alert:
        shared = GroupName.parse(looked.group)
        return Alert(
            id=_message(page, looked.sink, status),
            type=shared.type,
            status=status,
            incident=page.lead,
            at=at,
            agent_name=shared.agent_name,
            cause=shared.cause,
            link=self._link,
            rooms=rooms,
            incidents=page.listed,
        )


def _message(page: Page, sink: str, status: str) -> str:
    """An incident leads one page at most, so that this is of one message only."""
    return f"{page.lead}@{sink}/{page.number}/{status}"


def _silenced(looked: GroupLook, silences: Sequence[Silence], now: float) -> dict[str, float]:
    """The incidents of which nothing is to be heard, and until when."""
    shared = GroupName.parse(looked.group)
    found = {}
    for incident, fresh in looked.gathered.fresh.items():
        told = Alert("", shared.type, "firing", incident, fresh.since, fresh.room, agent_name=shared.agent_name)
        if silence := silencing(silences, replace(told, cause=shared.cause), now):
            found[incident] = silence.ends_at
    return found
