"""What people said, given back: a labelled data set, and where the model and the people differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

from sqlalchemy import Connection, select

from shouwang.triage.tables import assessments, cases, posts, ratings


@dataclass(frozen=True, slots=True)
class Judged:
    """A post that people rated, and what the model said of it (None where it gave no level, or assessing failed).

    `level` is the median of the people's levels, of two the higher; `high` what most of them say, in a tie True.
    """

    id: str
    text: str
    level: int
    high: bool
    raters: int
    model: str | None
    model_level: int | None
    model_high: bool | None

    def to_row(self) -> dict[str, object]:
        """As a line of a labelled data set."""
        return {"id": self.id, "text": self.text, "level": self.level, "high": self.high, "raters": self.raters}


@dataclass(frozen=True, slots=True)
class Difference:
    """The posts that people put at one level (None: all): how many, and what the model said of them.

    `mean` is the mean of the model's levels (nan where it gave none), `lower` and `higher` count its levels below and
    above the people's, `missed` those that people call high and the model does not, `false_alarms` the other way round.
    """

    level: int | None
    posts: int
    mean: float
    lower: int
    same: int
    higher: int
    missed: int
    false_alarms: int


def judged(connection: Connection) -> Iterator[Judged]:
    """Every post that people rated, in the order in which the posts came."""
    joined = ratings.join(cases, cases.c.id == ratings.c.case).join(posts, posts.c.id == cases.c.post)
    columns = (
        *(posts.c.id, posts.c.source, posts.c.external_id, posts.c.text),
        *(ratings.c.level.label("rated"), ratings.c.high.label("rated_high")),
        *(assessments.c.model, assessments.c.level.label("model_level"), assessments.c.high.label("model_high")),
    )
    query = select(*columns).select_from(joined.outerjoin(assessments, assessments.c.post == posts.c.id))
    rows = connection.execute(query.order_by(posts.c.id))
    for _, of_post in groupby(rows, key=lambda row: row.id):
        told = list(of_post)
        yield _judged(told)


def differences(found: Sequence[Judged]) -> list[Difference]:
    """Where model and people differ, by the people's level, lowest first, then over all; nothing where nobody rated.

    Only posts that became cases were rated: what is missed shows in spot checks and cases opened by hand alone.
    """
    by_level: dict[int, list[Judged]] = defaultdict(list)
    for each in found:
        by_level[each.level].append(each)
    if not found:
        return []
    return [
        *(_difference(level, by_level[level]) for level in sorted(filter(_known, by_level))),
        _difference(None, found),
    ]


def _known(level: int | None) -> bool:
    return level is not None


def _judged(rows: Sequence[Any]) -> Judged:
    first = rows[0]
    levels = sorted(row.rated for row in rows)
    high = sum(row.rated_high for row in rows) * 2 >= len(rows)
    return Judged(
        id=f"{first.source}:{first.external_id}",
        text=first.text,
        level=levels[len(levels) // 2],
        high=high,
        raters=len(rows),
        model=first.model,
        model_level=first.model_level,
        model_high=None if first.model_high is None else bool(first.model_high),
    )


def _difference(level: int | None, found: Sequence[Judged]) -> Difference:
    graded = [(each.level, each.model_level) for each in found if each.model_level is not None]
    return Difference(
        level,
        len(found),
        fmean(model for _, model in graded) if graded else float("nan"),
        sum(model < people for people, model in graded),
        sum(model == people for people, model in graded),
        sum(model > people for people, model in graded),
        sum(each.high and each.model_high is False for each in found),
        sum(not each.high and each.model_high is True for each in found),
    )
