"""The cases that wait for people, and what is known of each; what people do with them is `acts`.

    case_list(connection, *, state="open", priority=None, whose=None, free_at=None, before=None, limit=50) -> list[Case]
    case(connection, number) -> Case                         ratings(connection, number) -> list[Rating]
    notes(connection, number) -> list[Note]                  open_counts(connection, who, now) -> Counts
    blind(connection, who, numbers) -> set[int]

In: `intake.accept`. Authors: `authors.course`, `authors.erase`, `authors.export`. Policies: `policies`. Figures for an
overview: `figures`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select, tuple_

from shouwang.errors import ShouwangError
from shouwang.language import say
from shouwang.posts import Assessment, Post
from shouwang.text import deidentify
from shouwang.triage import tables
from shouwang.triage.identifiers import deidentified
from shouwang.triage.policy import Priority, Reason
from shouwang.triage.tables import assessments, authors, cases, posts

MOST_COUNTED = 1_000
"""Cases of a priority that are counted at most, each time that somebody looks: 50,000 take PostgreSQL 30 ms."""

HISTORY = 2_000  # most ratings or notes of a case that are given


class NoCaseError(ShouwangError):
    """There is no case of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(
            say(f"There is no case {number}; it may have been erased.", f"没有个案 {number}，可能已被删除。")
        )


class Place(NamedTuple):
    """Where a list of cases goes on: after that case."""

    priority: int
    opened_at: float
    id: int


