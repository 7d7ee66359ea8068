"""The routes on which something is done to a session, or told about it."""

from typing import Final

from orchestrator.configuration.credentials import Scope
from orchestrator.web import commands, livekit_errors
from orchestrator.web.attempts import AttemptAnswer, Attempts
from orchestrator.web.command_models import AgentAnswer, AgentRequest, SwitchAnswer, SwitchRequest
from orchestrator.web.commands import Commands
from orchestrator.web.cors import Cors
from orchestrator.web.routes import (
    AGENT,
    BODY_REFUSALS,
    PROTECTED,
    REPEATABLE,
    ROOM,
    UNAVAILABLE,
    Answer,
    Parameter,
    Route,
    refusal,
)
from orchestrator.web.transcripts import TranscriptDoor, TranscriptRequest, TranscriptView

_HOLD: Final = (
    Parameter("hold", "query", "`verified`: answer only when the agent is there, or the time is up.", {"enum": ["verified"]}),
    Parameter(
        "hold_seconds",
        "query",
        f"For how long; {commands.LONGEST_HOLD:g} at the most.",
        {"type": "number", "minimum": 0, "default": commands.USUAL_HOLD},
    ),
)
_NO_SESSION: Final = refusal("There is no live session of this room.")
_TAKEN: Final = refusal("The agent is in this session already, or may come to it as another one's fallback.")
_UNKNOWN_AGENT: Final = refusal("No such agent is configured (`near` lists names like it), or its metadata cannot be used.")


def session_routes(commands: Commands, attempts: Attempts, transcripts: TranscriptDoor, cors: Cors) -> tuple[Route, ...]:
    """A table. `cors`: which pages may have an agent sent into a room."""
    return (
        Route(
            "POST",
            "/sessions/{room}/agents",
            cors.guard(commands.add),
            scope=(Scope.OPERATE, Scope.MINT),
            sees_to_scope=True,
            name="addAgent",
            summary="Have an agent in a room, which is created if it does not exist.",
            answers={
                201: Answer("It is placed.", AgentAnswer),
                409: _TAKEN,
                422: _UNKNOWN_AGENT,
                429: refusal("This caller asks too often; ask again after Retry-After seconds."),
                502: refusal(livekit_errors.ANSWERS[502]),
                503: refusal("The store or LiveKit cannot be reached; ask again after Retry-After seconds."),
                **BODY_REFUSALS,
                **PROTECTED,
                403: refusal("This caller, or a page of this origin, may not ask for this."),
            },
            parameters=(ROOM, *_HOLD, REPEATABLE),
            accepts=AgentRequest,
        ),
        Route(
            "OPTIONS",
            "/sessions/{room}/agents",
            cors.preflight("POST"),
            scope=None,
            name="preflightAgent",
            summary="What a browser asks before its page may have an agent sent into a room.",
            answers={
                204: Answer("The page may.", media_type=None),
                403: refusal("Pages of this origin may not."),
            },
            parameters=(ROOM,),
        ),
        Route(
            "DELETE",
            "/sessions/{room}/agents/{agent}",
            commands.remove,
            scope=(Scope.OPERATE, Scope.WORKER),
            name="removeAgent",
            summary="Take an agent out of a session; it is not replaced.",
            answers={
                204: Answer("It is, or was, taken out.", media_type=None),
                404: refusal("There is no live session of this room, or none that ever wanted this agent."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(ROOM, AGENT),
        ),
        Route(
            "POST",
            "/sessions/{room}/switch",
            commands.switch,
            scope=(Scope.OPERATE, Scope.WORKER),
            name="switchAgent",
            summary="Put an agent in another one's place: it is verified before the other one leaves.",
            answers={
                200: Answer("It is there.", SwitchAnswer),
                202: Answer("It is on its way.", SwitchAnswer),
                404: refusal("There is no live session of this room, or it has no such agent to be relieved."),
                409: _TAKEN,
                422: _UNKNOWN_AGENT,
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(ROOM, *_HOLD, REPEATABLE),
            accepts=SwitchRequest,
        ),
        Route(
            "GET",
            "/sessions/{room}/attempts/{attempt}",
            attempts.get,
            scope=(Scope.WORKER, Scope.READ),
            name="getAttempt",
            summary="Whether an attempt is still the one: a worker that is handed another one rejects its job.",
            answers={
                200: Answer("The attempt.", AttemptAnswer),
                404: refusal("There is no such session, or it has no such attempt."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(ROOM, Parameter("attempt", "path", "The attempt_id of the job's attributes and metadata.")),
        ),
        Route(
            "GET",
            "/sessions/{room}/transcript",
            transcripts.get,
            scope=Scope.READ,
            name="getTranscript",
            summary="What was said, where the persona of the agent tells it.",
            answers={
                200: Answer("All that is kept, in the order in which it was said.", TranscriptView),
                404: refusal("There is no session of this room."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(ROOM,),
        ),
        Route(
            "POST",
            "/sessions/{room}/transcript",
            transcripts.post,
            scope=Scope.WORKER,
            name="addToTranscript",
            summary="What was said since the last time; an item that comes again is kept once.",
            answers={
                204: Answer("It is kept.", media_type=None),
                404: _NO_SESSION,
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(ROOM,),
            accepts=TranscriptRequest,
        ),
    )
