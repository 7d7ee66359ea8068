"""A burst as one picture: how many rooms had their agent after how long, and how the times are spread.

SVG by itself, or in a page: no script, no font, no address of anything outside, readable in both themes.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from orchestrator.burst.outcome import Outcome
from orchestrator.burst.plan import Way
from orchestrator.burst.report import seconds

WIDTH: Final = 760
_LEFT, _RIGHT = 64, 24
_CURVES_TOP, _CURVES_BOTTOM = 64, 284
_BARS_TOP, _BARS_BOTTOM = 344, 464
HEIGHT: Final = 512

BINS: Final = 30
_TICKS: Final = 6
"""At most, along an axis."""

_STYLE: Final = """
svg{--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--paper:#fff;--rollcall:#0b5cad;--plain:#b03a00;background:var(--paper)}
@media(prefers-color-scheme:dark){svg{--ink:#f0f6fc;--soft:#9198a1;--line:#3d444d;--paper:#0d1117;--rollcall:#79b8ff;--plain:#ffab70}}
text{font:13px system-ui,sans-serif;fill:var(--ink)}
.title{font-size:16px;font-weight:600}.soft{fill:var(--soft)}
.grid{stroke:var(--line)}.curve{fill:none;stroke-width:2.5}
.rollcall{stroke:var(--rollcall)}.plain{stroke:var(--plain);stroke-dasharray:7 4}
.bar{stroke-width:1.5;stroke-dasharray:none}.bar.rollcall{fill:var(--rollcall);fill-opacity:.35}.bar.plain{fill:var(--plain);fill-opacity:.2}
"""


def svg(heading: str, outcomes: Sequence[Outcome]) -> str:
    """The picture of these outcomes, one curve each."""
    limit, ticks = axis(max((outcome.times[-1] for outcome in outcomes if outcome.times), default=1.0))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(heading)}</title>',
        f'<desc id="desc">{escape(" ".join(_told(outcome) for outcome in outcomes))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="{_LEFT}" y="26">{escape(heading)}</text>',
        *_legend(outcomes),
        *_grid(limit, ticks),
        *(_curve(outcome, limit) for outcome in outcomes),
        *_bars(outcomes, limit),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def page(heading: str, outcomes: Sequence[Outcome]) -> str:
    """The picture in a page of its own."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(heading)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n<style>:root{color-scheme:light dark}'
        "body{margin:2rem auto;max-width:60rem}svg{width:100%;height:auto}</style>\n"
        f"</head>\n<body>\n<main>\n{svg(heading, outcomes)}</main>\n</body>\n</html>\n"
    )


def axis(longest: float) -> tuple[float, tuple[float, ...]]:
    """Where an axis that shows so much ends, and its ticks: multiples of 1, 2 or 5 times a power of ten."""
    longest = max(longest, 0.001)
    rough = longest / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    count = math.ceil(longest / step - 1e-9)
    return count * step, tuple(round(n * step, 6) for n in range(count + 1))


def _told(outcome: Outcome) -> str:
    with_agent = f"{outcome.way}: {len(outcome.times)} of {len(outcome.rooms)} rooms got their agent"
    times = ", ".join(f"{name} {seconds(value)}" for name, value in outcome.percentiles().items())
    return f"{with_agent}, {outcome.doubled} had two; {times}."


def _legend(outcomes: Sequence[Outcome]) -> Iterator[str]:
    x = _LEFT
    for outcome in outcomes:
        text = f"{_label(outcome.way)}: {len(outcome.times)} of {len(outcome.rooms)}"
        yield f'<path class="curve {outcome.way}" d="M{x} 44h28"/>'
        yield f'<text x="{x + 36}" y="48">{escape(text)}</text>'
        x += 250


def _label(way: Way) -> str:
    return "Rollcall" if way is Way.ROLLCALL else "plain dispatch"


def _grid(limit: float, ticks: Sequence[float]) -> Iterator[str]:
    for percent in (0, 25, 50, 75, 100):
        y = _CURVES_BOTTOM - (_CURVES_BOTTOM - _CURVES_TOP) * percent / 100
        yield f'<path class="grid" d="M{_LEFT} {y:g}H{WIDTH - _RIGHT}"/>'
        yield f'<text class="soft" x="{_LEFT - 8}" y="{y + 4:g}" text-anchor="end">{percent} %</text>'
    for tick in ticks:
        x = _x(tick, limit)
        yield f'<path class="grid" d="M{x:.1f} {_CURVES_BOTTOM}v6M{x:.1f} {_BARS_BOTTOM}v6"/>'
        yield f'<text class="soft" x="{x:.1f}" y="{_CURVES_BOTTOM + 20}" text-anchor="middle">{tick:g}</text>'
        yield f'<text class="soft" x="{x:.1f}" y="{_BARS_BOTTOM + 20}" text-anchor="middle">{tick:g}</text>'
    yield f'<path class="grid" d="M{_LEFT} {_BARS_BOTTOM}H{WIDTH - _RIGHT}"/>'
    yield f'<text class="soft" x="{_LEFT}" y="{_CURVES_BOTTOM + 40}">rooms that have their agent, by seconds</text>'
    yield f'<text class="soft" x="{_LEFT}" y="{_BARS_BOTTOM + 40}">rooms that got their agent in that time, by seconds</text>'


def _curve(outcome: Outcome, limit: float) -> str:
    """A step for each room that got its agent; it ends where no other room had one."""
    height, rooms = _CURVES_BOTTOM - _CURVES_TOP, max(len(outcome.rooms), 1)
    steps = "".join(
        f"H{_x(time, limit):.1f}V{_CURVES_BOTTOM - height * count / rooms:.1f}" for count, time in enumerate(outcome.times, 1)
    )
    return f'<path class="curve {outcome.way}" d="M{_LEFT} {_CURVES_BOTTOM}{steps}H{WIDTH - _RIGHT}"/>'


def _bars(outcomes: Sequence[Outcome], limit: float) -> Iterator[str]:
    counts = {outcome.way: histogram(outcome.times, limit) for outcome in outcomes}
    tallest = max((max(count) for count in counts.values()), default=0) or 1
    width = (WIDTH - _LEFT - _RIGHT) / BINS
    yield f'<text class="soft" x="{_LEFT - 8}" y="{_BARS_TOP + 4}" text-anchor="end">{tallest}</text>'
    for way, count in counts.items():
        for bin_number, rooms in enumerate(count):
            if rooms:
                height = (_BARS_BOTTOM - _BARS_TOP) * rooms / tallest
                x, y = _LEFT + bin_number * width, _BARS_BOTTOM - height
                yield f'<rect class="bar {way}" x="{x + 1:.1f}" y="{y:.1f}" width="{width - 2:.1f}" height="{height:.1f}"/>'


def histogram(times: Sequence[float], limit: float) -> list[int]:
    """How many times lie in each of the equal parts of 0 to `limit`; the last part has its end."""
    counts = [0] * BINS
    for time in times:
        counts[min(int(time / limit * BINS), BINS - 1)] += 1
    return counts


def _x(time: float, limit: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * time / limit
