"""Addresses of our own pages: absolute when the service was told under which URL people reach it."""

from urllib.parse import quote

from orchestrator.core.causes import Cause, runbook_anchor
from orchestrator.core.session import Session


class Links:
    """`public_url` may have a path, under which a proxy serves us; None: links are paths alone.

    `runbook_url` is a page of the team's own with the same anchors; None: ours.
    """

    def __init__(self, public_url: str | None, runbook_url: str | None = None) -> None:
        self._base = (public_url or "").rstrip("/")
        self._runbook = runbook_url or f"{self._base}/runbook"

    def session(self, session: Session) -> str:
        """By sid: a room's name may have a newer session by the time that somebody follows the link."""
        return f"{self._base}/sessions/{quote(session.sid, safe='')}"

    def screen(self, session: Session) -> str:
        """The session's page on the screen."""
        return f"{self._base}/#/sessions/{quote(session.sid, safe='')}"

    @property
    def incidents(self) -> str:
        """The page of all that is wrong now."""
        return f"{self._base}/#/incidents"

    def runbook(self, cause: Cause) -> str:
        return f"{self._runbook}#{runbook_anchor(cause)}"
