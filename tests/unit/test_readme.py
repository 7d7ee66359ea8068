"""What the README shows works."""

import re
from pathlib import Path

from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.core.causes import Cause

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_its_configuration_is_valid_and_routes_as_it_says(tmp_path: Path) -> None:
    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "routes:" in block)
    file = tmp_path / "rollcall.yaml"
    file.write_text(shown)
    checked = CliRunner().invoke(app, ["config", "check", str(file)])
    assert checked.exit_code == 0, checked.output
    routed = CliRunner().invoke(app, ["route", "test", "--room", "support-blue-1", "--config", str(file), "--json"])
    assert routed.exit_code == 0
    assert '"team": "blue"' in routed.output


def test_the_causes_that_it_lists_are_causes() -> None:
    table = README[README.index("| cause |") : README.index("Alerts go to")]
    named = set(re.findall(r"`(\w+)`", table))
    assert named
    assert named <= {cause.value for cause in Cause}
