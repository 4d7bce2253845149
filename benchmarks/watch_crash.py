"""Kill -9 of a watch under load at random moments, again and again; then PostgreSQL stopped for a while.

    python benchmarks/watch_crash.py --kills 200 --database sqlite
    python benchmarks/watch_crash.py --kills 200 --database postgresql --away 60

`shouwang serve` is started by a fork of a process that has imported everything, so that many kills fit into a short
time. Two senders deliver posts and do not give up until each delivery is answered with 202. The tests have a short
form of the same, with processes that start from nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import httpx2
from sqlalchemy import Connection, func, select

from shouwang import database, ledger
from shouwang.triage import keys, schema
from shouwang.triage.tables import assessments, cases, posts

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # the tests' tiny model and their PostgreSQL
LOT, AUTHORS = 20, 40
WORDS = "今天我的好茶死想活了很累雨带伞明"
PATIENCE = 240.0  # seconds for what is there to be assessed in the end


@dataclass
class Load:
    """Somebody who delivers posts and does not stop until each delivery is answered with 202."""

    url: str
    key: str
    seed: int
    accepted: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    client: httpx2.Client = field(init=False)

    def run(self) -> None:
        with httpx2.Client(headers={"Authorization": f"Bearer {self.key}"}, timeout=10) as self.client:
            self._deliver_all()

    def _deliver_all(self) -> None:
        rng, number = random.Random(self.seed), 0  # noqa: S311
        while not self.stop.is_set():
            lot = [self._post(rng, number + n) for n in range(LOT)]
            number += LOT
            while not self._deliver(lot) and not self.stop.is_set():
                time.sleep(0.05)
            if rng.random() < 0.2:
                self._deliver(lot)  # once more, as after an answer that was lost

    def _post(self, rng: random.Random, number: int) -> dict[str, str]:
        text = "".join(rng.choices(WORDS, k=rng.randint(4, 40)))
        name = f"{self.seed}-{number}"
        return {"source": "crash", "id": name, "text": text, "author": f"a{rng.randrange(AUTHORS)}"}

    def _deliver(self, lot: list[dict[str, str]]) -> bool:
        try:
            answer = self.client.post(f"{self.url}/v1/posts", json={"posts": lot})
            self.answers[str(answer.status_code)] += 1
            if answer.status_code == 202:
                self.accepted |= {post["id"] for post in lot}
                self.client.get(f"{self.url}/v1/cases?limit=5")
            return answer.status_code == 202
        except httpx2.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return False


@dataclass(frozen=True)
class Outcome:
    """What was found afterwards. `lost`, `unassessed`, `twice` must be 0 and `broken` None.

    `given_up` are posts that died with their worker again and again: they became cases for a person to read.
    """

    kills: int
    delivered: int
    stored: int
    lost: int
    unassessed: int
    twice: int
    given_up: int
    cases: int
    events: int
    broken: str | None
    answers: dict[str, int]

    @property
    def whole(self) -> bool:
        return not (self.lost or self.unassessed or self.twice or self.broken)


class Watch:
    """`shouwang serve` on a tiny model or the built-in one, started by a zygote."""

    def __init__(self, where: str, folder: Path, tiny: bool = True) -> None:
        self.engine = database.engine(where)
        schema.upgrade(self.engine)
        with database.writing(self.engine) as connection:
            self.key = keys.add(connection, "load", ["posts:write", "cases:read"], "cli", time.time(), 10**7)
        from tests.tiny import save_tiny

        if tiny:
            save_tiny(folder / "model")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx2.Client(timeout=5)  # a new one takes longer than an answer
        words = ["serve", "--database", where, "--secret", str(folder / "secret")]
        words += ["--model", str(folder / "model")] if tiny else []
        command = [sys.executable, str(HERE / "watch_zygote.py"), *words, "--port", str(port)]
        self.log = (folder / "log").open("wb")
        self.zygote = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=os.environ | _QUIET
        )
        self.orders, self.numbers = cast(IO[str], self.zygote.stdin), cast(IO[str], self.zygote.stdout)

    def start(self) -> int:
        self.orders.write("\n")
        self.orders.flush()
        return int(self.numbers.readline())

    def answers(self, path: str = "/healthz") -> dict[str, Any] | None:
        try:
            return self.client.get(self.url + path).json()  # type: ignore[no-any-return]
        except (httpx2.HTTPError, ValueError):
            return None

    def wait_up(self) -> None:
        until = time.monotonic() + PATIENCE
        while self.answers() is None:
            if time.monotonic() > until:
                raise TimeoutError("the service does not come up; see its log")
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until nothing waits to be assessed."""
        until = time.monotonic() + PATIENCE
        while (self.answers("/readyz") or {}).get("waiting") != 0:
            if time.monotonic() > until:
                raise TimeoutError("posts still wait")
            time.sleep(0.1)

    def end(self, number: int) -> None:
        """SIGTERM, and wait until the process is gone."""
        os.kill(number, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while Path(f"/proc/{number}").exists():
            if time.monotonic() > until:
                raise TimeoutError("the service does not end")
            time.sleep(0.05)

    def close(self) -> None:
        self.orders.close()
        self.zygote.wait(PATIENCE)
        self.log.close()
        self.client.close()
        self.engine.dispose()


@contextmanager
def watching(where: str, folder: Path, tiny: bool = True) -> Iterator[Watch]:
    watch = Watch(where, folder, tiny)
    try:
        yield watch
    finally:
        watch.close()


@contextmanager
def loaded(watch: Watch, senders: int = 2) -> Iterator[list[Load]]:
    """Deliveries all the while."""
    first = time.monotonic_ns()
    loads = [Load(watch.url, watch.key, first + n) for n in range(senders)]
    threads = [threading.Thread(target=load.run) for load in loads]
    for thread in threads:
        thread.start()
    try:
        yield loads
    finally:
        for load in loads:
            load.stop.set()
        for thread in threads:
            thread.join()


def kill_again_and_again(watch: Watch, kills: int, seed: int = 0, longest: float = 1.5) -> Outcome:
    """Kill -9 that many times under load, up to `longest` seconds after the service answers, or while it starts."""
    rng = random.Random(seed)  # noqa: S311
    with loaded(watch) as loads:
        for done in range(kills):
            if done % 10 == 0:
                print(f"{done} kills", file=sys.stderr, flush=True)
            number = watch.start()
            if rng.random() < 0.8:
                watch.wait_up()
            time.sleep(rng.uniform(0, longest))
            os.kill(number, signal.SIGKILL)
        last = watch.start()
        watch.wait_up()
    watch.settle()
    watch.end(last)
    return outcome(watch, loads, kills)


def outcome(watch: Watch, loads: list[Load], kills: int) -> Outcome:
    delivered = set().union(*(load.accepted for load in loads))
    with watch.engine.connect() as connection:
        found = ledger.verify(connection)
        stored = set(connection.execute(select(posts.c.external_id)).scalars())
        waiting = select(func.count()).where(posts.c.assessed_at.is_(None))
        without = (
            select(func.count())
            .select_from(posts.outerjoin(assessments, assessments.c.post == posts.c.id))
            .where(assessments.c.post.is_(None), posts.c.failed.is_(None))
        )
        given_up = select(func.count()).where(posts.c.failed.is_not(None))
        return Outcome(
            kills=kills,
            delivered=len(delivered),
            stored=len(stored),
            lost=len(delivered - stored),
            unassessed=_one(connection, waiting) + _one(connection, without),
            twice=_twice(connection),
            given_up=_one(connection, given_up),
            cases=_one(connection, select(func.count()).select_from(cases)),
            events=found.events,
            broken=found.broken,
            answers=dict(sum((load.answers for load in loads), Counter[str]())),
        )


def _twice(connection: Connection) -> int:
    """Posts with two cases, cases opened twice, and posts that the trail says were assessed beyond those there are."""
    same = select(cases.c.post).group_by(cases.c.post).having(func.count() > 1)
    opened = Counter[object]()
    assessed = 0
    for event in connection.execute(select(ledger.EVENTS.c.what, ledger.EVENTS.c.data)):
        told: dict[str, Any] = json.loads(event.data)
        if event.what == "opened":
            opened[told["post"]] += 1
        if event.what == "assessed":
            assessed += told["posts"]
    there = _one(connection, select(func.count()).where(posts.c.assessed_at.is_not(None)))
    cased = _one(connection, select(func.count()).select_from(cases))
    again = sum(n - 1 for n in opened.values())
    return len(connection.execute(same).all()) + again + abs(len(opened) - cased) + abs(assessed - there)


def _one(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar_one())


_QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def without_postgresql(watch: Watch, server: Any, away: float) -> Outcome:
    """Stop the server under load as a power cut would, start it again after that many seconds."""
    with loaded(watch) as loads:
        number = watch.start()
        watch.wait_up()
        time.sleep(3)
        server.stop("immediate")
        print(f"PostgreSQL is gone: /healthz {watch.answers()}, /readyz {watch.answers('/readyz')}")
        time.sleep(away)
        server.start()
        time.sleep(5)
    watch.settle()
    watch.end(number)
    return outcome(watch, loads, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--away", type=float, default=0.0, help="seconds without PostgreSQL, afterwards")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    started, found = time.monotonic(), []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if chosen.database == "sqlite":
            where = f"sqlite:///{folder / 'watch.sqlite'}"
        else:
            from tests.databases import running

            server = stack.enter_context(running(fsync=True))
            where = server.new("watch")
        watch = stack.enter_context(watching(where, folder))
        if chosen.kills:
            found.append(kill_again_and_again(watch, chosen.kills, chosen.seed))
            print(json.dumps(asdict(found[-1]), indent=1))
        if chosen.away and chosen.database == "postgresql":
            found.append(without_postgresql(watch, server, chosen.away))
            print(json.dumps(asdict(found[-1]), indent=1))
    load = os.getloadavg()[0]
    print(f"{chosen.database}: {time.monotonic() - started:.0f} s on {os.cpu_count()} cores, load {load:.1f}")
    print("nothing lost, nothing twice, the chain holds" if all(each.whole for each in found) else "NOT WHOLE")
    sys.exit(0 if all(each.whole for each in found) else 1)


if __name__ == "__main__":
    main()
