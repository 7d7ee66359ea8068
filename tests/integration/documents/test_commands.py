"""Every command in the documents does what it is shown to do; those that cannot be run here are at least understood."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator, Iterable
from itertools import chain
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.configuration.environment import CALLERS, SECRET, variable
from orchestrator.settings.model import Configuration
from tests.e2e.harness.child import OURS, clean_environment
from tests.integration.documents.commanding import CHILDREN, INLINE, PATH, bare, misunderstood, reason_not_to_run
from tests.integration.documents.fences import DOCUMENTS, ROOT, Block, Command, blocks_in, commands_in
from tests.integration.documents.likeness import missing, unbroken
from tests.integration.documents.scene import Scene, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDRESSES = re.compile(r"(?:https?://)?(?:localhost:8080|rollcall\.(?:example|internal)(?::8080)?)(?![\w.])")

ILLUSTRATED = {
    # It shows what a wrong secret looks like; here all is well, and how fast the store is depends on the machine.
    "docs/doctor.md: rollcall doctor": ("failed", "skipped", "warning", "Not well", "ok       redis "),
    # Here a stock worker of mary serves another room, of which more or less is known by then.
    "docs/cli.md: rollcall explain support-18": ("Evidence",),
    # Here tom is well.
    "docs/how-to/canaries.md: rollcall canary tom": ("tom: failed", "Fix"),
}
"""Where an output is an example of something else than happens here: the beginnings of the lines that differ."""

ID = re.compile(r"\b[0-9a-f]{12}\b")
"""Of what a command made, and a later one names."""

VARIABLES = {
    *(variable(name) for name in Configuration.model_fields),
    *(variable(name) + "_FILE" for name in SECRET),
    *CALLERS,
    *("PATH", "LIVEKIT_AGENT_NAME", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    *("ROLLCALL_CLOUD_URL", "ROLLCALL_CLOUD_KEY", "ROLLCALL_CLOUD_SECRET", "ROLLCALL_CLOUD_WEBHOOKS"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    with pytest.MonkeyPatch.context() as environment, capture_logs():
        environment.chdir(tmp_path_factory.mktemp("documents"))
        for name in [name for name in os.environ if name.startswith(OURS)]:  # noqa: TID251 - to be rid of it, not to read it
            environment.delenv(name)
        async with scene(Path.cwd()) as opened:
            yield opened


def commands_of(path: Path) -> list[Command]:
    found = chain.from_iterable(commands_in(block) for block in blocks_in(path) if block.language == "console")
    # A runbook shows the same command under many causes: once is enough.
    return list({(command.text, command.shown): command for command in found}.values())


COMMANDING = [path for path in DOCUMENTS if commands_of(path)]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", COMMANDING, ids=name_of)
async def test_the_commands_of_a_document_work_in_their_order(document: Path, stage: Scene) -> None:
    await stage.set()
    complaints = [f"{command}: {why}" for command in commands_of(document) if (why := await wrong(command, stage))]
    assert complaints == []


async def wrong(command: Command, stage: Scene) -> str | None:
    """What is wrong with a command, by running it; of one that is not run, by reading it."""
    if command.text.startswith("export "):
        return wrong_variables(command.text)
    if bare(command.text).startswith("rollcall ") and (why := misunderstood(bare(command.text))):
        return why
    if reason_not_to_run(command.text):
        return wrong_words(bare(command.text))
    typed = ID.sub(lambda shown: stage.ids.get(shown[0], shown[0]), ADDRESSES.sub(stage.url, command.text))
    code, output = await run(typed, stage)
    if code != 0:
        return f"exit code {code}: {output[-800:]}"
    apart = ILLUSTRATED.get(f"{command.block.document}: {command.text}", ())
    lost = missing(tuple(line for line in unbroken(command.shown) if not line.startswith(apart or "\0")), output)
    stage.ids.update(zip(ID.findall("\n".join(command.shown)), ID.findall(output), strict=False))
    return None if lost is None else f"its output has no line like {lost!r}, but is:\n{output}"


async def run(typed: str, stage: Scene) -> tuple[int, str]:
    """Its exit code and all that it says. What takes a process of its own and changes nothing is run once."""
    if bare(typed).startswith(CHILDREN):
        if typed not in stage.said:
            stage.said[typed] = await run_shell(typed, stage)
        return stage.said[typed]
    return await (run_rollcall if bare(typed).startswith("rollcall ") and "|" not in typed else run_shell)(typed, stage)


async def run_rollcall(typed: str, stage: Scene) -> tuple[int, str]:
    """In a thread, because the service answers in this one."""
    done = await asyncio.to_thread(CliRunner().invoke, app, shlex.split(bare(typed))[1:], env=stage.environment)
    return done.exit_code, done.output


async def run_shell(typed: str, stage: Scene) -> tuple[int, str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), clean_environment()["PATH"]))
    shell = await asyncio.create_subprocess_exec(
        "bash", "-o", "pipefail", "-c", typed,
        cwd=stage.directory, env=clean_environment(**stage.environment, PATH=path),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(shell.communicate(), 30.0)
    return shell.returncode or 0, output.decode()


def wrong_variables(typed: str) -> str | None:
    unknown = [
        name for name in re.findall(r"\b([A-Z][A-Z_]+)=", typed) if name not in VARIABLES and not name.startswith("OTEL_")
    ]
    return f"nobody reads {', '.join(unknown)}" if unknown else None


def wrong_words(typed: str) -> str | None:
    """Of a command that is not run: the targets of make, and the files of ours that it names."""
    lacking: Iterable[str] = (path for path in PATH.findall(typed) if not (ROOT / path).exists())
    if typed.startswith("make"):
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        lacking = (word for word in shlex.split(typed)[1:] if "=" not in word and word not in targets)
    return next((f"there is no {word}" for word in lacking), None)


def typed_in(document: Path) -> list[str]:
    return INLINE.findall(document.read_text())


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
async def test_a_command_in_the_text_exists_with_its_options(document: Path) -> None:
    assert [f"{typed}: {why}" for typed in typed_in(document) if (why := misunderstood(typed))] == []


@pytest.mark.parametrize(
    ("typed", "shown", "complaint"),
    [
        ("rollcall sessions", ("ROOM  STATE  NOTHING",), "no line like"),
        ("rollcall sessions --stat x", (), "has no --stat"),
        ("rollcall session", (), "there is no `rollcall session`"),
        ("rollcall show nowhere", (), "exit code 3"),
        ("curl -sf localhost:8080/nowhere", (), "exit code 22"),
        ("rollcall serve --prot 1", (), "has no --prot"),
        ("make nothing", (), "there is no nothing"),
        ("helm install rollcall deploy/nowhere", (), "there is no deploy/nowhere"),
        ("export ROLLCALL_TOKNES=x", (), "nobody reads ROLLCALL_TOKNES"),
    ],
)
async def test_a_command_that_does_not_work_would_be_found(
    typed: str, shown: tuple[str, ...], complaint: str, stage: Scene
) -> None:
    made = Command(Block("made.md", 1, "console", "", ""), typed, shown)
    assert complaint in (await wrong(made, stage) or "")
