"""Keys: what one script touches lies in one slot of a cluster, and nothing of two sessions is ever mixed up."""

from __future__ import annotations

import pytest
from redis.crc import key_slot

from orchestrator.core.session import SessionState
from orchestrator.store.keys import Keys

KEYS = Keys()


@pytest.mark.parametrize(
    "together",
    [
        [
            KEYS.session("RM_1"),
            KEYS.inbox("RM_1"),
            KEYS.people("RM_1"),
            KEYS.early("RM_1"),
            KEYS.buried("RM_1"),
            KEYS.seen("RM_1", "EV_1"),
        ],
        [KEYS.sessions, KEYS.due, KEYS.names, KEYS.name("a room {1}"), *(KEYS.state(state) for state in SessionState)],
        [KEYS.replicas, KEYS.lease("a"), KEYS.sessions_of("a"), KEYS.sessions_of("b")],
        [KEYS.held("mary"), KEYS.queue("mary"), KEYS.asked("mary"), KEYS.pace("mary")],
        [
            KEYS.workers_seen,
            KEYS.worker_records,
            KEYS.workers_since,
            KEYS.workers_by_name,
            KEYS.workers_with_room,
            KEYS.worker_names,
            KEYS.joined_names,
        ],
        [KEYS.tallies, KEYS.tallied],
        [KEYS.alert("msg_1"), KEYS.alerts_due("hook"), KEYS.alerts_again("hook")],
    ],
)
def test_the_keys_of_one_script_lie_in_one_slot(together: list[str]) -> None:
    assert len({key_slot(key.encode()) for key in together}) == 1
    assert len(set(together)) == len(together)


def test_two_deployments_can_share_a_store_under_two_prefixes() -> None:
    assert Keys("eu:").session("RM_1") == "eu:{RM_1}:session"
    assert Keys("us:").slots_channel != Keys("eu:").slots_channel


@pytest.mark.parametrize("prefix", ["{x}", "a{", "}"])
def test_a_prefix_with_a_brace_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        Keys(prefix)
