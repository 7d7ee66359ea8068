"""`rollcall completion`."""

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.exits import ExitCode


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_what_is_printed_has_the_shell_ask_this_command(shell: str) -> None:
    ran = CliRunner().invoke(app, ["completion", shell])

    assert ran.exit_code == ExitCode.OK
    assert "_ROLLCALL_COMPLETE" in ran.stdout


def test_the_command_completes_what_was_begun() -> None:
    asked = {"_ROLLCALL_COMPLETE": "complete_bash", "COMP_WORDS": "rollcall se", "COMP_CWORD": "1"}

    assert CliRunner().invoke(app, env=asked, prog_name="rollcall").stdout.split() == ["serve", "sessions"]


def test_another_shell_is_a_wrong_use() -> None:
    ran = CliRunner().invoke(app, ["completion", "tcsh"])

    assert (ran.exit_code, "tcsh is none of bash" in ran.stderr) == (ExitCode.USAGE, True)
