"""Whether an attempt is still the one: what a worker asks before it takes a job that may have been given up meanwhile."""

from aiohttp import web

from orchestrator.web.answers import View, answer
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused
from orchestrator.web.sessions import SessionReader, find_session, not_found


class AttemptAnswer(View):
    """One attempt to bring an agent into a session."""

    attempt_id: str
    number: int
    agent_name: str
    current: bool
    """False: a newer one has replaced it, or nobody wants the agent any more. A worker then rejects its job."""


class Attempts:
    """The handler."""

    def __init__(self, store: SessionReader) -> None:
        self._store = store

    async def get(self, request: web.Request) -> web.Response:
        """Raises Refused for a session or an attempt that is not known."""
        room, attempt_id = request.match_info["room"], request.match_info["attempt"]
        session = await find_session(self._store, room)
        if session is None:
            raise Refused(not_found(room, ()))
        for placement in session.placements:
            for attempt in placement.attempts:
                if attempt.attempt_id == attempt_id:
                    return answer(
                        AttemptAnswer(
                            attempt_id=attempt_id,
                            number=attempt.number,
                            agent_name=attempt.agent_name,
                            current=attempt.open and not session.ended,
                        )
                    )
        raise Refused(problem(404, "Not Found", "This session has no such attempt."))
