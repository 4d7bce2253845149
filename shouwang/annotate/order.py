"""In which order posts come to people: at random, the most uncertain first, or as many of each suggested level."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random

from sqlalchemy import bindparam, update

from shouwang import ledger, lookup
from shouwang.annotate.labels import Rating
from shouwang.annotate.project import POSTS, Project

Ratings = Mapping[str, Sequence[Rating]]


def at_random(ids: list[str], ratings: Ratings) -> list[str]:
    """As shuffled: the same for everybody, so that pairs of ratings come about early."""
    return ids


def most_uncertain_first(ids: list[str], ratings: Ratings) -> list[str]:
    """By the standard deviation of all votes of models; posts that speak to the rater come first, unrated ones last."""

    def doubt(post: str) -> float:
        given = ratings.get(post, ())
        votes = [vote for rating in given for vote in rating.data.get("votes", ())]
        if any(rating.data.get("instructs") for rating in given):
            return float("inf")
        return statistics.pstdev(votes) if votes else -1.0

    return sorted(ids, key=doubt, reverse=True)


def level_quota(ids: list[str], ratings: Ratings) -> list[str]:
    """One post of each suggested level in turn, as long as there are any; unrated ones last.

    Within a round as shuffled: a post's place must not tell its suggestion to who is about to rate it.
    """
    by_level: dict[int, list[str]] = defaultdict(list)
    for post in ids:
        levels = [rating.label.level for rating in ratings.get(post, ()) if rating.label]
        by_level[levels[-1] if levels else -1].append(post)
    unrated = by_level.pop(-1, [])
    rounds = {post: n for posts in by_level.values() for n, post in enumerate(posts)}
    return sorted((post for post in ids if post in rounds), key=rounds.__getitem__) + unrated


ORDERS: dict[str, Callable[[list[str], Ratings], list[str]]] = {
    "random": at_random,
    "uncertainty": most_uncertain_first,
    "quota": level_quota,
}


def set_order(project: Project, name: str, *, seed: int = 0) -> None:
    """Give every post its turn; ties and the rest are shuffled by the seed."""
    arrange = lookup.get(ORDERS, name, "order")
    ids = [post.id for post in project.posts()]
    Random(seed).shuffle(ids)  # noqa: S311 - an order, not a secret
    ratings: dict[str, list[Rating]] = defaultdict(list)
    for rating in project.ratings():
        if rating.stage == "llm":
            ratings[rating.post].append(rating)
    turns = [{"post": post, "n": n} for n, post in enumerate(arrange(ids, ratings))]
    with project.writing() as connection:
        if turns:
            connection.execute(update(POSTS).where(POSTS.c.id == bindparam("post")).values(turn=bindparam("n")), turns)
        ledger.append(connection, "cli", "ordered", order=name, seed=seed)
