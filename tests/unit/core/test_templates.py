"""Metadata templates: no value changes the structure around it, and every value arrives as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.templates import Json, Template, TemplateError, merge, parts_of

JSON_VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(), st.text())
def test_any_part_arrives_as_it_was_and_changes_nothing_around_it(team: str, room: str) -> None:
    """Also quotes, braces, backslashes and control characters: a room's name is chosen by strangers."""
    template = Template({"team": "{team}", "in": ["a {team} of {room}!"], "n": 1})

    rendered = template.render({"team": team, "room": room})

    assert json.loads(rendered) == {"team": team, "in": [f"a {team} of {room}!"], "n": 1}


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=4))
def test_any_metadata_arrives_as_it_was_when_its_braces_are_doubled(value: dict[str, Json]) -> None:
    def doubled(part: Json) -> Json:
        match part:
            case str():
                return part.replace("{", "{{").replace("}", "}}")
            case list():
                return [doubled(item) for item in part]
            case dict():
                return {key: doubled(item) for key, item in part.items()}
            case _:
                return part

    template = Template({key: doubled(part) for key, part in value.items()})

    assert template.parts == frozenset()
    assert json.loads(template.render({})) == value


def test_the_text_is_compact_and_in_the_order_in_which_it_was_written() -> None:
    assert Template({"b": 1, "a": {"c": "ü"}}).render({}) == '{"b":1,"a":{"c":"ü"}}'


def test_parts_are_found_wherever_strings_are() -> None:
    assert Template({"a": "{x}", "b": [{"c": "{y}{{z}}"}], "{k}": 1}).parts == {"x", "y"}


@pytest.mark.parametrize("text", ["{", "}", "{a", "a}", "{}", "{a b}", "{{a}", '{"json": 1}'])
def test_a_brace_that_stands_alone_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="for the character itself"):
        parts_of(text)


def test_a_later_layer_replaces_whole_values_by_key() -> None:
    assert merge({"a": {"x": 1}, "b": 1}, {"a": {"y": 2}}, {"c": 3}) == {"a": {"y": 2}, "b": 1, "c": 3}
