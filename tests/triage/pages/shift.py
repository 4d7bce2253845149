"""A watch to work a shift on: invented posts, answers laid down for them, people, and a server on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import Engine

from shouwang import database
from shouwang.posts import Assessment, Evidence, Post
from shouwang.scale import Indicator
from shouwang.triage import intake, schema
from shouwang.triage.intake import Incoming, Pseudonyms
from shouwang.triage.pages.app import attach
from shouwang.triage.policy import Policy
from shouwang.triage.worker import Worker
from shouwang.web.accounts import User
from shouwang.web.site import Site

FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SECRET = "a sentence to keep"  # noqa: S105
DAY = 86_400.0
POLICY = Policy(high=0.5, imminent_level=8, imminent=0.5, wish_level=4, wish=0.5)

STATED = {"balanced": (0.01, 0.09, 0.86)}


class Written(NamedTuple):
    """An invented post: its level, who wrote it how many days ago, and what carries which indicator."""

    level: int
    text: str
    author: str
    days: float = 0.0
    marks: tuple[tuple[str, Indicator], ...] = ()


POSTS = (
    Written(1, "最近总是提不起劲，树洞，我又来了。", "xiaozhou", 21, (("提不起劲", "pain"),)),
    Written(3, "活着好累，胸口像压着石头，没有人懂。", "xiaozhou", 12, (("活着好累", "pain"),)),
    Written(5, "真的好想死，每天醒来都很失望。", "xiaozhou", 4, (("好想死", "wish"), ("失望", "pain"))),
    Written(
        9,
        "都安排好了，就这两天。猫托给同学了，谢谢你们听我说这么多，别找我。",
        "xiaozhou",
        0.01,
        (("都安排好了", "plan"), ("就这两天", "time"), ("别找我", "wish")),
    ),
    Written(
        6, "一直在想怎么结束，已经开始给家里写信了。", "lan", 0.05, (("怎么结束", "wish"), ("开始给家里写信", "plan"))
    ),
    Written(4, "有时候希望自己睡着了就不要再醒来。", "bei", 0.1, (("不要再醒来", "wish"),)),
    Written(7, "办法已经想好了，只是还没定哪天。", "mu", 0.2, (("办法已经想好了", "method"),)),
    Written(
        5, "不想活了，真的撑不下去了，谁能跟我说句话。", "chi", 0.3, (("不想活了", "wish"), ("撑不下去了", "pain"))
    ),
    Written(0, "加班到十点，奶茶也没救回来，晚安。", "hai", 0.4),
    Written(2, "觉得自己一直在给别人添麻烦，好难受。", "nan", 0.5, (("好难受", "pain"),)),
)


def spread(level: int) -> tuple[float, ...]:
    """Probabilities with most of the weight on a level, some beside it."""
    weights = [max(0.0, 0.6 - 0.3 * abs(n - level)) for n in range(11)]
    return tuple(weight / sum(weights) for weight in weights)


def answer(post: Post) -> Assessment:
    """What the model of the tests says; of a text that is not in `POSTS`, level 6."""
    text = next((each for each in POSTS if each.text == post.text), Written(6, post.text, ""))
    evidence = tuple(
        Evidence(post.text.index(words), post.text.index(words) + len(words), kind, 2.0) for words, kind in text.marks
    )
    p_high = (0.02, 0.04, 0.07, 0.12, 0.3, 0.46, 0.81, 0.86, 0.93, 0.98, 0.99)[text.level]
    near = tuple(n for n in range(max(0, text.level - 1), min(10, text.level + 1) + 1))
    kinds = {kind for _, kind in text.marks}
    indicators: dict[Indicator, float] = {
        kind: 0.9 if kind in kinds else 0.08 for kind in ("pain", "wish", "plan", "method", "time")
    }
    return Assessment(
        post.id,
        text.level,
        spread(text.level),
        p_high >= 0.5,
        p_high,
        indicators,
        "tiny 1",
        evidence,
        level_set=near,
        uncertain=0.4 < p_high < 0.6,
    )


def assess(posts: Iterable[Post]) -> Iterator[Assessment]:
    return map(answer, posts)


class Shift:
    """The watch, its site and its app; `now` moves on only when told to."""

    def __init__(self, where: str | Path, started: float = 1_770_000_000.0) -> None:
        self.engine: Engine = database.engine(where)
        schema.upgrade(self.engine)
        self.now = started
        self.app = FastAPI(openapi_url=None)
        self.site: Site = attach(
            self.app,
            self.engine,
            points={"balanced": 0.5},
            default=POLICY,
            stated=STATED,
            clock=self.clock,
            hasher=FAST,
        )

    def clock(self) -> float:
        return self.now

    def person(self, name: str, *roles: str) -> User:
        return self.site.accounts.named(name) or self.site.accounts.add(name, SECRET, roles or ("responder",))

    def deliver(self, posts: Iterable[Written] = POSTS, source: str = "weibo") -> None:
        """Each post as it was written, delivered and assessed at its time."""
        for number, post in enumerate(sorted(posts, key=lambda each: -each.days)):
            at = self.now - post.days * DAY
            incoming = Incoming(source, f"{source}-{at:.0f}-{number}", post.text, post.author or None, at)
            with database.writing(self.engine) as connection:
                intake.accept(connection, [incoming], Pseudonyms(b"a secret of tests"), "key:1", lambda: at)  # noqa: B023
            worker = Worker(self.engine, assess, default=POLICY, clock=lambda: at)  # noqa: B023
            while worker.step():
                pass

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The app on a free port of this machine; its address."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                while not server.started:
                    time.sleep(0.02)
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join()
                self.engine.dispose()
