"""What the refusal of a PerformRpc tells about the participant that was asked.

LiveKit hands the participant's own RpcError through in its message ("twirp error unknown: RpcError 1400: Method not
supported at destination"), and speaks of its own in the same form. Seen on 1.13.5; the numbers are those of LiveKit's
data channel RPC.
"""

import re
from typing import Final

from livekit.api.twirp_client import ServerError, ServerErrorCode

from orchestrator.runtime.ports import Pulse

_RPC_ERROR: Final = re.compile(r"\bRpcError (\d{1,10}):")

_NOT_THE_PARTICIPANTS: Final = {
    1401: Pulse.NOT_THERE,  # recipient not found
    1402: Pulse.UNKNOWN,  # the request was too large to be sent
    1403: Pulse.UNKNOWN,  # the server that the participant is on cannot do this
    1501: Pulse.SILENT,  # the participant did not even acknowledge
    1502: Pulse.SILENT,  # it did not answer in time
    1503: Pulse.NOT_THERE,  # it left while it was being asked
    1505: Pulse.UNKNOWN,  # the request could not be sent
}
"""RpcErrors that somebody else says about the participant. Every other one is its own answer: it lives."""


def pulse_in(error: ServerError) -> Pulse:
    """Read a refused PerformRpc."""
    if said := _RPC_ERROR.search(str(error.message)):
        return _NOT_THE_PARTICIPANTS.get(int(said[1]), Pulse.ALIVE)
    match error.status, error.code:
        case (503, ServerErrorCode.UNAVAILABLE) | (404, ServerErrorCode.NOT_FOUND):
            return Pulse.NOT_THERE
        case (404, ServerErrorCode.BAD_ROUTE):
            return Pulse.UNSUPPORTED
        case _:  # a 503 without LiveKit's code is a proxy's: the participant was not asked
            return Pulse.UNKNOWN
