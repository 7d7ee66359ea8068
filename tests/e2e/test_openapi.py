"""The OpenAPI document, held against the service with a real LiveKit behind it, by a program that knows nothing else."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.e2e.harness.child import clean_environment
from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator
from tests.e2e.harness.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

UNHURRIED = {"token": {"rate": "1000/s"}}
"""Otherwise most answers of the token endpoint would be 429."""

OPEN = {"ROLLCALL_DEV": "true"}
"""Without tokens, so that each route is reached; who may, other tests show."""


async def hold_against_the_document(rollcall: Orchestrator, directory: Path, known: str) -> None:
    """Whatever is sent, no answer is a 5xx but for the documented ones, and none is undocumented."""
    (directory / "schemathesis.toml").write_text(known)
    program = await asyncio.create_subprocess_exec(
        SCHEMATHESIS,
        "run",
        f"http://127.0.0.1:{rollcall.port}/openapi.json",
        f"--checks={CHECKS}",
        "--phases=coverage,fuzzing",
        "--max-examples=5",
        "--exclude-path=/events",  # its answer does not end
        "--seed=1",
        "--no-color",
        cwd=directory,
        env=clean_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await program.communicate()
    assert program.returncode == 0, report.decode()[-6_000:]


async def test_nothing_that_can_be_sent_brings_an_answer_that_is_not_documented(stage: Stage, tmp_path: Path) -> None:
    """Of a room in which somebody talks to an agent; rooms that nobody knows, and all others, come by chance."""
    settings = {**config("light"), **UNHURRIED}
    async with (
        orchestrator(tmp_path, stage.server, settings, port=stage.webhook_port, environment=OPEN) as rollcall,
        client(stage.server, "known"),
    ):
        await rollcall.wait_for_state("known", "verified")
        await hold_against_the_document(rollcall, tmp_path, '[parameters]\n"path.room" = "known"\n"path.agent" = "light"\n')
