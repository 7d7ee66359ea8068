"""What a worker's environment says of it."""

import pytest

from worker.description import Description
from worker.settings import SettingsError


def test_the_environment_describes_the_worker() -> None:
    described = Description.from_environment(
        {
            "ROLLCALL_WORKER_VERSION": "2026.11",
            "ROLLCALL_WORKER_REGION": "eu",
            "ROLLCALL_WORKER_CAPABILITIES": "german, billing,,german",
            "ROLLCALL_WORKER_JOBS": "12",
        }
    )
    assert described == Description("2026.11", "eu", ("german", "billing"), 12)


@pytest.mark.parametrize("jobs", [{}, {"ROLLCALL_WORKER_JOBS": ""}, {"ROLLCALL_WORKER_JOBS": "0"}])
def test_a_worker_without_a_limit_has_no_capacity_to_tell(jobs: dict[str, str]) -> None:
    described = Description.from_environment(jobs)
    assert (described.capacity, described.region, described.capabilities) == (None, "", ())
    assert described.version


def test_a_number_of_jobs_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(SettingsError, match="ROLLCALL_WORKER_JOBS"):
        Description.from_environment({"ROLLCALL_WORKER_JOBS": "many"})


@pytest.mark.parametrize(
    "environment",
    [
        {"ROLLCALL_WORKER_VERSION": "v" * 65},
        {"ROLLCALL_WORKER_REGION": "eu\x07-1"},
        {"ROLLCALL_WORKER_CAPABILITIES": ",".join(f"c{number}" for number in range(33))},
        {"ROLLCALL_WORKER_CAPABILITIES": "german," + "b" * 65},
    ],
)
def test_what_the_orchestrator_would_refuse_every_five_seconds_is_refused_at_start(environment: dict[str, str]) -> None:
    (name,) = environment
    with pytest.raises(SettingsError, match=name):
        Description.from_environment(environment)
