from __future__ import annotations

import math

from sqlalchemy import Engine

from shouwang import database
from shouwang.triage import acts, figures
from shouwang.triage.policy import Priority
from tests.triage.invented import watch

HOUR, DAY = 3_600.0, 86_400.0


def test_waits_are_from_opening_to_the_first_claim(engine: Engine) -> None:
    watch(engine, "9 a", "9 b", "9 c", "6 d", now=1000.0)
    with database.writing(engine) as connection:
        for number, after in ((1, 60.0), (2, 600.0)):
            acts.claim(connection, number, "user:1", 1000.0 + after)
        now, today, _ = figures.waiting(connection, 0.0, 1000.0 + 700)
    assert (now.priority, now.open, now.longest, now.claimed) == (Priority.NOW, 1, 700.0, 2)
    assert (now.median, now.ninth) == (60.0, 600.0)
    assert (today.open, today.claimed) == (1, 0)
    assert math.isnan(today.median)


def test_days_count_levels_in_bands(engine: Engine) -> None:
    watch(engine, "0 a", "3 b", "5 c", "7 d", "9 e", now=10 * DAY)
    watch(engine, "10 f", now=11 * DAY, first=6)
    with engine.connect() as connection:
        before, last = figures.by_day(connection, 11 * DAY, 2)
        opened, closed = figures.by_hour(connection, 0.0)
    assert (before.posts, before.bands, before.high) == (5, (2, 1, 1, 1), 2)
    assert (last.posts, last.bands, last.high) == (1, (0, 0, 0, 1), 1)
    assert (sum(opened), sum(closed)) == (4, 0)


def test_shares_above_a_threshold_lately_and_before(engine: Engine) -> None:
    watch(engine, "0 a", "9 b", "9 c", "9 d", now=3 * DAY)
    watch(engine, "0 e", "9 f", now=10 * DAY, first=5)
    with engine.connect() as connection:
        (found,) = figures.flagged(connection, {"balanced": 0.5}, 10 * DAY, 7)
        (none,) = figures.flagged(connection, {"balanced": 0.5}, 90 * DAY, 7)
    assert (found.lately, found.before) == (0.5, 0.75)
    assert math.isnan(none.lately)
