"""People rate: which post comes next, what is saved, when a suggestion may be seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, or_, select, update

from shouwang.annotate.labels import Label, Rating
from shouwang.annotate.project import CLAIMS, POSTS, RATINGS, Project, add_rating, latest, rating_of
from shouwang.posts import Post

HELD = 30 * 60
"""Seconds for which a post that somebody has open is not given to others."""

PUT_OFF = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A post with its place in the project, which stands in addresses: ids may hold anything."""

    place: int
    post: Post


@dataclass(frozen=True, slots=True)
class Progress:
    """Posts that one person has rated; that wait for them; of all; and those that enough people have rated."""

    mine: int
    open: int
    posts: int
    done: int


def next_for(project: Project, who: str, now: float | None = None) -> Turn | None:
    """The post that this person should rate next, held for them; None when there is nothing for them now.

    It is the one they have open, else the first in turn that too few people have rated or have open; what they put
    off comes last.
    """
    now = time.time() if now is None else now
    with project.writing() as connection:
        mine = and_(CLAIMS.c.post == POSTS.c.id, CLAIMS.c.who == who)
        put_off = exists().where(mine, CLAIMS.c.until == PUT_OFF)
        waiting = _waiting(who, project.raters, now)
        open_ = CLAIMS.alias()
        held = waiting.select_from(POSTS.join(open_, open_.c.post == POSTS.c.id)).where(
            open_.c.who == who, open_.c.until > now
        )
        for query in (held, waiting.where(~put_off), waiting):
            row = connection.execute(query.order_by(POSTS.c.turn).limit(1)).first()
            if row is not None:
                _claim(connection, row.id, who, now + HELD)
                return Turn(row.place, Post(row.id, row.text))
    return None


def _waiting(who: str, raters: int, now: float) -> Select[Any]:
    rated = exists().where(RATINGS.c.post == POSTS.c.id, RATINGS.c.who == who, RATINGS.c.stage == "blind")
    others = (
        select(func.count())
        .select_from(CLAIMS)
        .where(CLAIMS.c.post == POSTS.c.id, CLAIMS.c.who != who, CLAIMS.c.until > now)
        .scalar_subquery()
    )
    return select(POSTS).where(POSTS.c.rated < raters, POSTS.c.rated + others < raters, ~rated)


def put_off(project: Project, place: int, who: str) -> None:
    """Not now: somebody else may have it, and this person gets it last."""
    with project.writing() as connection:
        _claim(connection, _id(connection, place), who, PUT_OFF)


def at(project: Project, place: int) -> Turn | None:
    with project.engine.connect() as connection:
        row = connection.execute(select(POSTS).where(POSTS.c.place == place)).one_or_none()
    return Turn(row.place, Post(row.id, row.text)) if row else None


def save(project: Project, place: int, who: str, label: Label, *, again: bool = True) -> None:
    """Write down what a person says of a post.

    The first time it is their blind rating. Whatever they say later was said when they could have seen a suggestion,
    so it is added as said after it, also when two windows send the same post at once; the blind rating stays. Without
    `again`, what says no more than what stands is the same rating sent twice.
    """
    with project.writing() as connection:
        post = _id(connection, place)
        before = _mine(connection, post, who)
        if before == label and not again:
            return
        add_rating(connection, post, who, "after" if before else "blind", label, before=before)
        if before is None:
            connection.execute(update(POSTS).where(POSTS.c.id == post).values(rated=POSTS.c.rated + 1))
            connection.execute(delete(CLAIMS).where(CLAIMS.c.post == post, CLAIMS.c.who == who))


def own(project: Project, place: int, who: str) -> Label | None:
    """What this person says of a post; None as long as they have not rated it."""
    with project.engine.connect() as connection:
        return _mine(connection, _id(connection, place), who)


def suggestion(project: Project, place: int, who: str) -> Rating | None:
    """The newest rating by a language model, for somebody who has rated the post; None for everybody else.

    Its `data` say that the post may speak to the rater where any model noticed.
    """
    with project.engine.connect() as connection:
        post = _id(connection, place)
        if _mine(connection, post, who) is None:
            return None
        query = select(RATINGS).where(RATINGS.c.post == post, RATINGS.c.stage == "llm").order_by(RATINGS.c.number)
        said = [rating_of(row) for row in connection.execute(query)]
    newest = next((each for each in reversed(said) if each.label), None)
    marked = any(each.data.get("instructs") for each in said)
    return newest and replace(newest, data={**newest.data, "instructs": marked})


def recent(project: Project, who: str, limit: int = 20) -> list[tuple[int, Rating]]:
    """The posts that a person rated last, by place, with what they say of them; the newest first."""
    own = and_(RATINGS.c.who == who, RATINGS.c.stage.in_(("blind", "after")))
    newest = select(func.max(RATINGS.c.number)).where(own).group_by(RATINGS.c.post)
    query = (
        select(RATINGS, POSTS.c.place)
        .join(POSTS, POSTS.c.id == RATINGS.c.post)
        .where(RATINGS.c.number.in_(newest))
        .order_by(RATINGS.c.number.desc())
        .limit(limit)
    )
    with project.engine.connect() as connection:
        return [(row.place, rating_of(row)) for row in connection.execute(query)]


def progress(project: Project, who: str) -> Progress:
    blind = and_(RATINGS.c.who == who, RATINGS.c.stage == "blind")
    few = POSTS.c.rated < project.raters
    counts = (
        select(func.count()).where(blind),
        select(func.count()).select_from(POSTS).where(few),
        select(func.count()).select_from(RATINGS.join(POSTS, POSTS.c.id == RATINGS.c.post)).where(blind, few),
        select(func.count()).select_from(POSTS),
    )
    with project.engine.connect() as connection:
        mine, too_few, mine_of_these, posts = (connection.execute(count).scalar_one() for count in counts)
    return Progress(mine, too_few - mine_of_these, posts, posts - too_few)


def _mine(connection: Connection, post: str, who: str) -> Label | None:
    said = or_(RATINGS.c.stage == "blind", RATINGS.c.stage == "after")
    rows = connection.execute(select(RATINGS).where(RATINGS.c.post == post, RATINGS.c.who == who, said))
    return latest(sorted((rating_of(row) for row in rows), key=lambda rating: rating.number)).get(who)


def _id(connection: Connection, place: int) -> str:
    return str(connection.execute(select(POSTS.c.id).where(POSTS.c.place == place)).scalar_one())


def _claim(connection: Connection, post: str, who: str, until: float) -> None:
    connection.execute(delete(CLAIMS).where(CLAIMS.c.post == post, CLAIMS.c.who == who))
    connection.execute(insert(CLAIMS).values(post=post, who=who, until=until))
