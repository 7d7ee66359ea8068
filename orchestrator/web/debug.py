"""GET /debug: a page that enters a room as a caller would, and shows beside it what Rollcall sees.

The page is files and nothing else. What it does it does by the API, with the token that a person types into it; so
anybody may load it, where there is a page at all.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from orchestrator.web.problems import problem
from orchestrator.web.routes import Answer, Parameter, Route, refusal

FOLDER: Final = Path(__file__).with_name("page")

PATH: Final = "/debug"
INDEX: Final = "index.html"
CLIENT: Final = "livekit-client.mjs"
"""Comes from npm when the project is set up or built, and is not in its repository."""

_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""A file's address holds the version of all files: another version is another address."""

_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class DebugPage:
    """The page and its files, read when the service starts."""

    def __init__(self, folder: Path, *, dev: bool, operators: bool, livekit_urls: Iterable[str]) -> None:
        """There is a page with `dev`, or where `operators` may have a token; it may connect to `livekit_urls`."""
        self._files = {path.name: path for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
        self._version = _version([folder / INDEX, *self._files.values()])
        self._index = _index(folder, self._version, tokens="none" if dev else "needed")
        self._policy = content_security_policy(livekit_urls)
        self._missing = _what_is_missing(offered=dev or operators, built=CLIENT in self._files)

    async def get(self, request: web.Request) -> web.Response:  # noqa: ARG002  # the signature of a handler
        if self._missing:
            return problem(404, "Not Found", self._missing)
        headers = _HEADERS | {
            "Content-Security-Policy": self._policy,
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
            hdrs.CACHE_CONTROL: "no-cache",
        }
        return web.Response(text=self._index, content_type="text/html", headers=headers)

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        asked = request.match_info
        path = self._files.get(asked["file"]) if asked["version"] == self._version else None
        if self._missing or path is None:
            return problem(404, "Not Found", self._missing or "The page has no such file, or not any more: load it again.")
        headers = _HEADERS | {hdrs.CONTENT_TYPE: _TYPES[path.suffix], hdrs.CACHE_CONTROL: _FOR_GOOD}
        return web.FileResponse(path, headers=headers)  # the compressed one beside it, for whoever takes it


def content_security_policy(livekit_urls: Iterable[str]) -> str:
    """Nothing but what is ours, and connections to LiveKit: by WebSocket, and by HTTP to ask why it was refused."""
    connections = dict.fromkeys(source for url in livekit_urls for source in _sources(url))
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        " ".join(("connect-src 'self'", *connections)),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives)


def routes(page: DebugPage) -> tuple[Route, ...]:
    nothing = refusal("There is no debug page here, or no such file of it.")
    return (
        Route(
            "GET",
            PATH,
            page.get,
            scope=None,
            name="getDebugPage",
            summary="A page with which to talk to an agent. There is one with --dev, or with a token of the scope operate.",
            answers={200: Answer("The page.", media_type="text/html"), 404: nothing},
        ),
        Route(
            "GET",
            f"{PATH}/{{version}}/{{file}}",
            page.get_file,
            scope=None,
            name="getDebugPageFile",
            summary="What the debug page is made of.",
            answers={200: Answer("The file.", media_type="text/javascript"), 404: nothing},
            parameters=(
                Parameter("version", "path", "The version of the page that names the file."),
                Parameter("file", "path", "The file's name."),
            ),
        ),
    )


def _what_is_missing(*, offered: bool, built: bool) -> str | None:
    if not offered:
        return "There is no debug page here: it needs --dev, or an API token of the scope operate."
    if not built:
        return "The debug page was left out of this installation: livekit-client is missing. `make page` fetches it."
    return None


def _version(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _index(folder: Path, version: str, *, tokens: str) -> str:
    return (folder / INDEX).read_text("utf-8").replace("{version}", version).replace("{tokens}", tokens)


def _sources(url: str) -> tuple[str, ...]:
    """The sources of a Content-Security-Policy under which a client reaches this LiveKit server."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    schemes = ("wss", "https") if parts.scheme in ("wss", "https") else ("ws", "http")
    if host.endswith(".livekit.cloud"):
        host, port = "*.livekit.cloud", ""  # Cloud tells clients which of its regions to go to
    if ":" in host:
        return tuple(f"{scheme}:" for scheme in schemes)  # a policy cannot name an IPv6 address
    return tuple(f"{scheme}://{host}{port}" for scheme in schemes) if host else ()
