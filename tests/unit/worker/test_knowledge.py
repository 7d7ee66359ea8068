"""What can be looked up, and whether it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.knowledge import PASSAGE_LENGTH, Knowledge, Passage, passages_of, words

SHOP = """We are a shop.

# Opening hours

Monday to Friday from nine to six.
On Saturdays from ten to four.

# Returns

Within 30 days, with the receipt.
"""


def test_a_text_is_cut_where_its_headings_are() -> None:
    assert list(passages_of(SHOP, name="shop")) == [
        Passage("shop", "We are a shop."),
        Passage("Opening hours", "Monday to Friday from nine to six.\nOn Saturdays from ten to four."),
        Passage("Returns", "Within 30 days, with the receipt."),
    ]


def test_a_long_text_without_headings_is_cut_between_its_paragraphs() -> None:
    paragraph = "word " * 60
    found = list(passages_of("\n\n".join([paragraph] * 10), name="long"))
    assert len(found) == 5
    assert all(len(passage.text) <= PASSAGE_LENGTH for passage in found)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("When are you open on Saturday?", "Opening hours"),
        ("OPENING HOUR", "Opening hours"),
        ("can I return it?", "Returns"),
        ("receipts", "Returns"),
    ],
)
def test_the_passage_that_answers_best_comes_first(question: str, title: str) -> None:
    assert Knowledge(passages_of(SHOP, name="shop")).search(question)[0].title == title


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    knowledge = Knowledge([Passage("a", "bicycle bell"), Passage("b", "bicycle chain"), Passage("c", "bicycle bicycle")])
    assert knowledge.search("bicycle chain")[0].title == "b"


def test_what_is_about_something_else_is_not_found() -> None:
    assert Knowledge(passages_of(SHOP, name="shop")).search("unicorn") == []
    assert Knowledge().search("anything") == []


def test_no_more_is_found_than_was_asked_for() -> None:
    assert len(Knowledge(Passage(str(n), "the same words") for n in range(9)).search("words", limit=2)) == 2


def test_words_are_compared_without_case_accents_and_plural() -> None:
    assert words("Cafés, GAS and Glass") == ["cafe", "gas", "and", "glass"]


@given(st.text())
def test_nothing_but_empty_lines_and_headings_is_lost(text: str) -> None:
    found = list(passages_of(text, name="any"))
    assert all(passage.text.strip() for passage in found)
    said = {line.strip() for passage in found for line in passage.text.splitlines()} | {passage.title for passage in found}
    assert {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")} <= said
