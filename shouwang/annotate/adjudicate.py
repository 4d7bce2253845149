"""Disagreements: which posts somebody must settle, and their decision."""

from __future__ import annotations

from sqlalchemy import Select, func, or_, select

from shouwang.annotate.labels import Label, Rating
from shouwang.annotate.project import POSTS, RATINGS, Project, add_rating, rating_of
from shouwang.annotate.rating import Turn
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import Post


def open_cases(project: Project) -> list[Turn]:
    """Posts that enough people rated, two levels or more apart or across high and low, and that nobody settled yet."""
    with project.engine.connect() as connection:
        rows = connection.execute(
            select(POSTS).where(POSTS.c.id.in_(_contested(project.raters))).order_by(POSTS.c.place)
        )
        return [Turn(row.place, Post(row.id, row.text)) for row in rows]


def said_of(project: Project, turn: Turn) -> list[Rating]:
    """What every person says in the end, and each model, of a post that is or was contested; else nothing."""
    with project.engine.connect() as connection:
        settled = select(RATINGS.c.post).where(RATINGS.c.stage == "adjudicated")
        query = select(POSTS.c.id).where(
            POSTS.c.place == turn.place, or_(POSTS.c.id.in_(_contested(project.raters)), POSTS.c.id.in_(settled))
        )
        if connection.execute(query).first() is None:
            return []
        decided = RATINGS.c.stage == "adjudicated"  # also by somebody who had rated it
        last = select(func.max(RATINGS.c.number)).where(RATINGS.c.post == turn.post.id).group_by(RATINGS.c.who, decided)
        rows = connection.execute(select(RATINGS).where(RATINGS.c.number.in_(last)).order_by(RATINGS.c.number))
        return [rating_of(row) for row in rows]


def decide(project: Project, turn: Turn, who: str, label: Label) -> None:
    """Settle a contested post. Raises InputError when it is not contested, or somebody was faster."""
    with project.writing() as connection:
        query = _contested(project.raters).where(RATINGS.c.post == turn.post.id)
        if connection.execute(query).first() is None:
            raise InputError(
                say(
                    f"post {turn.post.id} is not open for adjudication: settled by somebody else, or no longer contested",
                    f"帖子 {turn.post.id} 不在待裁定之列：已由他人裁定，或已不再有分歧",
                )
            )
        add_rating(connection, turn.post.id, who, "adjudicated", label)


def _contested(raters: int) -> Select[tuple[str]]:
    """Ids of the posts that wait for a decision."""
    people = RATINGS.c.stage.in_(("blind", "after"))
    last = select(func.max(RATINGS.c.number)).where(people).group_by(RATINGS.c.post, RATINGS.c.who)
    settled = select(RATINGS.c.post).where(RATINGS.c.stage == "adjudicated")
    far = func.max(RATINGS.c.level) - func.min(RATINGS.c.level) >= 2
    across = func.max(RATINGS.c.high) != func.min(RATINGS.c.high)
    return (
        select(RATINGS.c.post)
        .where(RATINGS.c.number.in_(last), RATINGS.c.post.not_in(settled))
        .group_by(RATINGS.c.post)
        .having(func.count() >= raters, or_(far, across))
    )
