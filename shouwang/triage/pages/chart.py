"""Where the points and bars of the small charts stand; the templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shouwang.triage.authors import Moment

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560.0, 156.0, 26.0, 12.0, 18.0, 22.0
HIGHEST = 10


@dataclass(frozen=True, slots=True)
class Dot:
    """One post in the course: where it stands, its level, whether it is the one at hand."""

    x: float
    y: float
    level: int
    at: float
    here: bool


@dataclass(frozen=True, slots=True)
class Course:
    """An author's levels over time, in the units of an SVG of WIDTH × HEIGHT; `grid` holds (level, y)."""

    dots: tuple[Dot, ...]
    line: str
    grid: tuple[tuple[int, float], ...]
    first: float
    last: float
    width: float = WIDTH
    height: float = HEIGHT


def course(moments: Sequence[Moment], post: int) -> Course | None:
    """The chart of an author's course; None where fewer than two posts have a level."""
    known = [(m, m.assessment.level) for m in moments if m.assessment is not None and m.assessment.level is not None]
    if len(known) < 2:
        return None
    first, last = known[0][0].at, known[-1][0].at
    dots = tuple(
        Dot(round(_x(moment.at, first, last), 1), round(_y(level), 1), level, moment.at, moment.post == post)
        for moment, level in known
    )
    line = " ".join(f"{dot.x},{dot.y}" for dot in dots)
    return Course(dots, line, tuple((level, round(_y(level), 1)) for level in (0, 2, 4, 6, 8, 10)), first, last)


def _x(at: float, first: float, last: float) -> float:
    share = (at - first) / (last - first) if last > first else 0.5
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(level: int) -> float:
    return TOP + (1 - level / HIGHEST) * (HEIGHT - TOP - BOTTOM)


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its label, its number, where it stands."""

    label: str
    value: float
    x: float
    y: float
    width: float
    height: float


def bars(values: Sequence[tuple[str, float]]) -> tuple[Bar, ...]:
    """Columns over the width, the highest value as high as the chart."""
    most = max((value for _, value in values), default=0.0) or 1.0
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    found = []
    for place, (label, value) in enumerate(values):
        height = value / most * (HEIGHT - TOP - BOTTOM)
        x, y = LEFT + place * step + step * 0.12, HEIGHT - BOTTOM - height
        found.append(Bar(label, value, round(x, 1), round(y, 1), round(step * 0.76, 1), round(height, 1)))
    return tuple(found)
