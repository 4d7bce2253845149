"""A watch under load that is killed with SIGKILL again and again, and what must be true of it afterwards.

More often: SHOUWANG_KILLS=20 python -m pytest tests/triage/test_crash.py. Hundreds of times: benchmarks/watch_crash.py.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, func, select

from shouwang import database, ledger
from shouwang.triage import keys, schema
from shouwang.triage.tables import assessments, cases, posts
from tests.databases import free_port
from tests.tiny import save_tiny

AT_ONCE = 20
WORDS = "今天我的好茶死想活了很累雨带伞明"
SERVE = """
from shouwang.__main__ import main
from shouwang.triage import worker
worker.TAKEN_FOR = 3.0  # a minute in earnest: so long a post waits whose worker was killed
main()
"""


class Service:
    """`shouwang serve` as a process of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        save_tiny(folder / "tiny")
        self.command = [sys.executable, "-c", SERVE, "serve", "--database", url, "--port", str(self.port)]
        self.command += ["--model", str(folder / "tiny"), "--secret", str(folder / "secret")]
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(60)

    def wait_until_ready(self, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.base}/healthz", timeout=5).close()
                return
            except OSError:
                assert self.process and self.process.poll() is None, self.log.read_text(encoding="utf-8")
                time.sleep(0.05)
        raise TimeoutError(self.log.read_text(encoding="utf-8"))


@dataclass(slots=True)
class Client:
    """Delivers posts one portion after the other, each until it is acknowledged; `kept` are the ids that were."""

    base: str
    key: str
    stop: threading.Event = field(default_factory=threading.Event)
    kept: list[str] = field(default_factory=list)
    again: int = 0

    def run(self) -> None:
        rng = random.Random(7)
        for first in itertools.count(0, AT_ONCE):
            portion = [
                {"source": "crash", "id": str(n), "text": "".join(rng.choices(WORDS, k=12)), "author": str(n % 9)}
                for n in range(first, first + AT_ONCE)
            ]
            while not self._delivered(portion):
                self.again += 1
                if self.stop.wait(0.05):
                    return
            self.kept += [post["id"] for post in portion]
            if self.stop.wait(0.01):
                return

    def _delivered(self, portion: list[dict[str, str]]) -> bool:
        request = urllib.request.Request(
            f"{self.base}/v1/posts",
            json.dumps({"posts": portion}).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                told = json.load(answer)
                return bool(answer.status == 202 and told["accepted"] + told["repeated"] == len(portion))
        except urllib.error.HTTPError as refused:
            with refused:
                assert refused.code in (429, 503), refused.code
            return False
        except (OSError, ValueError):  # killed while it answered
            return False


@contextmanager
def delivering(client: Client) -> Iterator[None]:
    thread = threading.Thread(target=client.run)
    thread.start()
    try:
        yield
    finally:
        client.stop.set()
        thread.join()


def survive(url: str, folder: Path, kills: int, seed: int) -> Client:
    """Kill a watch under load that many times; asserts that it lost and doubled nothing. What the client had sent."""
    rng = random.Random(seed)
    engine = database.engine(url)
    schema.upgrade(engine)
    with database.writing(engine) as connection:
        key = keys.add(connection, "crash", ["posts:write"], "cli", time.time(), per_minute=10**9)
    service = Service(url, folder)
    client = Client(service.base, key)
    with delivering(client):
        for number in range(kills):
            service.start()
            if number % 4 != 3:  # every fourth dies while it starts
                service.wait_until_ready()
            time.sleep(rng.uniform(0, 2))
            service.kill()
        service.start()
        service.wait_until_ready()
    _wait_until_assessed(engine)
    assert service.kill(signal.SIGTERM) in (0, -signal.SIGTERM)
    must_be_whole(engine, client.kept)
    engine.dispose()
    return client


def must_be_whole(engine: Engine, kept: list[str]) -> None:
    """Every acknowledged post is there and assessed once, at most one case comes of each, the chain holds."""
    with engine.connect() as connection:
        stored = list(connection.execute(select(posts.c.external_id)).scalars())
        assert len(stored) == len(set(stored))
        assert set(kept) <= set(stored)
        counted = select(func.count(), func.count(assessments.c.post)).select_from(
            posts.outerjoin(assessments, assessments.c.post == posts.c.id)
        )
        assert tuple(connection.execute(counted).one()) == (len(stored), len(stored))
        made = connection.execute(select(func.count()).select_from(cases)).scalar_one()
        opened = select(func.count()).where(ledger.EVENTS.c.what == "opened")
        assert connection.execute(opened).scalar_one() == made
        assert ledger.verify(connection).broken is None


def _wait_until_assessed(engine: Engine) -> None:
    end = time.monotonic() + 180
    waiting = select(func.count()).where(posts.c.assessed_at.is_(None))
    while time.monotonic() < end:
        with engine.connect() as connection:
            if not connection.execute(waiting).scalar_one():
                return
        time.sleep(0.2)
    raise TimeoutError("posts are left that nobody assesses")
