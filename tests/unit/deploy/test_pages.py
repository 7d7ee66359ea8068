"""What the pages need from npm: copied as it is, left out where npm is not, and locked without a registry's address."""

import gzip
import json
from pathlib import Path

import pytest

from deploy.tools import pages

AN_NPM_THAT_FAILS = """#!/bin/sh
echo "npm error code ENETWORK" >&2
exit 1
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    monkeypatch.setattr("sys.argv", ["pages"])
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
    assert pages.main() == exit_code
    assert pages.LEFT_OUT in capsys.readouterr().err


def test_an_npm_that_fails_says_why(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    npm(programs, AN_NPM_THAT_FAILS)
    assert pages.main() == 1
    said = capsys.readouterr().err
    assert "ENETWORK" in said
    assert pages.LEFT_OUT in said


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """npm's packages, of one line each."""
    for copied in pages.COPIED:
        source = tmp_path / "node_modules" / copied.source
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(f'import{{a}}from"{copied.imports}"' if copied.imports else f"// {copied.source}")
        (tmp_path / "web" / copied.target).parent.mkdir(parents=True, exist_ok=True)
    return tmp_path / "node_modules"


def test_the_modules_and_their_licences_are_copied_and_the_modules_are_compressed_too(packages: Path, tmp_path: Path) -> None:
    pages.copy(packages, tmp_path / "web")
    assert (tmp_path / "web/page/livekit-client.LICENSE.txt").read_text() == "// livekit-client/LICENSE"
    module = tmp_path / "web/screen/preact.mjs"
    assert module.read_text() == "// preact/dist/preact.mjs"
    assert gzip.decompress(module.with_name("preact.mjs.gz").read_bytes()) == module.read_bytes()


def test_a_module_that_imports_another_by_name_gets_its_address(packages: Path, tmp_path: Path) -> None:
    pages.copy(packages, tmp_path / "web")
    assert (tmp_path / "web/screen/preact-hooks.mjs").read_text() == 'import{a}from"./preact.mjs"'


def test_a_module_that_imports_in_another_way_than_it_did_is_refused(packages: Path, tmp_path: Path) -> None:
    (packages / "preact/hooks/dist/hooks.mjs").write_text('import { a } from "preact"')
    with pytest.raises(pages.NotFetched, match="does not import preact once"):
        pages.copy(packages, tmp_path / "web")


def test_the_lock_names_versions_and_hashes_and_no_address() -> None:
    text = pages.LOCK.read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    manifest = json.loads((pages.PACKAGE / "package.json").read_text())
    for name, version in (manifest["dependencies"] | manifest["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
