"""Why a command could not do what it was asked for, and what to do about it."""

from orchestrator.exits import ExitCode
from orchestrator.runtime.ports import RollcallError


class CommandFailed(RollcallError):
    """`message` says what is wrong, `fix` what to do; `code` is what the command ends with."""

    def __init__(self, code: ExitCode, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class Unreachable(CommandFailed):
    """The service does not answer, or says that it cannot now: it may, a moment later."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(ExitCode.UNHEALTHY, message, fix)
