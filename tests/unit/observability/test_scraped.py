"""What is counted when it is asked for: sessions, announced workers, the lease."""

from orchestrator.core.fleet import Announcement, Fleet, Worker
from orchestrator.observability.announced import REGIONS
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.scraped import Scraped, show
from tests.unit.observability.test_metrics import samples


class Lease:
    """A replica's."""

    def __init__(self) -> None:
        self.lapses, self.takeovers, self.taken_over, self.held = 2, 1, 17, True

    def fenced(self) -> bool:
        return not self.held


def scraped(fleet: Fleet | None = None, lease: Lease | None = None) -> Metrics:
    metrics = Metrics(["mary", "tom", "ann"], "1")
    show(
        metrics,
        Scraped(
            sessions=lambda: (),
            fleet=lambda: fleet or Fleet(),
            lease=lease or Lease(),
            api_share=lambda: 0.5,
            pulse_interval=lambda: 3.25,
        ),
    )
    return metrics


def worker(
    number: int, agent: str, *, jobs: int = 0, capacity: int | None = None, draining: bool = False, region: str = ""
) -> Worker:
    told = Announcement(f"W_{number}", agent, active_jobs=jobs, capacity=capacity, draining=draining, region=region)
    return Worker(told, since=0.0, seen_at=0.0)


def test_workers_are_counted_by_agent_with_the_room_that_they_have() -> None:
    fleet = Fleet(
        live={
            "mary": (
                worker(1, "mary", jobs=3, capacity=10, region="eu"),
                worker(2, "mary", capacity=10, draining=True, region="eu"),
                worker(3, "mary", region="us"),
            ),
            "stranger": (worker(4, "stranger"),),
        },
        announced={"mary": 0.0, "stranger": 0.0},
    )
    assert samples(scraped(fleet), "rollcall_worker") == {
        'rollcall_workers{agent="mary",region="eu"}': 2.0,
        'rollcall_workers{agent="mary",region="us"}': 1.0,
        'rollcall_workers{agent="other",region=""}': 1.0,
        'rollcall_workers_with_room{agent="mary",region="eu"}': 1.0,
        'rollcall_workers_with_room{agent="mary",region="us"}': 1.0,
        'rollcall_workers_with_room{agent="other",region=""}': 1.0,
        'rollcall_worker_room_jobs{agent="mary",region="eu"}': 7.0,
    }


def test_regions_are_bounded_whatever_workers_call_theirs() -> None:
    workers = tuple(worker(n, "mary", region=f"region-{n:02}") for n in range(REGIONS + 5))
    counted = samples(scraped(Fleet(live={"mary": (*workers, worker(99, "mary", region="region-20"))})), "rollcall_workers{")
    assert len(counted) == REGIONS + 1
    assert counted['rollcall_workers{agent="mary",region="region-20"}'] == 2.0, "the largest have names of their own"
    assert counted['rollcall_workers{agent="mary",region="other"}'] == 5.0


def test_a_name_whose_workers_are_gone_has_none_and_one_that_never_announced_itself_is_unknown() -> None:
    assert samples(scraped(Fleet(announced={"tom": 0.0})), "rollcall_workers{") == {
        'rollcall_workers{agent="tom",region=""}': 0.0
    }


def test_the_lease_is_told_as_it_is_now() -> None:
    lease = Lease()
    metrics = scraped(lease=lease)
    assert samples(metrics, "rollcall_lease") == {"rollcall_lease_held": 1.0, "rollcall_leases_lost_total": 2.0}
    assert samples(metrics, "rollcall_takeovers") == {"rollcall_takeovers_total": 1.0}
    assert samples(metrics, "rollcall_sessions_taken") == {"rollcall_sessions_taken_over_total": 17.0}
    lease.held = False
    assert samples(metrics, "rollcall_lease_held") == {"rollcall_lease_held": 0.0}


def test_share_and_pulse_are_told_as_they_are_now() -> None:
    metrics = scraped()
    assert samples(metrics, "rollcall_api_share") == {"rollcall_api_share": 0.5}
    assert samples(metrics, "rollcall_pulse_interval_seconds") == {"rollcall_pulse_interval_seconds": 3.25}
