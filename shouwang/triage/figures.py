"""Figures for an overview: how long cases wait, when they come, how levels and scores move. Reads only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from shouwang.triage.policy import Priority
from shouwang.triage.tables import assessments, cases

DAY = 86_400.0
BANDS = ((0, 3), (4, 5), (6, 7), (8, 10))
"""Levels that are counted together: pain, a wish to die, planning or method, a date."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cases of one priority: open and held by nobody now, the longest wait among them, and seconds until the first claim.

    `median` and `ninth` (of ten, that many seconds or less) are of the `claimed` cases opened in the time looked at; nan
    where none was claimed.
    """

    priority: Priority
    open: int
    longest: float
    claimed: int
    median: float
    ninth: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day: posts assessed, how many in each of `BANDS`, and how many the model called high."""

    start: float
    posts: int
    bands: tuple[int, ...]
    high: int


@dataclass(frozen=True, slots=True)
class Flagged:
    """The shares (0–1) of posts at or above one threshold on p_high: lately, and in the time before; nan without posts."""

    name: str
    threshold: float
    lately: float
    before: float


def waiting(connection: Connection, since: float, now: float) -> list[Waiting]:
    """By priority, most urgent first; cases opened from `since` on for what is past."""
    found = []
    for priority in reversed(Priority):
        of_it = cases.c.priority == int(priority)
        free = of_it & (cases.c.state == "open") & (cases.c.lease_until <= now)
        count, first = connection.execute(select(func.count(), func.min(cases.c.opened_at)).where(free)).one()
        took = select(cases.c.claimed_at - cases.c.opened_at)
        claimed = of_it & (cases.c.opened_at >= since) & cases.c.claimed_at.is_not(None)
        waits = sorted(max(0.0, wait) for wait in connection.execute(took.where(claimed)).scalars())
        longest = now - first if count else 0.0
        found.append(Waiting(priority, count, longest, len(waits), _share(waits, 0.5), _share(waits, 0.9)))
    return found


def by_hour(connection: Connection, since: float) -> tuple[list[int], list[int]]:
    """Cases opened and cases closed by hour of the day (24 numbers each), in the server's time zone."""
    counted = []
    for column in (cases.c.opened_at, cases.c.closed_at):
        hours = Counter(
            datetime.fromtimestamp(at).hour
            for at in connection.execute(select(column).where(column >= since)).scalars()
        )
        counted.append([hours[hour] for hour in range(24)])
    return counted[0], counted[1]


def by_day(connection: Connection, now: float, days: int) -> list[Day]:
    """What was assessed in each of the last spans of 24 hours, oldest first."""
    found = []
    for back in range(days, 0, -1):
        start = now - back * DAY
        of_it = (assessments.c.at > start) & (assessments.c.at <= start + DAY)
        levels = select(assessments.c.level, func.count()).where(of_it).group_by(assessments.c.level)
        by_level = {row[0]: row[1] for row in connection.execute(levels)}
        bands = tuple(sum(by_level.get(level, 0) for level in range(low, high + 1)) for low, high in BANDS)
        high = connection.execute(select(func.count()).where(of_it, assessments.c.high.is_(True))).scalar_one()
        found.append(Day(start, sum(by_level.values()), bands, high))
    return found


def flagged(connection: Connection, thresholds: Mapping[str, float], now: float, days: float) -> list[Flagged]:
    """The share of posts above each threshold in the last `days` days, and in as many days before them."""
    lately = _shares(connection, thresholds, now - days * DAY, now)
    before = _shares(connection, thresholds, now - 2 * days * DAY, now - days * DAY)
    return [Flagged(name, thresholds[name], lately[name], before[name]) for name in thresholds]


def _shares(connection: Connection, thresholds: Mapping[str, float], start: float, end: float) -> dict[str, float]:
    above = [func.sum(case((assessments.c.p_high >= threshold, 1), else_=0)) for threshold in thresholds.values()]
    query = select(func.count(), *above).where(assessments.c.at > start, assessments.c.at <= end)
    count, *sums = connection.execute(query).one()
    return {name: total / count if count else math.nan for name, total in zip(thresholds, sums, strict=True)}


def _share(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the ordered values does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan
