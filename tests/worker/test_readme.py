"""What the README shows people is what works."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from livekit.agents import AgentServer

import worker
from worker.roll import Resumed
from worker.settings import SettingsError

README = Path(worker.__file__).with_name("README.md").read_text(encoding="utf-8")


def example() -> dict[str, object]:
    """The names that the README's program defines."""
    found = re.search(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found is not None
    names: dict[str, object] = {}
    exec(compile(found[1].replace("...", "pass"), "README.md", "exec"), names)  # noqa: S102 - it is our own
    return names


def test_the_program_of_the_readme_is_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "http://rollcall.example")
    names = example()
    assert isinstance(names["server"], AgentServer)
    assert inspect.iscoroutinefunction(names["entrypoint"])


def test_the_program_of_the_readme_says_at_its_start_what_is_wrong_with_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "rollcall.example")
    with pytest.raises(SettingsError, match="ROLLCALL_URL"):
        example()


def test_whatever_the_readme_says_of_a_roll_a_roll_has() -> None:
    told = set(re.findall(r"roll\.(\w+)", README))
    assert told == {"done", "heard", "instead_of", "orchestrator", "ready", "record", "resumes", "wait_for_turn", "warn"}
    assert all(hasattr(worker.Roll, name) for name in told - {"orchestrator"})
    assert {"attempt", "cause", "identity"} == set(Resumed.__dataclass_fields__)
