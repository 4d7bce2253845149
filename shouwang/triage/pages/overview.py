"""The overview: how long people wait, when cases come, how levels move, whether the scores still are what they were."""

from __future__ import annotations

import math
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from shouwang.triage import figures, learning
from shouwang.triage.pages import chart
from shouwang.triage.pages.access import Watcher, watch_of

router = APIRouter(include_in_schema=False)

DAYS, DRIFT_DAYS = 14, 7
DAY = 86_400.0


@router.get("/overview")
def overview(visitor: Watcher) -> Response:
    """Figures alone: no post, no author."""
    watch = watch_of(visitor)
    now = watch.clock()
    with watch.engine.connect() as connection:
        waiting = figures.waiting(connection, now - DAYS * DAY, now)
        opened, closed = figures.by_hour(connection, now - DAYS * DAY)
        days = figures.by_day(connection, now, DAYS)
        flagged = figures.flagged(connection, watch.points, now, DRIFT_DAYS)
        differences = learning.differences(list(learning.judged(connection)))
    return visitor.page(
        "overview.html",
        days=DAYS,
        drift_days=DRIFT_DAYS,
        waiting=waiting,
        by_hour=list(zip(range(24), opened, closed, strict=True)),
        hours=chart.bars([(f"{hour}", float(count)) for hour, count in enumerate(opened)]),
        by_day=days,
        high=chart.bars([(_date(day.start), _percent(day.high, day.posts)) for day in days]),
        bands=figures.BANDS,
        date=_date,
        flagged=flagged,
        differences=differences,
        stated=watch.stated,
        known=lambda number: not math.isnan(number),
    )


def _date(start: float) -> str:
    return datetime.fromtimestamp(start).strftime("%m-%d")


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
