"""Who does it, for the audit log and for whoever sees what was done."""

from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.core.audit import Action, Deed
from orchestrator.web.auth import ACCESS


def deed(
    request: web.Request,
    action: Action,
    reason: str = "",
    *,
    room: str | None = None,
    sid: str | None = None,
    agent_name: str | None = None,
    target: str | None = None,
    taken: int | None = None,
) -> Deed:
    """What the caller of this request asks for."""
    return Deed(action, _scope(request), reason, room, sid, agent_name, target, taken, by=request[ACCESS].name)


def doer(request: web.Request) -> str:
    """The caller's name where it is known, otherwise the scope by which the caller may do this."""
    return request[ACCESS].name or _scope(request)


def _scope(request: web.Request) -> str:
    """A caller of the token door has none of ours."""
    scopes = request[ACCESS].scopes
    return next((s.value for s in (Scope.OPERATE, Scope.WORKER, Scope.MINT) if s in scopes), "caller")
