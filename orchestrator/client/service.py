"""The running service, asked over HTTP: what comes back, or a CommandFailed that says what to do.

The standard library's client: a command asks one thing at a time, and starts at once without aiohttp.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from pydantic import SecretStr

from orchestrator.client.errors import CommandFailed, Unreachable
from orchestrator.client.refusals import refusal
from orchestrator.client.text import printable
from orchestrator.configuration.environment import service_token, service_url
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.exits import ExitCode

PATIENCE: Final = 10.0
"""Seconds for an answer; a service that is well needs milliseconds."""

READ: Final = "read"
OPERATE: Final = "operate"

_SUCCESSES: Final = range(200, 300)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token goes to the address that it was given for, and nowhere else."""

    def redirect_request(self, *_redirect: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


class Service:
    """One Rollcall. Every request raises CommandFailed."""

    def __init__(self, url: str, token: SecretStr | None) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirect)

    def get(self, *segments: str, query: Mapping[str, str] | None = None) -> bytes:
        """The body of an answer; `segments` of the path are encoded here."""
        asked = f"?{urlencode(query)}" if query else ""
        return self.send("GET", _path(segments) + asked, scope=READ).body

    def post(self, *segments: str, body: object, scope: str = OPERATE, **options: Any) -> Reply:
        return self.send("POST", _path(segments), scope=scope, body=_json(body), **options)

    def delete(self, *segments: str) -> Reply:
        return self.send("DELETE", _path(segments), scope=OPERATE)

    def send(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Reply:
        """The answer to one request, whatever success it is. Raises CommandFailed."""
        reply = self.exchange(method, path, body=body, headers=headers, query=query, patience=patience)
        if reply.status not in _SUCCESSES:
            raise refusal(self.url, reply.status, reply.body, scope=scope)
        return reply

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> Reply:
        """The answer to one request, refusals included. Raises CommandFailed when there is none."""
        asked = f"?{urlencode(query)}" if query else ""
        # Its scheme was checked: http or https.
        request = urllib.request.Request(f"{self.url}{path}{asked}", data=body, method=method)  # noqa: S310
        for name, value in {**self._standing_headers(body), **(headers or {})}.items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=patience) as answer:
                return Reply(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                if (location := error.headers.get("Location")) is not None:
                    raise refusal(self.url, error.code, b"", scope="", location=location) from None
                return Reply(error.code, error.read())
        except TimeoutError as error:
            raise self._unreachable(f"did not answer within {patience:g} s") from error
        except urllib.error.URLError as error:
            raise self._unreachable(f"does not answer: {_reason(error.reason)}") from error
        except (OSError, HTTPException) as error:
            raise self._unreachable(f"does not answer: {_reason(error)}") from error

    def _standing_headers(self, body: bytes | None) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "rollcall-cli"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return headers

    def _unreachable(self, how: str) -> Unreachable:
        return Unreachable(
            f"The service at {self.url} {how}.", "Start it (`rollcall serve`), or correct ROLLCALL_URL or --url."
        )


def connect(url: str | None) -> Service:
    """The service that `--url` or the environment names. Raises CommandFailed."""
    named = url or service_url()
    if named is None:
        fix = "Set ROLLCALL_URL to its address, such as http://127.0.0.1:8080, or give --url."
        raise CommandFailed(ExitCode.USAGE, "Nobody said where the service runs.", fix)
    if "@" in named:
        fix = "Put a token of the service into ROLLCALL_API_TOKEN."
        raise CommandFailed(ExitCode.USAGE, "The address of a service holds no user and no password.", fix)
    if not _is_address(named):
        fix = "Write http:// or https://, a host and perhaps a port: http://127.0.0.1:8080."
        raise CommandFailed(ExitCode.USAGE, f"{printable(named)} is no address of a service.", fix)
    try:
        return Service(named, service_token())
    except ConfigurationError as error:
        raise CommandFailed(ExitCode.USAGE, " ".join(map(str, error.problems))) from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def _path(segments: tuple[str, ...]) -> str:
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def _json(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _reason(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return printable(str(error)) or type(error).__name__
