"""Filters: what a query string may ask."""

import pytest
from multidict import MultiDict

from orchestrator.core.causes import Cause
from orchestrator.core.session import SessionState
from orchestrator.web.filters import BadFilter, Filters, read_filters


def test_all_filters_are_read() -> None:
    query = MultiDict(state="ended", agent="mary", cause="left", age="1.5h", cursor="c", limit="7")
    assert read_filters(query) == Filters(SessionState.ENDED, "mary", Cause.LEFT, 5400.0, "c", 7)


def test_nothing_asked_is_everything_a_page_at_a_time() -> None:
    assert read_filters(MultiDict()) == Filters(None, None, None, None, None, 50)


@pytest.mark.parametrize("age", ["9" * 400, "inf", "nan", "-1s", "1 parsec"])
def test_an_age_that_is_no_number_of_seconds_is_refused(age: str) -> None:
    with pytest.raises(BadFilter, match="It is no duration"):
        read_filters(MultiDict(age=age))


@pytest.mark.parametrize("parameter", ["agent", "cursor"])
def test_half_of_a_character_is_refused_before_a_store_must_encode_it(parameter: str) -> None:
    with pytest.raises(BadFilter) as refused:
        read_filters(MultiDict({parameter: "\udc80"}))
    assert (refused.value.parameter, refused.value.detail) == (parameter, "It is no UTF-8.")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.0", "²", "٣", "1e2", " 5", "9" * 5000])
def test_a_limit_is_a_plain_number_in_bounds(limit: str) -> None:
    with pytest.raises(BadFilter, match="whole number from 1 to 100"):
        read_filters(MultiDict(limit=limit))
