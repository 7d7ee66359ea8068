"""The process around one command: the service that is asked, and the code that comes of it."""

from collections.abc import Callable

from orchestrator.client.errors import CommandFailed
from orchestrator.client.printing import complain
from orchestrator.client.service import Service, connect
from orchestrator.exits import ExitCode


def run(work: Callable[[Service], ExitCode], url: str | None) -> ExitCode:
    """What the command ends with. `url`: where the service is; None: where the environment says."""
    try:
        return work(connect(url))
    except CommandFailed as failed:
        complain(failed)
        return failed.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
