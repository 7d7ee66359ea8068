"""Who may have an agent sent into a room without being an operator: whoever may ask for a token for it."""

from aiohttp import web

from orchestrator.web.callers import Caller, Callers
from orchestrator.web.ratelimit import RateLimit
from orchestrator.web.token_rules import Rules


class Admission:
    """The rules of the `token:` block, and its rate, which both doors count together."""

    def __init__(self, callers: Callers, limit: RateLimit, rules: Rules) -> None:
        self._callers = callers
        self._limit = limit
        self._rules = rules

    async def caller(self, request: web.Request) -> Caller:
        """Raises Refused for whoever may not ask at all, or not so often."""
        caller = await self._callers.caller(request)
        self._limit.take(caller.name)
        return caller

    def allow_agent(self, caller: Caller, room: str) -> None:
        """Raises Refused for whoever may not have an agent sent into this room."""
        self._rules.allow_agent(caller, room)
