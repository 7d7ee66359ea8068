"""judge: of two agents where one should be, which one goes."""

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.duplicates import SETTLED_AFTER, judge, surplus_dispatches
from orchestrator.core.listing import ListedDispatch, ListedJob, Look
from orchestrator.core.proof import Key
from orchestrator.core.session import Session
from tests.unit.core.stories import SID, START, accepted, agent_joined, job, opened, play, requested, routed

OURS = Key(SID, "mary", 1, "attempt-1")
EARLY = START + 2
LATE = START + SETTLED_AFTER + 2


def dispatch(name: str, *jobs: str, key: Key | None = None, agent: str = "mary") -> ListedDispatch:
    return ListedDispatch(name, agent, key, tuple(ListedJob(j, f.JobStatus.RUNNING, f"agent-{j}", "") for j in jobs))


def look(*dispatches: ListedDispatch) -> Look:
    return Look(START + 1, (), dispatches)


def two_agents() -> Session:
    return play(opened(), routed("mary"), requested(), accepted(), job(), agent_joined("AJ_1"), agent_joined("AJ_9"))


def removed(session: Session, seen: Look, now: float) -> list[str]:
    return [a.identity for a in judge(session, seen, now).remove]


def test_an_extra_that_a_dispatch_of_ours_explains_goes_at_once() -> None:
    other = Key(SID, "mary", 2, "attempt-2")
    assert removed(two_agents(), look(dispatch("AD_2", "AJ_9", key=other)), EARLY) == ["agent-AJ_9"]


def test_an_extra_that_carries_our_key_goes_at_once() -> None:
    carrying = f.AgentJoined("PA_k", "chosen-identity", "mary", START, START, key=Key(SID, "mary", 2, "attempt-2"))
    session = play(opened(), routed("mary"), requested(), accepted(), job(), agent_joined("AJ_1"), carrying)
    assert removed(session, look(), EARLY) == ["chosen-identity"]


def test_a_foreign_agent_beside_ours_stays_and_ours_is_to_go() -> None:
    judgement = judge(two_agents(), look(dispatch("AD_f", "AJ_9")), EARLY)
    assert judgement.remove == ()
    assert [(p.agent_name, a.identity) for p, a in judgement.foreign] == [("mary", "agent-AJ_9")]


def test_a_foreign_extra_beside_a_foreign_agent_is_left_alone() -> None:
    session = play(opened(), routed("mary"), agent_joined("AJ_1"), agent_joined("AJ_9"))
    judgement = judge(session, look(dispatch("AD_f", "AJ_1"), dispatch("AD_g", "AJ_9")), LATE)
    assert (judgement.remove, judgement.foreign) == ((), ())
    assert [a.identity for _, a in judgement.strangers] == ["agent-AJ_9"]


def test_an_unexplained_extra_is_undecided_until_its_job_must_be_listed() -> None:
    judgement = judge(two_agents(), look(), EARLY)
    assert (judgement.remove, [a.identity for a in judgement.undecided]) == ((), ["agent-AJ_9"])


def test_an_unexplained_extra_where_we_deleted_a_dispatch_is_an_orphan_of_ours() -> None:
    session = play(
        opened(), routed("mary"), requested(), accepted(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
        f.DispatchDeleted("mary", 1), requested(2), accepted(2), agent_joined("AJ_2"), agent_joined("AJ_9"),
    )  # fmt: skip
    assert removed(session, look(), LATE) == ["agent-AJ_9"]


def test_an_unexplained_extra_where_the_store_has_forgotten_attempts_of_ours_is_an_orphan_of_theirs() -> None:
    session = play(
        opened(), routed("mary"), f.DispatchRecovered("mary", 2, "attempt-2", "AD_2", "mary"),
        agent_joined("AJ_2"), agent_joined("AJ_9"),
    )  # fmt: skip
    assert removed(session, look(), LATE) == ["agent-AJ_9"]


def test_an_unexplained_extra_where_we_deleted_nothing_is_not_ours_to_remove() -> None:
    assert removed(two_agents(), look(), LATE) == []


def test_a_foreign_dispatch_without_a_listed_job_explains_an_agent() -> None:
    judgement = judge(two_agents(), look(dispatch("AD_f")), LATE)
    assert [a.identity for _, a in judgement.foreign] == ["agent-AJ_9"]


def test_a_foreign_dispatch_without_a_listed_job_explains_one_agent_and_no_second_one() -> None:
    session = play(
        opened(), routed("mary"), requested(), accepted(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
        f.DispatchDeleted("mary", 1), f.DispatchAdopted("mary", "adopted", "AD_f"),
        agent_joined("AJ_f"), agent_joined("AJ_orphan"),
    )  # fmt: skip
    assert session.placement("mary").identity == "agent-AJ_f"
    assert removed(session, look(dispatch("AD_f")), LATE) == ["agent-AJ_orphan"]


def test_the_verified_agent_is_never_judged() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), job(), agent_joined("AJ_1"))
    assert judge(session, look(dispatch("AD_f", "AJ_1")), LATE) == judge(session, look(), LATE)
    assert removed(session, look(), LATE) == []


def test_surplus_dispatches_are_ours_and_not_those_of_the_agent_that_serves() -> None:
    session = two_agents()
    serving = dispatch("AD_1", "AJ_1", key=OURS)
    late = dispatch("AD_7", key=Key(SID, "mary", 7, "attempt-7"))
    other_session = dispatch("AD_x", key=Key("RM_other", "mary", 7, "attempt-7"))
    seen = look(serving, late, other_session, dispatch("AD_f"))
    assert surplus_dispatches(session, session.placement("mary"), seen) == (late,)


def dismissed_while_under_way(*facts: f.Fact) -> Session:
    return play(opened(), routed("mary"), requested(), f.AgentDismissed("mary", f.Source.OPERATOR), *facts)


def test_an_agent_of_a_dismissed_placement_that_nothing_explains_is_ours_if_one_of_ours_was_never_seen() -> None:
    session = dismissed_while_under_way(agent_joined("AJ_9"))
    assert [a.identity for a in judge(session, look(), EARLY).undecided] == ["agent-AJ_9"]
    assert removed(session, look(), LATE) == ["agent-AJ_9"]


def test_a_foreign_agent_of_a_dismissed_placement_is_left_alone_and_no_stranger_to_anybody() -> None:
    session = dismissed_while_under_way(agent_joined("AJ_9"))
    for foreign in (dispatch("AD_f", "AJ_9"), dispatch("AD_f")):
        judgement = judge(session, look(foreign), LATE)
        assert (judgement.remove, judgement.foreign, judgement.strangers) == ((), (), ())


def test_an_agent_that_came_for_another_placement_is_none_of_a_dismissed_one_that_had_it_for_its_fallback() -> None:
    tom = f.AgentWanted(f.PlacementSpec((f.CandidateSpec("tom"),)), f.Source.OPERATOR)
    chosen = f.FallbackChosen("mary", 1, Cause.NOT_TAKEN)
    begin = (opened(), routed("mary", fallback=("tom",)), requested(), chosen, f.AgentDismissed("mary", f.Source.OPERATOR))
    session = play(*begin, tom, requested(placement="tom"), agent_joined("AJ_9", "tom"))
    assert judge(session, look(), LATE).remove == ()
