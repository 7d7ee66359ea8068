"""The closed list of causes: each can be told to a person."""

import pytest

from orchestrator.core.causes import EXPLANATIONS, Cause, fix, runbook_anchor, sentence


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence_a_fix_and_an_anchor(cause: Cause) -> None:
    assert cause in EXPLANATIONS
    assert sentence(cause, "mary").endswith(".")
    assert fix(cause, "mary").endswith(".")
    assert "{agent}" not in sentence(cause, "mary") + fix(cause, "mary")
    assert runbook_anchor(cause) == cause.value.replace("_", "-")


def test_the_nameless_agent_is_called_unnamed() -> None:
    assert "(unnamed)" in sentence(Cause.NOT_TAKEN, "")
