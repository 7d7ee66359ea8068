"""An agent that answers late, because the machine is busy, is still an agent that answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.busy import calls_on_a_busy_machine
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def test_no_agent_of_twenty_calls_is_removed_while_another_program_takes_a_core(scene: Scene, tmp_path: Path) -> None:
    await calls_on_a_busy_machine(scene, tmp_path, seconds=40.0)
