"""Pages that a browser loads: a document, and the files beside it under an address that holds the version of them all.

A page is files and nothing else. What it does it does by the API, in the name of whoever sits in front of it; so anybody
may load it.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from orchestrator.web.problems import problem
from orchestrator.web.routes import Answer, Parameter, Route, refusal

LOOK: Final = Path(__file__).with_name("look")
"""What the pages have in common: colours, type, the icon."""

INDEX: Final = "index.html"

_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""A file's address holds the version of all files: another version is another address."""

_COMMENT: Final = re.compile(rb"^[ \t]*(?://[^\n]*|/\*.*?\*/)[ \t]*$", re.MULTILINE | re.DOTALL)
"""Comments that have their lines to themselves."""

_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """Modules that come from npm when the project is set up or built, and are not in its repository."""

    names: tuple[str, ...]
    missing: str
    """What is said where one of them is not there."""


@dataclass(frozen=True, slots=True)
class _File:
    """What is sent: as it is, and compressed for whoever takes it so."""

    media_type: str
    plain: bytes
    compressed: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """What one page's document says, and what a browser lets it do."""

    policy: str
    permissions: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What stands in it in place of `{name}`, beside `{version}`."""


class Page:
    """A page and its files, read when the service starts."""

    def __init__(
        self, folders: Sequence[Path], document: Document, fetched: Fetched, *, not_offered: str | None = None
    ) -> None:
        """The document stands in the first of the `folders`. `not_offered`: why there is no such page here."""
        paths = [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in _TYPES]
        self._files = {path.name: _read(path) for path in paths}
        text = (folders[0] / INDEX).read_text("utf-8")
        self._version = _version([text.encode(), *(file.plain for file in self._files.values())])
        self._text = _filled(text, {"version": self._version, **document.values})
        self._headers = {
            **_HEADERS,
            "Content-Security-Policy": document.policy,
            "Permissions-Policy": document.permissions,
            hdrs.CACHE_CONTROL: "no-cache",
        }
        self._missing = not_offered or (None if self._files.keys() >= set(fetched.names) else fetched.missing)

    async def get(self, request: web.Request) -> web.Response:  # noqa: ARG002  # the signature of a handler
        if self._missing:
            return problem(404, "Not Found", self._missing)
        return web.Response(text=self._text, content_type="text/html", headers=self._headers)

    async def get_file(self, request: web.Request) -> web.Response:
        asked = request.match_info
        file = self._files.get(asked["file"]) if asked["version"] == self._version else None
        if self._missing or file is None:
            return problem(404, "Not Found", self._missing or "The page has no such file, or not any more: load it again.")
        headers = {
            **_HEADERS,
            hdrs.CONTENT_TYPE: file.media_type,
            hdrs.CACHE_CONTROL: _FOR_GOOD,
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        }
        if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            return web.Response(body=file.plain, headers=headers)
        return web.Response(body=file.compressed, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})


def content_security_policy(connections: Iterable[str] = ()) -> str:
    """Nothing but what is ours, and `connections` to these sources."""
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        " ".join(("connect-src 'self'", *dict.fromkeys(connections))),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives)


def page_routes(page: Page, path: str, files: str, *, name: str, summary: str) -> tuple[Route, ...]:
    """The document at `path`, and what it is made of below `files`; `name` as in `getDebugPage`."""
    nothing = refusal("There is no such page here, or no such file of it.")
    return (
        Route(
            "GET",
            path,
            page.get,
            scope=None,
            name=f"get{name}",
            summary=summary,
            answers={200: Answer("The page.", media_type="text/html"), 404: nothing},
        ),
        Route(
            "GET",
            f"{files}/{{version}}/{{file}}",
            page.get_file,
            scope=None,
            name=f"get{name}File",
            summary="What the page is made of.",
            answers={200: Answer("The file.", media_type="text/javascript"), 404: nothing},
            parameters=(
                Parameter("version", "path", "The version of the page that names the file."),
                Parameter("file", "path", "The file's name."),
            ),
        ),
    )


def _read(path: Path) -> _File:
    """What npm brings lies compressed beside itself, and is sent as it is."""
    content, compressed = path.read_bytes(), path.with_name(f"{path.name}.gz")
    if compressed.exists():
        return _File(_TYPES[path.suffix], content, compressed.read_bytes())
    lean = _without_comments(content) if path.suffix in (".js", ".css") else content
    return _File(_TYPES[path.suffix], lean, gzip.compress(lean, mtime=0))


def _without_comments(content: bytes) -> bytes:
    """They are for whoever reads the repository. The lines stay, so that a browser names the right one in an error."""
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), content)


def _version(contents: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
