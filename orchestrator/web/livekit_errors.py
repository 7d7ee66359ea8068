"""What a caller is told when LiveKit did not do what the request needed."""

from typing import Final

from aiohttp import web

from orchestrator.runtime.ports import LiveKitError, LiveKitRejectedCredentials, LiveKitRejectedRequest
from orchestrator.web.problems import problem

RETRY_AFTER: Final = 2
"""Seconds."""

ANSWERS: Final = {
    422: "LiveKit calls the request invalid.",
    502: "LiveKit refuses the API key with which Rollcall calls it.",
    503: "LiveKit cannot be reached; ask again after Retry-After seconds.",
}
"""What `livekit_problem` may answer, for the documents."""


def livekit_problem(error: LiveKitError) -> web.Response:
    match error:
        case LiveKitRejectedRequest():
            return problem(422, "Unprocessable Content", ANSWERS[422])
        case LiveKitRejectedCredentials():
            return problem(502, "Bad Gateway", f"{ANSWERS[502]} Its operators are told why.")
        case _:
            return problem(503, "Service Unavailable", "LiveKit cannot be reached.", headers={"Retry-After": str(RETRY_AFTER)})
