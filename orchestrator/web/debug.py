"""GET /debug: a page that enters a room as a caller would, and shows beside it what Rollcall sees.

What it does it does with the token that a person types into it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orchestrator.web.pages import LOOK, Document, Fetched, Page, content_security_policy, page_routes
from orchestrator.web.routes import Route

FOLDER: Final = Path(__file__).with_name("page")

PATH: Final = "/debug"

FETCHED: Final = Fetched(
    ("livekit-client.mjs",),
    "The debug page was left out of this installation: livekit-client is missing. `make page` fetches it.",
)

_NOT_OFFERED: Final = "There is no debug page here: it needs --dev, or an API token of the scope operate."


def debug_page(folder: Path, *, dev: bool, operators: bool, livekit_urls: Iterable[str]) -> Page:
    """There is a page with `dev`, or where `operators` may have a token; it may connect to `livekit_urls`."""
    document = Document(
        # By WebSocket, and by HTTP to ask why it was refused.
        policy=content_security_policy(source for url in livekit_urls for source in sources(url)),
        permissions="microphone=(self), camera=(), geolocation=()",
        values={"tokens": "none" if dev else "needed"},
    )
    return Page([folder, LOOK], document, FETCHED, not_offered=None if dev or operators else _NOT_OFFERED)


def routes(page: Page) -> tuple[Route, ...]:
    summary = "A page with which to talk to an agent. There is one with --dev, or with a token of the scope operate."
    return page_routes(page, PATH, PATH, name="DebugPage", summary=summary)


def sources(url: str) -> tuple[str, ...]:
    """The sources of a Content-Security-Policy under which a client reaches this LiveKit server."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    schemes = ("wss", "https") if parts.scheme in ("wss", "https") else ("ws", "http")
    if host.endswith(".livekit.cloud"):
        host, port = "*.livekit.cloud", ""  # Cloud tells clients which of its regions to go to
    if ":" in host:
        return tuple(f"{scheme}:" for scheme in schemes)  # a policy cannot name an IPv6 address
    return tuple(f"{scheme}://{host}{port}" for scheme in schemes) if host else ()
