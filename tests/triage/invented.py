"""Invented posts, a model that reads its answer out of the text, and short ways to fill a watch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Engine

from shouwang import database
from shouwang.posts import Assessment, Evidence, Post
from shouwang.triage import intake
from shouwang.triage.intake import Incoming, Pseudonyms, Receipt
from shouwang.triage.policy import Policy
from shouwang.triage.worker import Worker

PSEUDONYMS = Pseudonyms(b"a secret of tests")
POLICY = Policy(high=0.5, imminent_level=8, imminent=0.5, wish_level=4, wish=0.5)


def assessed(level: int, p_high: float = 0.0, post: str = "p", scope: str = "ok") -> Assessment:
    """An assessment that is sure of its level."""
    probabilities = tuple(float(n == level) for n in range(11))
    evidence = (Evidence(0, 1, "wish", 1.0),) if level >= 4 else ()
    return Assessment(post, level, probabilities, p_high >= 0.5, p_high, {"wish": 0.9}, "test 1", evidence, scope)


def read_level(posts: Iterable[Post]) -> Iterator[Assessment]:
    """A model: the text starts with a level ("6 ..."), from which on a post is high at 6; "bad ..." breaks it."""
    for post in posts:
        if post.text.startswith("bad"):
            raise ValueError(post.text)
        level = int(post.text.split()[0])
        yield assessed(level, 0.9 if level >= 6 else 0.1, post.id)


def incoming(*texts: str, source: str = "weibo", author: str | None = None, first: int = 1) -> list[Incoming]:
    return [Incoming(source, f"w{n}", text, author) for n, text in enumerate(texts, first)]


def deliver(engine: Engine, posts: Sequence[Incoming], now: float = 1000.0) -> Receipt:
    with database.writing(engine) as connection:
        return intake.accept(connection, posts, PSEUDONYMS, "key:1", lambda: now)


def worker(engine: Engine, now: float = 1000.0, **options: object) -> Worker:
    settings: dict[str, object] = {"default": POLICY, "clock": lambda: now} | options
    return Worker(engine, read_level, **settings)  # type: ignore[arg-type]


def watch(engine: Engine, *texts: str, now: float = 1000.0, author: str | None = None, first: int = 1) -> None:
    """Deliver these posts and assess them."""
    deliver(engine, incoming(*texts, author=author, first=first), now)
    at_work = worker(engine, now)
    while at_work.step():
        pass
