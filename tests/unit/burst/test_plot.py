"""The picture: whole in itself, readable without colours and without eyes."""

import re
import xml.etree.ElementTree as ET

import pytest

from orchestrator.burst.outcome import Outcome, RoomOutcome
from orchestrator.burst.plan import Way
from orchestrator.burst.plot import BINS, axis, histogram, page, svg

NAMESPACE = "{http://www.w3.org/2000/svg}"
PLAIN = Outcome(Way.PLAIN, [RoomOutcome("a", 0.2), RoomOutcome("b", None)], looks=0)
ROLLCALL = Outcome(Way.ROLLCALL, [RoomOutcome("a", 0.2), RoomOutcome("b", 9.5)], looks=0)


def drawn(*outcomes: Outcome, heading: str = "2 rooms") -> ET.Element:
    return ET.fromstring(svg(heading, outcomes))  # noqa: S314 - our own


def test_it_tells_in_words_what_it_shows() -> None:
    picture = drawn(PLAIN, ROLLCALL)
    title, desc = picture.find(f"{NAMESPACE}title"), picture.find(f"{NAMESPACE}desc")

    assert picture.get("role") == "img"
    assert title is not None
    assert desc is not None
    assert picture.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.text == "2 rooms"
    assert "plain: 1 of 2 rooms got their agent, 0 had two; p50 0.20 s, p90 never" in str(desc.text)
    assert "rollcall: 2 of 2 rooms got their agent" in str(desc.text)


def test_a_curve_climbs_a_step_for_each_room_and_stays_where_no_other_had_an_agent() -> None:
    plain, rollcall = (path.get("d") or "" for path in drawn(PLAIN, ROLLCALL).iter(f"{NAMESPACE}path") if is_curve(path))

    assert re.findall(r"V([\d.]+)", plain) == ["174.0"]
    assert re.findall(r"V([\d.]+)", rollcall) == ["174.0", "64.0"]


def is_curve(path: ET.Element) -> bool:
    return "curve" in (path.get("class") or "") and "V" in (path.get("d") or "")


def test_nothing_is_fetched_and_nothing_runs() -> None:
    whole = page("x", [PLAIN, ROLLCALL])

    assert not re.findall(r"<script|<link|<image|url\(|@import|\bsrc=|\bhref=|\bon\w+=", whole)
    assert re.findall(r"https?://[^\"]+", whole) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme:dark" in whole
    assert '<html lang="en">' in whole


def test_what_somebody_named_is_text() -> None:
    assert "<b>" not in page("agent <b>&", [PLAIN])
    assert drawn(PLAIN, heading="agent <b>&")[0].text == "agent <b>&"


def test_a_burst_without_any_agent_can_be_drawn() -> None:
    drawn(Outcome(Way.PLAIN, [RoomOutcome("a", None)], looks=0))


@pytest.mark.parametrize(
    ("longest", "end", "step"),
    [(0.27, 0.3, 0.05), (11.2, 12.0, 2.0), (60.0, 60.0, 10.0), (1.0, 1.0, 0.2), (0.0, 0.001, 0.0002)],
)
def test_an_axis_ends_at_a_round_number_that_is_large_enough(longest: float, end: float, step: float) -> None:
    limit, ticks = axis(longest)

    assert [limit, ticks[1]] == pytest.approx([end, step])
    assert limit >= longest
    assert ticks[-1] == pytest.approx(limit)


def test_every_time_is_in_one_bar() -> None:
    assert sum(histogram([0.0, 5.0, 10.0], 10.0)) == 3
    assert histogram([10.0], 10.0)[BINS - 1] == 1
