"""What the service's refusals mean to whoever typed the command."""

import json
from http import HTTPStatus
from typing import Any, Final

from orchestrator.client.errors import CommandFailed, Unreachable
from orchestrator.client.text import agent, printable
from orchestrator.exits import ExitCode

_SERVER_ERRORS: Final = 500
_USAGE: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


def refusal(url: str, status: int, body: bytes, *, scope: str, location: str | None = None) -> CommandFailed:
    """The error for an answer that is none of success. `scope`: what a token needs for this request."""
    problem = _problem(body)
    detail = printable(str(problem.get("detail") or problem.get("title") or f"It answers {status}."))
    if location is not None:
        fix = "Give the address that it answers at in the end with ROLLCALL_URL or --url."
        return CommandFailed(ExitCode.FAILED, f"{url} sends callers on to {printable(location)}.", fix)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        fix = f"Set ROLLCALL_API_TOKEN (or ROLLCALL_API_TOKEN_FILE) to one of the service's tokens of scope {scope}."
        return CommandFailed(ExitCode.FAILED, detail, fix)
    if status == HTTPStatus.NOT_FOUND:
        return _not_found(url, problem, detail)
    if status >= _SERVER_ERRORS:
        return Unreachable(f"The service at {url} cannot do this now: {detail}", "Look at its /readyz and its log.")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return CommandFailed(ExitCode.FAILED, detail, "Ask again in a moment.")
    return CommandFailed(ExitCode.USAGE if status in _USAGE else ExitCode.FAILED, _about(problem, detail), _names(problem))


def _not_found(url: str, problem: dict[str, Any], detail: str) -> CommandFailed:
    if not problem:
        fix = "Correct ROLLCALL_URL or --url: what answers there is no Rollcall, or one behind another path."
        return CommandFailed(ExitCode.NOT_FOUND, f"{url} has no such address.", fix)
    # The service has put the nearest one into its sentence; here all of them are listed.
    sentence = detail.partition(" Did you mean")[0]
    return CommandFailed(ExitCode.NOT_FOUND, sentence, _names(problem))


def _about(problem: dict[str, Any], detail: str) -> str:
    parameter = problem.get("parameter")
    return f"{printable(str(parameter))}: {detail}" if parameter else detail


def _names(problem: dict[str, Any]) -> str:
    """What could have been meant."""
    if near := _listed(problem.get("near")):
        return f"Did you mean {near}?"
    if agents := _listed(problem.get("agents")):
        return f"Its agents: {agents}."
    if allowed := _listed(problem.get("allowed")):
        return f"It may be one of {allowed}."
    return ""


def _listed(names: object) -> str:
    return ", ".join(agent(str(name)) for name in names) if isinstance(names, list) else ""


def _problem(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
