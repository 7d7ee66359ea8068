"""Patterns of room names: what they match, what they bind, and that no name makes them slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.patterns import REGEX_NAME_LIMIT, PatternError, glob, regex

# Few letters, so that patterns and names meet often.
NAMES = st.text("ab-/", max_size=12)
TOKENS = st.lists(st.sampled_from(["a", "b", "-", "/", "*", "?", "[ab]", "[!a]", "{}"]), max_size=7)


@pytest.mark.parametrize(
    ("pattern", "name", "parts"),
    [
        ("support-{team}-*", "support-acme-17", {"team": "acme"}),
        ("support-{team}-*", "support-a-b-c", {"team": "a"}),
        ("support-{team}", "support-a-b-c", {"team": "a-b-c"}),
        ("{team}/{number}", "north/17", {"team": "north", "number": "17"}),
        ("{team}-{number}", "a--b", {"team": "a", "number": "-b"}),
        ("*", "", {}),
        ("*", "any/thing", {}),
        ("", "", {}),
        ("a?c", "abc", {}),
        ("[a-c]?", "bz", {}),
        ("[!a-c]", "d", {}),
        ("[]]", "]", {}),
        ("[a-]", "-", {}),
        ("[*][{]", "*{", {}),
        ("*17", "1717", {}),
        ("raum-{n}", "raum-ü😀", {"n": "ü😀"}),
        ("a\nb*", "a\nb\n", {}),
    ],
)
def test_a_glob_matches_the_whole_name_and_binds_its_parts(pattern: str, name: str, parts: dict[str, str]) -> None:
    assert glob(pattern).match(name) == parts


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("support-*", "Support-1"),
        ("support-*", "my-support-1"),
        ("support-{team}", "support-"),
        ("{a}{b}", "x"),
        ("a?c", "ac"),
        ("[!a]", "a"),
        ("", "a"),
        ("ab*ba", "aba"),
    ],
)
def test_a_glob_does_not_match_what_it_does_not_say(pattern: str, name: str) -> None:
    assert glob(pattern).match(name) is None


@given(TOKENS, NAMES)
def test_a_glob_agrees_with_a_regular_expression_that_says_the_same(tokens: list[str], name: str) -> None:
    """Reference: Python's own matcher with lazy runs, on short names, where its backtracking costs nothing."""
    named = [f"{{p{index}}}" if token == "{}" else token for index, token in enumerate(tokens)]
    said = {"*": ".*?", "?": ".", "[ab]": "[ab]", "[!a]": "[^a]"}
    expression = "".join(
        f"(?P<p{index}>.+?)" if token == "{}" else said.get(token, token) for index, token in enumerate(tokens)
    )
    expected = regex(f"(?s:{expression})").match(name)

    assert glob("".join(named)).match(name) == expected


@given(st.text(max_size=20), st.text(max_size=20))
def test_text_without_special_characters_matches_itself_alone(pattern: str, name: str) -> None:
    escaped = "".join(f"[{character}]" if character in "*?[{}" else character for character in pattern)

    assert (glob(escaped).match(name) is not None) == (pattern == name)


@pytest.mark.parametrize("pattern", ["*a" * 50 + "b", "{a}*" + "*?" * 100 + "b", "*" * 200 + "b", "*aaaaaaaaaaaab" * 20])
def test_no_name_makes_a_glob_slow(pattern: str) -> None:
    """A backtracking matcher would need longer than the universe has for each of these."""
    compiled = glob(pattern)
    began = time.process_time()

    assert compiled.match("a" * 4_096) is None
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a-{team", "without a }"),
        ("a-team}", "without a {"),
        ("{}", "no name of a part"),
        ("{1}", "no name of a part"),
        ("{a b}", "no name of a part"),
        ("{a}-{a}", "is there twice"),
        ("{room}", "cannot be called"),
        ("[abc", "without a ]"),
        ("[z-a]", "is empty"),
    ],
)
def test_a_glob_that_cannot_be_meant_is_refused_with_the_reason(pattern: str, message: str) -> None:
    with pytest.raises(PatternError, match=message):
        glob(pattern)


def test_a_regular_expression_matches_the_whole_name_and_binds_its_named_groups() -> None:
    compiled = regex(r"(?P<kind>demo|trial)-\d+(?P<rest>-.*)?")

    assert compiled.parts == {"kind", "rest"}
    assert compiled.match("demo-17") == {"kind": "demo", "rest": ""}
    assert compiled.match("a-demo-17") is None


def test_a_regular_expression_is_not_tried_on_a_name_that_is_too_long() -> None:
    assert regex("a*").match("a" * REGEX_NAME_LIMIT) is not None
    assert regex("a*").match("a" * (REGEX_NAME_LIMIT + 1)) is None


@pytest.mark.parametrize("pattern", ["(", "(?P<room>.*)", "[z-a]", "a{99999999999999999999}"])
def test_a_regular_expression_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        regex(pattern)
