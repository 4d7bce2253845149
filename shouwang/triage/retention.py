"""What is kept, in which form and for how long. The ledger is kept for good: it names posts and people by number alone.

A post that waits, and an open case with its post, are never removed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, insert, select

from shouwang import ledger
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.triage.tables import authors, cases, posts, receipts, settings

DAY = 86_400.0
AT_ONCE = 1_000
"""Most posts that one transaction removes: whoever else writes waits meanwhile."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Days for which posts without a case are kept from their receipt, and closed cases from their closing.

    None keeps them for good. `identifiers`: whether phone numbers, names of accounts and the like stay in the texts of
    posts that come in.
    """

    posts: float | None = 90.0
    cases: float | None = 365.0
    identifiers: bool = True

    def __post_init__(self) -> None:
        for name in ("posts", "cases"):
            days = getattr(self, name)
            if days is not None and not 0 < days <= 36_500:
                raise InputError(
                    say(
                        f"{name} are to be kept for {days:g} days; more than 0 and at most 36500 are expected",
                        f"--{name} {days:g}：保留天数应大于 0、至多 36500",
                    )
                )


class Removed(NamedTuple):
    """How many of each were removed; the cases' posts are among the posts."""

    posts: int
    cases: int


def current(connection: Connection) -> Kept:
    """What holds in this database; what `Kept` says unless something else was set."""
    told = connection.execute(select(settings.c.value).where(settings.c.name == "kept")).scalar_one_or_none()
    return Kept(**json.loads(told)) if told else Kept()


def keep(connection: Connection, kept: Kept, who: str) -> None:
    """From now on that holds."""
    connection.execute(delete(settings).where(settings.c.name == "kept"))
    connection.execute(insert(settings), {"name": "kept", "value": json.dumps(asdict(kept))})
    ledger.append(connection, who, "set-retention", "", **asdict(kept))


def remove(connection: Connection, now: float, who: str = "worker", most: int = AT_ONCE) -> Removed:
    """Remove posts whose time is over, at most that many; with a case's post go the case, its ratings and its notes.

    Authors of whom nothing is left go too, and receipts of that age of which no post is left or ever was.
    """
    kept = current(connection)
    found = expired(connection, kept, now, most)
    touched = connection.execute(select(posts.c.author).where(posts.c.id.in_(found)).distinct()).scalars().all()
    with_case = connection.execute(select(cases.c.id).where(cases.c.post.in_(found))).all()
    connection.execute(delete(posts).where(posts.c.id.in_(found)))
    nothing_left = ~exists().where(posts.c.author == authors.c.id)
    connection.execute(delete(authors).where(authors.c.id.in_(touched), nothing_left))
    if days := [each for each in (kept.posts, kept.cases) if each is not None]:
        nothing_left = ~exists().where(posts.c.receipt == receipts.c.id)
        connection.execute(delete(receipts).where(receipts.c.at < now - min(days) * DAY, nothing_left))
    removed = Removed(len(found), len(with_case))
    if found:
        ledger.append(connection, who, "retention", "", **removed._asdict())
    return removed


def expired(connection: Connection, kept: Kept, now: float, most: int = AT_ONCE) -> list[int]:
    """The posts whose time is over, at most that many."""
    found: list[int] = []
    if kept.posts is not None:
        no_case = ~exists().where(cases.c.post == posts.c.id)
        old = select(posts.c.id).where(posts.c.received_at < now - kept.posts * DAY, posts.c.assessed_at.is_not(None))
        found += connection.execute(old.where(no_case).order_by(posts.c.received_at).limit(most)).scalars()
    if kept.cases is not None:
        closed = select(cases.c.post).where(cases.c.state == "closed", cases.c.closed_at < now - kept.cases * DAY)
        found += connection.execute(closed.order_by(cases.c.closed_at).limit(most - len(found))).scalars()
    return found