@dataclass(frozen=True, slots=True)
class Case:
    """A case with its post and what the model says of it; `assessment` is None where assessing was given up.

    `code` is a short name of the author's pseudonym, None where the source names no author.
    """

    id: int
    post: int
    author: int | None
    code: str | None
    source: str
    external_id: str
    text: str
    posted_at: float | None
    received_at: float
    priority: Priority
    reasons: tuple[Reason, ...]
    policy: int
    opened_at: float
    state: str
    assignee: str | None
    lease_until: float
    claimed_at: float | None
    second_by: str | None
    outcome: str | None
    closed_at: float | None
    closed_by: str | None
    assessment: Assessment | None

    @property
    def place(self) -> Place:
        return Place(self.priority, self.opened_at, self.id)

    def deidentified(self) -> Case:
        """The same without what points to a person in its text, and without the post's id."""
        if self.assessment is None:
            return replace(self, text=deidentify(self.text).text, external_id="")
        post, assessment, _ = deidentified(Post("", self.text), replace(self.assessment, id=""))
        return replace(self, text=post.text, external_id="", assessment=assessment)

    def held_by(self, now: float) -> str | None:
        """Who holds the case: nobody once the lease has run out."""
        return self.assignee if self.lease_until > now else None


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person says of a case; `second` for a second opinion."""

    who: str
    level: int
    high: bool
    second: bool
    at: float


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote down about a case."""

    id: int
    who: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Open cases: by priority (MOST_COUNTED where there are as many or more), held by oneself, waiting for a second
    opinion."""

    open: dict[Priority, int]
    mine: int
    second: int


def case_list(
    connection: Connection,
    *,
    state: str = "open",
    priority: Priority | None = None,
    whose: str | None = None,
    free_at: float | None = None,
    second: bool = False,
    before: Place | None = None,
    limit: int = 50,
) -> list[Case]:
    """Cases, most urgent first, among them the newest first, after the one at `before`.

    `whose`: held by that person. `free_at`: held by nobody at that time. `second`: a second opinion is asked for.
    """
    query = _cases().where(cases.c.state == state)
    if priority is not None:
        query = query.where(cases.c.priority == int(priority))
    if whose is not None:
        held = select(cases.c.id).where(cases.c.state == state, cases.c.assignee == whose)
        query = query.where(cases.c.id.in_(held))  # few: found by their own index, not by walking the whole queue
    if free_at is not None:
        query = query.where(or_(cases.c.assignee.is_(None), cases.c.lease_until <= free_at))
    if second:
        query = query.where(cases.c.id.in_(select(cases.c.id).where(cases.c.second_by.is_not(None))))
    keys = (cases.c.priority, cases.c.opened_at, cases.c.id)
    if before is not None:
        query = query.where(tuple_(*keys) < tuple_(int(before.priority), before.opened_at, before.id))
    query = query.order_by(*(key.desc() for key in keys)).limit(limit)
    return [_case(row) for row in connection.execute(query)]


def case(connection: Connection, number: int) -> Case:
    """That case; raises NoCaseError."""
    row = connection.execute(_cases().where(cases.c.id == number)).one_or_none()
    if row is None:
        raise NoCaseError(number)
    return _case(row)


def ratings(connection: Connection, number: int) -> list[Rating]:
    """What people say of that case, in the order in which they said it."""
    table = tables.ratings
    rows = connection.execute(select(table).where(table.c.case == number).order_by(table.c.at).limit(HISTORY))
    return [Rating(row.who, row.level, row.high, row.second, row.at) for row in rows]


def notes(connection: Connection, number: int) -> list[Note]:
    """The notes on that case, oldest first."""
    table = tables.notes
    rows = connection.execute(select(table).where(table.c.case == number).order_by(table.c.id).limit(HISTORY))
    return [Note(row.id, row.who, row.at, row.text) for row in rows]


def blind(connection: Connection, who: str, numbers: Iterable[int]) -> set[int]:
    """Those of the cases on which `who` may give a second opinion and has not: nothing said of them is to be shown."""
    table = tables.ratings
    rated = exists().where(table.c.case == cases.c.id, table.c.who == who)
    asked = select(cases.c.id).where(cases.c.id.in_(list(numbers)), cases.c.second_by != who, ~rated)
    return set(connection.execute(asked).scalars())


def open_counts(connection: Connection, who: str, now: float) -> Counts:
    """How many cases are open, how many of them `who` holds, and how many wait for a second opinion, one's own too."""
    is_open = cases.c.state == "open"
    of_each = {each: is_open & (cases.c.priority == int(each)) for each in reversed(Priority)}
    few = [select(cases.c.id).where(some).limit(MOST_COUNTED).subquery() for some in of_each.values()]
    found = connection.execute(
        select(*(select(func.count()).select_from(each).scalar_subquery() for each in few))
    ).one()
    mine = and_(is_open, cases.c.assignee == who, cases.c.lease_until > now)
    second = cases.c.second_by.is_not(None)  # a closed case asks for none
    return Counts(
        dict(zip(of_each, found, strict=True)),
        connection.execute(select(func.count()).where(mine)).scalar_one(),
        connection.execute(select(func.count()).where(second)).scalar_one(),
    )


_POST: tuple[ColumnElement[Any], ...] = (
    posts.c.source,
    posts.c.external_id,
    posts.c.text,
    posts.c.posted_at,
    posts.c.received_at,
    authors.c.pseudonym,
    assessments.c.row,
)


def _cases() -> Select[Any]:
    joined = cases.join(posts, posts.c.id == cases.c.post)
    joined = joined.outerjoin(authors, authors.c.id == cases.c.author)
    return select(cases, *_POST).select_from(joined.outerjoin(assessments, assessments.c.post == cases.c.post))


def _case(row: Row[Any]) -> Case:
    found = dict(row._mapping)
    told, pseudonym = found.pop("row"), found.pop("pseudonym")
    return Case(
        **found
        | {
            "priority": Priority(found["priority"]),
            "reasons": tuple(Reason(*each) for each in found["reasons"]),
            "code": code(pseudonym),
            "assessment": Assessment.from_row(told | {"id": found["external_id"]}) if told else None,
        }
    )


def code(pseudonym: str | None) -> str | None:
    """How an author is called on a page: eight characters of the pseudonym."""
    return pseudonym and f"{pseudonym[:4]}-{pseudonym[4:8]}"
