"""The Dockerfiles' commands are known to work: they are carried out in a directory, and what comes of it serves.

By its steps, and not by an engine for containers: what an engine itself adds (the base images, Debian's packages) is the
host's here.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import stat
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until
from tests.integration.deploy.dockerfile import PlainBuild, context, parse
from tests.unit.deploy.installed import tool

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "deploy" / "images"

UID = 10001 if os.geteuid() == 0 else os.geteuid()
"""The image's own user, where we may become another one."""

LIMIT = 200_000_000
"""Bytes of the service's image, unpacked."""

BASE = 92_000_000
"""Bytes of the stage `base`: its commands, carried out in a Debian 13 that debootstrap had made, without the documents and
translations that the image debian:trixie-slim leaves out, too (2026-11-21)."""


def interpreter() -> Path:
    """A Python of this host that every user may run: the one of a developer's home often is not."""
    for path in (Path(sys.executable).resolve(), Path("/usr/bin/python3").resolve()):
        if path.exists() and all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents)):
            return path
    pytest.fail("no Python on this host that another user may run (Debian: apt-get install python3)")


@pytest.fixture
def built() -> Iterator[PlainBuild]:
    """The service's image, in a directory that another user can look into. It takes 15 s: one test looks at all of it."""
    for program, package in (("strip", "binutils"), ("npm", "npm"), ("setpriv", "util-linux")):
        tool(program, package)
    directory = Path(tempfile.mkdtemp(prefix="rollcall-image-"))
    try:
        directory.chmod(0o755)
        source, programs = directory / "source", directory / "programs"
        for file in context(ROOT):
            (source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, source / file)
        programs.mkdir()
        python = programs / "python3"
        # pip is the checkout's: a host's own Python may have none.
        python.write_text(
            f'#!/bin/sh\n[ "$1 $2" = "-m pip" ] && exec {sys.executable} "$@"\nexec {interpreter()} "$@"\n', encoding="utf-8"
        )
        python.chmod(0o755)
        build = PlainBuild(source, directory, programs, UID)
        build.build(parse((IMAGES / "orchestrator.Dockerfile").read_text()))
        yield build
    finally:
        shutil.rmtree(directory)


@pytest.mark.parametrize("name", ["orchestrator", "worker"])
def test_an_image_runs_as_a_numbered_user_gets_its_signals_and_says_what_it_is_and_how_it_is(name: str) -> None:
    text = (IMAGES / f"{name}.Dockerfile").read_text()
    stages = parse(text)
    image = stages[-1]
    assert image.one("USER") == "10001:10001"
    assert image.one("STOPSIGNAL") == "SIGTERM"
    assert image.command("ENTRYPOINT")
    assert image.health()[0] == "python3"
    assert {label.split("=")[0].rpartition(".")[2] for label in shlex.split(image.one("LABEL"))} == {
        "title", "description", "licenses", "version", "revision",
    }  # fmt: skip
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"VERSION={project['version']}" in image.all("ARG")
    # Every base has a tag, and a name by which a digest can be given.
    bases = dict(
        argument.split("=", 1) for argument in re.findall(r"^ARG (\w+=\S+)$", text.partition("FROM ")[0], re.MULTILINE)
    )
    assert all(re.fullmatch(r"docker\.io/library/\w+:[\w.-]+", base) for base in bases.values())
    assert {stage.base for stage in stages} <= {f"${{{base}}}" for base in bases} | {"scratch"}
    # Nothing is installed but by hash.
    installs = [step for stage in stages for step in stage.all("RUN") if " install " in step and " -r " in step]
    assert installs
    assert all("--require-hashes" in step for step in installs)


def test_a_build_sees_no_secret_and_no_history() -> None:
    seen = {path.as_posix() for path in context(ROOT)}
    assert {"pyproject.toml", "Makefile", "orchestrator/app.py", "worker/main.py", "requirements/image.txt"} <= seen
    assert not [
        path for path in seen if ".env" in path or "__pycache__" in path or path.startswith((".git", "tests/", "docs/"))
    ]
    assert not [path for path in seen if "livekit-client" in path or "node_modules" in path]


