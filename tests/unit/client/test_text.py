"""Text and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.client.text import age, gap, printable

AT = datetime(2026, 11, 21, 10, 41, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "told"), [(-3, "0s"), (45.9, "45s"), (182, "3m2s"), (7_500, "2h5m"), (100 * 3600, "4d4h")])
def test_an_age_has_two_units_at_the_most(seconds: float, told: str) -> None:
    assert age(AT, AT + timedelta(seconds=seconds)) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0042, "+0.004 s"), (-0.5, "-0.500 s"), (123, "+2 min 3 s"), (-123, "-2 min 3 s")]
)
def test_a_gap_has_its_sign_because_clocks_disagree(seconds: float, told: str) -> None:
    assert gap(AT, AT + timedelta(seconds=seconds)) == told


@pytest.mark.parametrize(
    ("text", "told"), [("Zoë 🎧", "Zoë 🎧"), ("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("\x9b2J", "\\x9b2J")]
)
def test_nothing_from_outside_commands_the_terminal(text: str, told: str) -> None:
    assert printable(text) == told
