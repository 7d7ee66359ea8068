"""Silences: which alerts they mean, and when."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.alerts import AlertType
from orchestrator.core.causes import Cause
from orchestrator.core.silences import AlertMatch, Silence, silencing


@dataclass(frozen=True)
class Told:
    type: str = "unverified"
    agent_name: str | None = "mary"
    room: str | None = "support-17"
    cause: Cause | None = Cause.NOT_TAKEN
    route: str | None = 'routes[0] room "support-*"'


SERVICE = Told("livekit_unreachable", None, None, None, None)


@pytest.mark.parametrize(
    ("match", "told", "meant"),
    [
        (AlertMatch(), SERVICE, True),
        (AlertMatch(room=("sales-*", "support-*")), Told(), True),
        (AlertMatch(room=("support-1",)), Told(), False),
        (AlertMatch(room=("*",)), SERVICE, False),
        (AlertMatch(agent=("ma*",), cause=(Cause.LEFT,)), Told(), False),
        (AlertMatch(agent=("",)), Told(agent_name=""), True),
        (AlertMatch(type=(AlertType.UNVERIFIED,), cause=(Cause.NOT_TAKEN, Cause.LEFT)), Told(), True),
        (AlertMatch(type=(AlertType.LIVEKIT_UNREACHABLE,)), Told(), False),
        (AlertMatch(route=('*room "support-*',)), Told(), True),
        (AlertMatch(route=('*room "sales-*',)), Told(), False),
    ],
)
def test_each_part_that_is_written_must_hold_by_one_of_its_values(match: AlertMatch, told: Told, meant: bool) -> None:
    assert match.matches(told) is meant


def test_a_match_is_written_as_people_read_it() -> None:
    assert str(AlertMatch(agent=("ma*", "tom"), cause=(Cause.LEFT,))) == "agent=ma*,tom cause=left"


ends = st.lists(st.floats(0, 100), max_size=5)


@given(ends, st.floats(0, 100))
def test_an_alert_is_silenced_until_the_last_of_its_silences_has_ended(times: list[float], now: float) -> None:
    silences = [Silence(str(n), AlertMatch(room=("support-*",)), 0.0, end) for n, end in enumerate(times)]
    found = silencing(silences, Told(), now)
    assert (found is None) is all(end <= now for end in times)
    assert found is None or found.ends_at == max(times)
    assert silencing(silences, Told(AlertType.WATCHDOG), now) is None
