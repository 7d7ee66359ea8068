"""With which codes the command ends: the same for each subcommand."""

from enum import IntEnum


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNHEALTHY = 4
    """The service, or what it needs, does not do its work."""
    INTERRUPTED = 130
    """By Ctrl-C, as a shell has it."""
