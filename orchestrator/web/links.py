"""Addresses of our own pages: absolute when the service was told under which URL people reach it."""

from urllib.parse import quote

from orchestrator.core.causes import Cause, runbook_anchor
from orchestrator.core.session import Session


class Links:
    """`public_url` is without a path of its own or with the one under which a proxy serves us; None: paths only."""

    def __init__(self, public_url: str | None) -> None:
        self._base = (public_url or "").rstrip("/")

    def session(self, session: Session) -> str:
        """By sid: a room's name may have a newer session by the time that somebody follows the link."""
        return f"{self._base}/sessions/{quote(session.sid, safe='')}"

    def runbook(self, cause: Cause) -> str:
        return f"{self._base}/runbook#{runbook_anchor(cause)}"

    def abroad(self, session: Session) -> str | None:
        """The session's address for readers outside of this service; None when only its path is known."""
        return self.session(session) if self._base else None
