"""Routes: the first that matches wins, all of its agents are placed, and the trace says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.facts import CandidateSpec, PlacementSpec, Routed
from orchestrator.core.fleet import Announcement, Choice, Fleet, Worker
from orchestrator.core.patterns import REGEX_NAME_LIMIT, glob, regex
from orchestrator.core.policy import Policy
from orchestrator.core.routing import NO_ROUTE, Candidate, Chosen, Route, Routes, Scalar, Wanted
from orchestrator.core.templates import Json, Template

PATIENT = Policy(attempts=9)


def wanted(*names: str, policy: Policy = PATIENT, metadata: dict[str, Json] | None = None) -> Wanted:
    """An agent and its fallbacks, all told the same."""
    return Wanted(tuple(Candidate(name, Template(metadata or {}), policy) for name in names))


def route(label: str, *agents: Wanted, room: str | None = None, fields: dict[str, Scalar] | None = None) -> Route:
    return Route(label, agents, glob(room) if room is not None else None, fields)


def agents_of(routes: Routes, room: str, metadata: str = "") -> list[str]:
    return [placement.agent_name for placement in routes.route(room, metadata).placements]


def test_the_first_route_that_matches_wins() -> None:
    routes = Routes((route("a", wanted("mary"), room="x-*"), route("b", wanted("tom"), room="x-1"), route("c", wanted("ann"))))

    assert agents_of(routes, "x-1") == ["mary"]
    assert agents_of(routes, "y-1") == ["ann"]


def test_all_agents_of_a_route_are_placed_with_policy_fallbacks_and_priority() -> None:
    entry = Route("a", (wanted("mary", "tom"), wanted("ann", policy=Policy())), priority=7)

    assert Routes((entry,)).route("r", "").placements == (
        PlacementSpec((CandidateSpec("mary"), CandidateSpec("tom")), PATIENT, 7),
        PlacementSpec((CandidateSpec("ann"),), Policy(), 7),
    )


def test_a_room_that_no_route_matches_is_unrouted_and_the_trace_says_why() -> None:
    routing = Routes((route("a", wanted("mary"), room="x-*"),)).route("y", "")

    assert routing.routed == Routed((), NO_ROUTE)
    assert [(step.route, step.matched, step.why) for step in routing.trace] == [("a", False, "the name does not match")]


def test_a_route_without_agents_ends_the_search() -> None:
    routes = Routes((route("nobody", room="internal-*"), route("rest", wanted("mary"))))

    assert routes.route("internal-1", "").routed == Routed((), "nobody")


def test_parts_of_the_name_and_the_name_itself_reach_the_metadata_as_json() -> None:
    template: dict[str, Json] = {"team": "{team}", "in": "{room}", "fixed": {"n": 1}}
    routes = Routes((route("a", wanted("mary", metadata=template), room='{team}"[}]-*'),))

    placement = routes.route('acme"}-1', "").placements[0]

    assert json.loads(placement.candidates[0].metadata) == {"team": "acme", "in": 'acme"}-1', "fixed": {"n": 1}}


@pytest.mark.parametrize(
    ("fields", "metadata", "matches"),
    [
        ({"kind": "demo"}, '{"kind": "demo", "more": 1}', True),
        ({"kind": "demo"}, '{"kind": "Demo"}', False),
        ({"kind": "demo"}, "{}", False),
        ({"kind": "demo"}, "", False),
        ({"kind": "demo", "n": 1}, '{"kind": "demo"}', False),
        ({"kind": "demo", "n": 1}, '{"kind": "demo", "n": 1.0}', True),
        ({"n": 1}, '{"n": true}', False),
        ({"n": True}, '{"n": 1}', False),
        ({"n": None}, '{"n": null}', True),
        ({"n": None}, "{}", False),
        ({"customer.tier": "gold"}, '{"customer": {"tier": "gold"}}', True),
        ({"customer.tier": "gold"}, '{"customer.tier": "gold"}', True),
        ({"customer.tier": "gold"}, '{"customer": "gold"}', False),
        ({"n": 1}, '{"n": [1]}', False),
    ],
)
def test_fields_of_the_rooms_metadata_must_all_be_equal(fields: dict[str, Scalar], metadata: str, matches: bool) -> None:
    routes = Routes((route("a", wanted("mary"), fields=fields),))

    assert (agents_of(routes, "r", metadata) == ["mary"]) is matches


def test_name_and_metadata_must_both_match() -> None:
    routes = Routes((route("a", wanted("mary"), room="x-{n}", fields={"kind": "demo"}),))

    assert agents_of(routes, "x-1", '{"kind":"demo"}') == ["mary"]
    assert agents_of(routes, "y-1", '{"kind":"demo"}') == []
    assert agents_of(routes, "x-1", "{}") == []
    assert routes.route("x-1", '{"kind":"demo"}').trace[0].why == (
        'the name matches, with n = "1", and the room\'s metadata has kind = "demo"'
    )


@pytest.mark.parametrize("metadata", ["hello", "{", "[1]", '"text"', "null", "[" * 100_000, "9" * 10_000])
def test_metadata_of_any_form_is_routed_with_a_warning_when_a_route_asks_for_its_fields(metadata: str) -> None:
    routes = Routes(
        (route("a", wanted("tom"), fields={"kind": "demo"}), route("b", wanted("mary"), fields={"x": 1}), route("c"))
    )

    routing = routes.route("r", metadata)

    assert routing.route == "c"
    assert len(routing.warnings) == 1
    assert "metadata" in routing.warnings[0]


def test_metadata_that_no_route_asks_for_is_not_even_read() -> None:
    assert Routes((route("a", wanted("mary")),)).route("r", "no json").warnings == ()


def test_a_room_without_metadata_is_no_reason_for_a_warning() -> None:
    assert Routes((route("a", wanted("mary"), fields={"kind": "demo"}),)).route("r", "").warnings == ()


def test_the_trace_says_nothing_of_what_the_metadata_holds() -> None:
    routing = Routes((route("a", wanted("mary"), fields={"kind": "demo"}),)).route("r", '{"kind": "hunter2"}')

    assert routing.trace[0].why == 'kind of the room\'s metadata is not "demo"'


def test_the_trace_says_that_a_name_is_too_long_for_a_regular_expression() -> None:
    routes = Routes((Route("a", (wanted("mary"),), regex(".*")),))

    assert "longer than" in routes.route("x" * (REGEX_NAME_LIMIT + 1), "").trace[0].why


@given(st.text(), st.text())
def test_no_room_and_no_metadata_raises(room: str, metadata: str) -> None:
    routes = Routes((route("a", room="{a}-*", fields={"k": 1}), route("b", wanted("mary", metadata={"r": "{room}"}))))

    routing = routes.route(room, metadata)

    assert all(json.loads(p.candidates[0].metadata) == {"r": room} for p in routing.placements)


# --- one of several ---------------------------------------------------------------------------------------------------

SPANISH = Choice(frozenset({"es"}), "eu")


def one_of(*names: str, choice: Choice = SPANISH) -> Wanted:
    """Of these one is to serve; each has a policy of its own."""
    return Wanted(tuple(Candidate(name, Template({"persona": name}), Policy(attempts=len(name))) for name in names), choice)


def announced(*told: Announcement) -> Fleet:
    return Fleet(at=1.0, live={t.agent_name: (Worker(t, 0.0, 1.0),) for t in told})


TOM = Announcement("w1", "tom", region="eu", capabilities=("es", "de"))


def test_of_several_the_one_whose_workers_fit_is_placed_and_the_others_are_its_fallbacks() -> None:
    routing = Routes((route("a", one_of("mary", "tom", "ann")),)).route("r", "", announced(TOM))

    assert routing.placements == (
        PlacementSpec(
            tuple(CandidateSpec(name, json.dumps({"persona": name}, separators=(",", ":"))) for name in ("tom", "mary", "ann")),
            Policy(attempts=3),
        ),
    )


def test_with_nothing_announced_the_first_written_is_placed() -> None:
    routing = Routes((route("a", one_of("mary", "tom")),)).route("r", "")

    assert [c.agent_name for c in routing.placements[0].candidates] == ["mary", "tom"]
    assert routing.placements[0].policy == Policy(attempts=4)
    assert routing.routed.route == "a"


def test_a_session_remembers_that_another_than_the_first_written_was_chosen() -> None:
    routing = Routes((route("a", one_of("mary", "tom")),)).route("r", "", announced(TOM))

    assert routing.routed.route == "a; in the order tom, mary, by what workers announce"
    assert routing.choices == (Chosen(("mary", "tom"), SPANISH, ("tom", "mary")),)


def test_a_fallback_stays_behind_its_agent_whatever_workers_announce() -> None:
    routing = Routes((route("a", wanted("mary", "tom")),)).route("r", "", announced(TOM))

    assert [c.agent_name for c in routing.placements[0].candidates] == ["mary", "tom"]
    assert routing.choices == ()
