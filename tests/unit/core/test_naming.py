"""Agent names as people read and type them."""

import pytest

from orchestrator.core.naming import UNNAMED, meant, spelled


@pytest.mark.parametrize("name", ["mary", "", "Mary Ann"])
def test_what_is_read_can_be_typed(name: str) -> None:
    assert meant(spelled(name)) == name


def test_the_agent_without_a_name_has_a_word_that_stands_for_it() -> None:
    assert (spelled(""), meant(UNNAMED)) == (UNNAMED, "")
