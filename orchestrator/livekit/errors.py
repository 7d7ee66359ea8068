"""What livekit-api raises, translated once, at this edge, into the errors of the runtime's ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api.twirp_client import ServerError, ServerErrorCode

from orchestrator.runtime.ports import (
    LiveKitError,
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
)

NO_ANSWER: Final = (
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    DecodeError,
    AttributeError,  # livekit-api reads an error's body with .get, whatever JSON a proxy has put there
)
"""What a call raises when no answer came, or one that is none."""

_QUOTED: Final = 200
"""Characters of LiveKit's own words in a message of ours."""


@contextmanager
def translated(call: str) -> Iterator[None]:
    """Run one call to LiveKit; whatever it raises leaves as a LiveKitError that names the call, and never a token."""
    try:
        yield
    except ServerError as error:
        raise _of_answer(call, error) from error
    except NO_ANSWER as error:
        raise LiveKitUnavailable(f"{call}: no answer ({type(error).__name__})") from error


def _of_answer(call: str, error: ServerError) -> LiveKitError:
    message = f"{call}: {error.status} {error.code}: {str(error.message)[:_QUOTED]}"
    match error.status, error.code:
        case (401 | 403, _):  # a wrong secret is a 401 with an empty body, which has no code
            return LiveKitRejectedCredentials(message)
        case (404, ServerErrorCode.NOT_FOUND):  # a proxy's 404 does not say that the thing is gone
            return NotFound(message)
        case (400, _):
            return LiveKitRejectedRequest(message)
        case _:
            return LiveKitUnavailable(message)
