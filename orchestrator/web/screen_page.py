"""GET /: the screen, which a person on call opens from an alert.

The document holds no data and needs no login; where it leads stands in its address behind the `#`, which no server sees.
"""

from pathlib import Path
from typing import Final

from orchestrator.web.pages import LOOK, Document, Fetched, Page, content_security_policy, page_routes
from orchestrator.web.routes import Route

FOLDER: Final = Path(__file__).with_name("screen")

FETCHED: Final = Fetched(
    ("preact.mjs", "preact-hooks.mjs", "htm.mjs"),
    "The screen was left out of this installation: preact and htm are missing. `make page` fetches them.",
)


def screen_page(folder: Path) -> Page:
    document = Document(
        policy=f"{content_security_policy()}; require-trusted-types-for 'script'; trusted-types 'none'",
        permissions="microphone=(), camera=(), geolocation=()",
    )
    return Page([folder, LOOK], document, FETCHED)


def routes(page: Page) -> tuple[Route, ...]:
    return page_routes(page, "/", "/screen", name="Screen", summary="The screen: what is going on, why, and what to do.")
