"""The process around a command."""

import pytest

from orchestrator.client.errors import CommandFailed
from orchestrator.client.running import run
from orchestrator.client.service import Service
from orchestrator.exits import ExitCode


def test_ctrl_c_ends_a_command_as_a_shell_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_service: Service) -> ExitCode:
        raise KeyboardInterrupt

    assert run(interrupted, "http://rollcall.example") is ExitCode.INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_what_goes_wrong_is_told_on_standard_error_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def failing(_service: Service) -> ExitCode:
        raise CommandFailed(ExitCode.NOT_FOUND, "There is none.", "Look elsewhere.")

    assert run(failing, "http://rollcall.example") is ExitCode.NOT_FOUND
    assert capsys.readouterr() == ("", "error: There is none. Look elsewhere.\n")
