"""The LiveKit agents that get dispatched. Of the orchestrator it knows `orchestrator.contract` and nothing else.

What a worker of a team's own needs of it stands here: `attach`, `accept` and `announce`. They live in modules of other
names, because a module `worker.attach` would hide the function `worker.attach`; and they are imported when they are
asked for, so that a part of the package weighs no more than it must.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.admission import accept as accept
    from worker.attachment import Roll as Roll
    from worker.attachment import attach as attach
    from worker.presence import announce as announce

_HOMES = {
    "Roll": "worker.attachment",
    "accept": "worker.admission",
    "announce": "worker.presence",
    "attach": "worker.attachment",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(home), name)
