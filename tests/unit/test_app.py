"""What the composition root itself decides."""

from orchestrator import contract
from orchestrator.app import routed
from orchestrator.core.facts import Routed
from orchestrator.core.policy import Policy
from orchestrator.core.routing import Candidate, Route, Routes, Wanted
from orchestrator.core.scratch import SCRATCH_ROUTE
from orchestrator.core.templates import Template

EVERY_ROOM = Routes((Route("routes[0] every other room", (Wanted((Candidate("mary", Template({}), Policy()),)),)),))


def test_a_scratch_room_gets_no_agent_whatever_the_routes_say() -> None:
    assert routed(EVERY_ROOM, f"{contract.SCRATCH_PREFIX}1a2b", "") == Routed((), SCRATCH_ROUTE)


def test_every_other_room_is_routed_as_the_routes_say() -> None:
    assert [p.candidates[0].agent_name for p in routed(EVERY_ROOM, "my-rollcall-scratch-room", "").placements] == ["mary"]
