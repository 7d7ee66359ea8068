"""The debug page's part from npm: copied as it is, left out where npm is not, and locked without a registry's address."""

import gzip
import json
from pathlib import Path

import pytest

from deploy.tools import debug_page

AN_NPM_THAT_FAILS = """#!/bin/sh
echo "npm error code ENETWORK" >&2
exit 1
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    monkeypatch.setattr("sys.argv", ["debug_page"])
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def npm(folder: Path, text: str) -> None:
    (folder / "npm").write_text(text)
    (folder / "npm").chmod(0o755)


@pytest.mark.parametrize(("ci", "exit_code"), [("true", 1), ("", 0)])
def test_without_npm_the_page_is_left_out_which_fails_under_ci_alone(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, exit_code: int
) -> None:
    monkeypatch.setenv("CI", ci)
    assert debug_page.main() == exit_code
    assert debug_page.LEFT_OUT in capsys.readouterr().err


def test_an_npm_that_fails_says_why(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    npm(programs, AN_NPM_THAT_FAILS)
    assert debug_page.main() == 1
    said = capsys.readouterr().err
    assert "ENETWORK" in said
    assert debug_page.LEFT_OUT in said


def test_the_library_and_its_licence_are_copied_and_the_library_is_compressed_too(tmp_path: Path) -> None:
    package, page = tmp_path / "package", tmp_path / "page"
    (package / "dist").mkdir(parents=True)
    page.mkdir()
    (package / "dist" / "livekit-client.esm.mjs").write_text("export {}")
    (package / "LICENSE").write_text("Apache")
    debug_page.copy(package, page)
    assert (page / "livekit-client.mjs").read_text() == "export {}"
    assert gzip.decompress((page / "livekit-client.mjs.gz").read_bytes()) == b"export {}"
    assert (page / "livekit-client.LICENSE.txt").read_text() == "Apache"


def test_the_lock_names_versions_and_hashes_and_no_address() -> None:
    text = debug_page.LOCK.read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((debug_page.PACKAGE / "package.json").read_text())["dependencies"]
    assert packages["node_modules/livekit-client"]["version"] == wanted["livekit-client"]
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
