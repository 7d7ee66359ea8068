"""What may be asked of a server."""

import pytest

from orchestrator.burst.plan import Plan
from orchestrator.client.errors import CommandFailed
from orchestrator.exits import ExitCode


def test_fifty_rooms_at_twenty_a_second_are_a_burst() -> None:
    Plan("mary", rooms=50, rate=20.0, timeout=60.0).check()


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (Plan("mary", rooms=1001, rate=100.0, timeout=60.0), "1001 rooms are more than a burst may have"),
        (Plan("mary", rooms=50, rate=201.0, timeout=60.0), "201 rooms a second"),
        (Plan("mary", rooms=50, rate=20.0, timeout=300.0), "waiting 300 s more"),
        (Plan("mary", rooms=1000, rate=1.0, timeout=60.0), "Opening the rooms takes 1000 s"),
        (Plan("mary", rooms=50, rate=20.0, timeout=0.0), "waits for no time"),
    ],
)
def test_absurd_numbers_are_refused_with_what_would_do(plan: Plan, why: str) -> None:
    with pytest.raises(CommandFailed) as refused:
        plan.check()

    assert why in refused.value.message
    assert refused.value.fix
    assert refused.value.code is ExitCode.USAGE
