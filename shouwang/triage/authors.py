"""One author under a pseudonym: the course over time, and what the law gives a person: export and erasure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from shouwang import ledger
from shouwang.posts import Assessment
from shouwang.triage.intake import Pseudonyms
from shouwang.triage.tables import assessments, authors, cases, notes, posts, ratings, shadows

SHOWN = 200  # posts


@dataclass(frozen=True, slots=True)
class Moment:
    """One post in an author's course; `at` is when it was posted, or received where the source's clock runs ahead."""

    post: int
    case: int | None
    at: float
    text: str
    assessment: Assessment | None


def course(connection: Connection, author: int, most: int = SHOWN) -> list[Moment]:
    """An author's newest posts, in the order in which they were posted; `assessment` is None where one waits or failed."""
    joined = posts.outerjoin(assessments, assessments.c.post == posts.c.id).outerjoin(cases, cases.c.post == posts.c.id)
    query = (
        select(
            posts.c.id,
            posts.c.external_id,
            posts.c.text,
            posts.c.posted_at,
            posts.c.received_at,
            assessments.c.row,
            cases.c.id.label("case"),
        )
        .select_from(joined)
        .where(posts.c.author == author)
        .order_by(posts.c.received_at.desc(), posts.c.id.desc())
        .limit(most)
    )
    found = [
        Moment(
            row.id,
            row.case,
            row.received_at if row.posted_at is None else min(row.posted_at, row.received_at),
            row.text,
            Assessment.from_row(row.row | {"id": row.external_id}) if row.row else None,
        )
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda moment: (moment.at, moment.post))


def saw(connection: Connection, who: str, author: int) -> None:
    """Record that `who` was shown an author's course."""
    ledger.append(connection, who, "saw", f"author:{author}")


def numbered(connection: Connection, pseudonyms: Pseudonyms, source: str, name: str) -> int | None:
    """The number of the author whom a source calls that; None where there is none."""
    known = select(authors.c.id).where(authors.c.pseudonym == pseudonyms.author(source, name))
    return connection.execute(known).scalar_one_or_none()


def export(connection: Connection, author: int) -> Iterator[dict[str, object]]:
    """Everything that is held of an author: one row a post, with assessment, case, ratings, notes, shadows."""
    for post in connection.execute(select(posts).where(posts.c.author == author).order_by(posts.c.id)).all():
        told = connection.execute(select(assessments.c.row).where(assessments.c.post == post.id)).scalar_one_or_none()
        case = connection.execute(select(cases).where(cases.c.post == post.id)).mappings().one_or_none()
        row: dict[str, object] = {
            "source": post.source,
            "id": post.external_id,
            "text": post.text,
            "posted_at": post.posted_at,
            "received_at": post.received_at,
            "assessment": told,
            "case": case and dict(case),
        }
        for name, table in (("ratings", ratings), ("notes", notes)):
            of_case = select(table).where(table.c.case == (case["id"] if case else None))
            row[name] = [dict(each) for each in connection.execute(of_case).mappings()]
        of_post = select(shadows).where(shadows.c.post == post.id)
        row["shadows"] = [dict(each) for each in connection.execute(of_post).mappings()]
        yield row


def erase(connection: Connection, author: int, who: str) -> int:
    """Erase an author, and with the row all posts, assessments, cases, ratings and notes; how many posts.

    The ledger keeps its events, which name them by number alone, and says that this author was erased.
    """
    gone = connection.execute(select(posts.c.id).where(posts.c.author == author)).all()
    connection.execute(delete(authors).where(authors.c.id == author))
    ledger.append(connection, who, "erased", f"author:{author}", posts=len(gone))
    return len(gone)
