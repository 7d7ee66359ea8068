"""The screen, and what it is given: the ways in, the sessions as they change, the webhooks that came last."""

from contextlib import suppress
from importlib.metadata import version

from orchestrator.behind import Behind
from orchestrator.livekit import redaction
from orchestrator.runtime.clock import SystemRandomness
from orchestrator.runtime.ports import StoreUnavailable
from orchestrator.store.changes import Changes
from orchestrator.store.logins import Logins
from orchestrator.store.open_incidents import OpenIncidents
from orchestrator.store.received import ReceivedWebhooks
from orchestrator.web import screen_page
from orchestrator.web.auth import Bearers
from orchestrator.web.entrance import ScreenEntrance
from orchestrator.web.events import Events, event_routes
from orchestrator.web.feed import Feed, FeedParts
from orchestrator.web.inbox import Inbox
from orchestrator.web.inbox_door import InboxParts, Replay, inbox_routes
from orchestrator.web.login import LoginDoor, login_routes
from orchestrator.web.operation_ports import Audit
from orchestrator.web.routes import Route
from orchestrator.web.webhooks import Seen


class Screen:
    """Of one replica."""

    def __init__(self, behind: Behind, bearers: Bearers, audit: Audit) -> None:
        self._behind = behind
        self._bearers = bearers
        self._audit = audit
        self._logins = Logins(behind.connection, behind.keys)
        self.entrance = ScreenEntrance(
            bearers,
            self._logins,
            behind.clock,
            behind.settings.screen.proxy,
            behind.settings.livekit_api_secret.get_secret_value(),
        )
        self._feed = _feed(behind)
        self._received = ReceivedWebhooks(behind.connection, behind.keys, kept=behind.settings.webhooks_kept)
        self._inbox = Inbox(self._received, behind.clock, redaction.redacted)

    def open(self) -> None:
        """Write down from now on what comes to the door for webhooks."""
        if self._behind.settings.webhooks_kept:
            self._behind.tasks.spawn("inbox", self._inbox.run())

    def note(self, seen: Seen) -> None:
        """Of every request to the door for webhooks, and on its way."""
        if self._behind.settings.webhooks_kept:
            self._inbox.note(seen)

    def drain(self) -> None:
        """Let those go who follow what happens: they come again, to another replica."""
        self._feed.stop()

    async def close(self) -> None:
        """Write down what came last; without the store it is lost."""
        with suppress(StoreUnavailable):
            await self._inbox.write()

    def routes(self, door: Replay) -> tuple[Route, ...]:
        """`door`: the one for webhooks."""
        behind = self._behind
        events = Events(self._feed, behind.clock, SystemRandomness().fraction, behind.metrics.event_clients_dropped.inc)
        inbox = InboxParts(self._received, door, behind.store, self._audit, redaction.hides_room_metadata)
        return (
            *screen_page.routes(screen_page.screen_page(screen_page.FOLDER)),
            *login_routes(LoginDoor(self._bearers, self._logins, behind.clock, behind.settings.public_url)),
            *event_routes(events),
            *inbox_routes(inbox),
        )


def _feed(behind: Behind) -> Feed:
    feed = Feed(
        FeedParts(
            store=behind.store,
            changes=Changes(behind.connection, behind.keys, behind.clock.sleep),
            clock=behind.clock,
            spawn=behind.tasks.spawn,
            paused=behind.runtime.pauses.current,
            warnings=behind.readiness.sentences,
            incidents=OpenIncidents(behind.connection, behind.keys).count,
            version=version("rollcall"),
        )
    )
    behind.metrics.event_clients.set_function(lambda: len(feed))
    return feed
