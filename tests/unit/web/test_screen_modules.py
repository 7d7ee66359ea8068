"""The screen's modules that show nothing: their own tests, which Node runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = "orchestrator/web/screen"
TESTS = "tests/screen"


def test_the_tests_of_the_screens_modules_pass(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop("no node: the tests of the screen's modules need Node 18 or later")
    for folder in (MODULES, TESTS):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.gz"))
    (tmp_path / "package.json").write_text('{"type": "module"}')  # what browsers know, older Nodes want to be told
    files = sorted((tmp_path / TESTS).glob("*.test.js"))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout
    assert "# tests 0" not in done.stdout
