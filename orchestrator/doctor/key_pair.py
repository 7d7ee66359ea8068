"""Whether LiveKit takes our API key and secret; if not, which of them is wrong, or whether it is the clock.

Seen on livekit-server 1.13.5: the body of a 401 tells an unknown key, a wrong secret and a clock apart, in plain text,
which its client library drops. The body repeats our token, so it is read here and never shown. Servers and proxies that
say nothing leave the clock of the Date header, and the form of the pair, to go by.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
from livekit.api.access_token import AccessToken, VideoGrants

from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok, skipped, warning
from orchestrator.doctor.probing import LIST_ROOMS, PATIENCE, http_url
from orchestrator.livekit.tokens import LIFETIME
from orchestrator.runtime.ports import Clock

NAME: Final = "key pair"
CLOCK: Final = "clock"

LEEWAY: Final = 60.0
"""Seconds by which LiveKit's and our clock may differ when it reads a token's nbf and exp (seen on 1.13.5)."""

NOTABLE: Final = 10.0
"""Seconds between two clocks that are not kept by NTP."""

_NO_PAIR: Final = "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a pair of this project, for the workers as well"
_WHERE: Final = "it stands in keys: of livekit.yaml, or in the project's settings on LiveKit Cloud."
_NTP: Final = "Let NTP keep the clocks of both machines."


@dataclass(frozen=True, slots=True)
class Answer:
    """What LiveKit said to a signed question. `ahead` is by how many seconds our clock is before LiveKit's."""

    status: int
    body: str
    ahead: float | None


async def examine_key_pair(url: str, key: str, secret: str, http: aiohttp.ClientSession, clock: Clock) -> list[Finding]:
    """`clock` is this machine's, whose time tokens are signed with."""
    try:
        answer = await _ask(url, key, secret, http, clock)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        fix = "Look at the LiveKit server, and at what stands between it and this machine."
        return [failed(NAME, f"LiveKit did not answer a signed question ({type(error).__name__}).", fix)]
    return [judged(answer, key, secret), clock_finding(answer.ahead)]


async def _ask(url: str, key: str, secret: str, http: aiohttp.ClientSession, clock: Clock) -> Answer:
    token = AccessToken(key, secret).with_ttl(LIFETIME).with_grants(VideoGrants(room_list=True)).to_jwt()
    # Some room's name that does not exist: a project may have ten thousand rooms.
    async with http.post(
        http_url(url) + LIST_ROOMS,
        json={"names": ["rollcall-probe"]},
        headers={"Authorization": f"Bearer {token}"},
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(total=PATIENCE),
    ) as response:
        body = (await response.content.read(4096)).decode(errors="replace")
        return Answer(response.status, body, _ahead(response.headers.get("Date"), clock.now()))


def _ahead(date: str | None, now: float) -> float | None:
    """Our time less that of a Date header, which is cut to the second: half of one is put back."""
    try:
        return now - parsedate_to_datetime(date).timestamp() - 0.5 if date else None
    except ValueError:
        return None


def judged(answer: Answer, key: str, secret: str) -> Finding:
    """What an answer to a signed question says about the pair."""
    if answer.status == HTTPStatus.OK:
        return ok(NAME, f"LiveKit takes the key {quoted(key)} and its secret.")
    if answer.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        fix = "Look into LiveKit's log, and at what stands between it and this machine."
        return failed(NAME, f"LiveKit answers {answer.status} to a signed question: nothing is known about the pair.", fix)
    said = answer.body.lower()
    status = f"LiveKit answers {answer.status}"
    if "invalid api key" in said:
        return failed(NAME, f"{status}: it has no API key {quoted(key)}.", _form(key, secret) or f"{_NO_PAIR}: {_WHERE}")
    if "signature is invalid" in said or "cryptographic primitive" in said:
        message = f"{status}: it has the API key {quoted(key)}, but with another secret."
        return failed(NAME, message, _form(key, secret) or f"Set LIVEKIT_API_SECRET to the secret of this key: {_WHERE}")
    if "not valid yet" in said or "is expired" in said:
        return failed(NAME, f"{status}: the pair is right, but our token is {_untimely(said)}.{_apart(answer.ahead)}", _NTP)
    if '"permissions denied"' in said:
        message = f"{status}: it knows the pair, and denies this key the right to list rooms."
        return failed(NAME, message, "Use a key of the project that may do everything, for Rollcall creates dispatches.")
    return _unexplained(status, answer.ahead, key, secret)


def _unexplained(status: str, ahead: float | None, key: str, secret: str) -> Finding:
    """Whether key or secret is wrong is not said; of the clock we know ourselves."""
    if ahead is not None and not -LIFETIME.total_seconds() <= ahead - LEEWAY <= 0:
        return failed(NAME, f"{status} and does not say why.{_apart(ahead)} Tokens are refused by that alone.", _NTP)
    message = f"{status} and does not say why: it knows no API key {quoted(key)}, or the key has another secret."
    return failed(NAME, message, _form(key, secret) or f"{_NO_PAIR}: {_WHERE}")


def _untimely(said: str) -> str:
    return "not valid yet by its clock (nbf lies in its future)" if "not valid yet" in said else "out of date by its clock"


def _apart(ahead: float | None) -> str:
    if ahead is None:
        return ""
    return f" Our clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} LiveKit's."


def _form(key: str, secret: str) -> str:
    """What the pair itself shows, without showing it."""
    for name, value in (("LIVEKIT_API_KEY", key), ("LIVEKIT_API_SECRET", secret)):
        if value != value.strip("\"' \t\r\n"):
            return f"{name} begins or ends with a quote or a blank, which is then part of it: take that away."
    if secret.startswith("API") and not key.startswith("API"):
        return "The secret looks like a key: exchange LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
    return ""


def clock_finding(ahead: float | None) -> Finding:
    """Whether this machine's clock agrees with LiveKit's."""
    if ahead is None:
        return skipped(CLOCK, "LiveKit's answer has no Date header to compare our clock with.")
    if abs(ahead) <= NOTABLE:
        return ok(CLOCK, "Our clock and LiveKit's agree.")
    refused = f"LiveKit refuses tokens that come {LEEWAY:g} s too early or too late."
    return (failed if ahead > LEEWAY else warning)(CLOCK, f"{_apart(ahead).strip()} {refused}", _NTP)