def nothing_but_debian_s_packages_was_the_host_s(built: PlainBuild) -> None:
    packages = [step.partition("--no-install-recommends ")[2].split("&&")[0].split() for step in built.skipped]
    assert packages == [["binutils", "python3-pip", "python3-venv"], ["ca-certificates", "python3"]]


def nothing_but_the_state_directory_may_be_written(built: PlainBuild) -> None:
    root = built.now.resolve()
    writable = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if not path.is_symlink()
        and ((info := path.stat()).st_mode & stat.S_IWOTH or (os.geteuid() == 0 and info.st_uid == UID))
    }
    assert {path.partition("/valkey")[0] for path in writable} <= {"var/lib/rollcall"}


def no_tool_that_builds_or_installs_is_left(built: PlainBuild) -> None:
    names = {path.name for path in built.now.resolve().rglob("*")}
    assert not names & {"pip", "pip3", "setuptools", "hatchling", "wheel", "node_modules", "gcc"}
    assert not {path.name for path in built.place("/opt").iterdir()} - {"rollcall"}


def it_is_smaller_than_promised(built: PlainBuild) -> None:
    root = built.now.resolve()
    size = sum(path.lstat().st_size for path in root.rglob("*"))
    assert size > 40_000_000
    assert BASE + size < LIMIT, f"{(BASE + size) / 1e6:.0f} MB"


async def finished(command: list[str], environment: dict[str, str]) -> tuple[int | None, str]:
    """A program's exit code, and all that it wrote."""
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    written, _ = await process.communicate()
    return process.returncode, written.decode()


@pytest.mark.timeout(300)
async def test_the_steps_of_the_service_s_image_make_a_small_one_that_serves_as_another_user_who_may_write_nothing(
    built: PlainBuild, tmp_path: Path
) -> None:
    nothing_but_debian_s_packages_was_the_host_s(built)
    nothing_but_the_state_directory_may_be_written(built)
    no_tool_that_builds_or_installs_is_left(built)
    it_is_smaller_than_promised(built)
    image = parse((IMAGES / "orchestrator.Dockerfile").read_text())[-1]
    own = {name: built.mapped(value) for name, value in image.environment().items()}
    port = free_port()
    environment = clean_environment(
        **own,
        LIVEKIT_URL="ws://127.0.0.1:1",
        LIVEKIT_API_KEY="key",
        LIVEKIT_API_SECRET="a-secret-of-at-least-32-characters",
        ROLLCALL_API_TOKENS="operate:a-token-to-operate-of-the-tests,mint:a-token-to-mint-of-the-tests",
        ROLLCALL_HOST=LOOPBACK,
        ROLLCALL_PORT=str(port),
        ROLLCALL_DRAIN="0s",
    )
    environment.pop("PYTHONPATH", None)
    user, group = image.one("USER").split(":")
    assert user == group == "10001"
    somebody = [f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--bounding-set=-all"] if os.geteuid() == 0 else []
    identity = ["setpriv", "--no-new-privs", *somebody]
    within = [*identity, "env", "-C", str(built.place(image.all("WORKDIR")[-1]))]

    assert await finished([*within, *image.command("ENTRYPOINT"), "--version"], environment) == (0, "rollcall 0.1.0\n")

    command = [*within, *image.command("ENTRYPOINT"), *image.command("CMD")]
    process = ChildProcess(command, log=tmp_path / "log", environment=environment)
    process.start()
    try:
        async with ClientSession() as http:
            for path in ("livez", "readyz", "debug"):

                async def answers(path: str = path) -> bool:
                    with suppress(ClientConnectionError):
                        async with http.get(f"http://{LOOPBACK}:{port}/{path}") as answer:
                            return answer.status == 200
                    return False

                await wait_until(answers, timeout=30, description=f"{path} says 200: {process.logged()}")
        assert await finished([*within, *image.health()], environment) == (0, "")
        process.signal(signal.SIGTERM)
        assert await process.ended(timeout=10) == 0, process.logged()
    finally:
        await process.clear_away()
    assert (await finished([*within, *image.health()], environment))[0] != 0
