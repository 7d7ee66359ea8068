"""A livekit-server is found where people expect it, built once where there is none, and its absence is said in one sentence."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.tools import livekit_server

A_GO_THAT_BUILDS = """#!/bin/sh
echo "go: downloading $3" >&2
echo "github.com/livekit/livekit-server/cmd/server" >&2
printf '#!/bin/sh\n' > "$GOBIN/server" && /bin/chmod +x "$GOBIN/server"
"""
A_GO_THAT_FAILS = """#!/bin/sh
echo "go: no network" >&2
exit 1
"""


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv(livekit_server.VARIABLE, raising=False)


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def built(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "rollcall" / f"livekit-server-{livekit_server.VERSION}" / "livekit-server"


def run(monkeypatch: pytest.MonkeyPatch, argument: str) -> int:
    monkeypatch.setattr("sys.argv", ["livekit_server", argument])
    return livekit_server.main()


def test_the_one_that_is_named_comes_before_the_one_on_the_path_and_that_before_the_one_built_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert livekit_server.find() is None
    cached = program(built(tmp_path))
    assert livekit_server.find() == cached
    installed = program(tmp_path / "bin" / "livekit-server")
    assert livekit_server.find() == installed
    named = program(tmp_path / "elsewhere" / "lk")
    monkeypatch.setenv(livekit_server.VARIABLE, str(named))
    assert livekit_server.find() == named


def test_a_name_that_is_no_program_is_refused_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "bin" / "livekit-server")
    monkeypatch.setenv(livekit_server.VARIABLE, "/nowhere/lk")
    assert run(monkeypatch, "--path") == 1
    assert "/nowhere/lk, which is no program" in capsys.readouterr().err


def test_the_path_alone_goes_to_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = program(tmp_path / "bin" / "livekit-server")
    assert run(monkeypatch, "--path") == 0
    assert capsys.readouterr() == (f"{installed}\n", "")


def test_one_is_built_once_and_leaves_nothing_but_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = program(tmp_path / "bin" / "go", A_GO_THAT_BUILDS)
    assert run(monkeypatch, "--build") == 0
    assert list(built(tmp_path).parent.iterdir()) == [built(tmp_path)]
    program(go, A_GO_THAT_FAILS)
    assert run(monkeypatch, "--build") == 0


def test_two_that_want_one_at_the_same_time_build_it_once(tmp_path: Path) -> None:
    times = tmp_path / "times"
    program(tmp_path / "bin" / "go", A_GO_THAT_BUILDS.replace("#!/bin/sh\n", f'#!/bin/sh\necho built >> "{times}"\n'))
    both = threading.Barrier(2)

    def want() -> Path | None:
        both.wait(timeout=10)
        return livekit_server.ensure(lambda line: None)

    with ThreadPoolExecutor(2) as threads:
        found = [wish.result() for wish in [threads.submit(want) for _ in range(2)]]
    assert found == [built(tmp_path)] * 2
    assert times.read_text() == "built\n"


def test_a_failed_build_says_why_and_how_to_get_one_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "bin" / "go", A_GO_THAT_FAILS)
    assert run(monkeypatch, "--build") == 1
    said = capsys.readouterr().err
    assert "go: no network" in said
    assert livekit_server.HOW_TO_GET_ONE in said
    assert list(built(tmp_path).parent.iterdir()) == []


@pytest.mark.parametrize(("ci", "exit_code"), [("true", 1), ("", 0)])
def test_its_absence_fails_under_ci_alone(monkeypatch: pytest.MonkeyPatch, ci: str, exit_code: int) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PATH", "/nowhere")
    assert run(monkeypatch, "--build") == exit_code
