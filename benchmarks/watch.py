"""How fast a watch takes posts in, and how fast its queue is with many open cases and many people, as Markdown tables.

    python benchmarks/watch.py [--database sqlite|postgresql] [--posts 2000] [--rounds 3] [--cases 50000] [--people 20]
                               [--seconds 60] [--per-second 5]

**Intake**: posts through HTTP into `shouwang serve`, in lots of 100, until the last one is assessed and committed,
beside the same model over the same posts in memory (what `assess` does without files), turn by turn; the ratio is the
median of the rounds'. **Queue**: as many open cases; people who log in, look at the queue, let it renew itself every
five seconds as the page does, claim, rate and close; posts coming in all the while. A post is visible when
`GET /v1/cases` shows it as a case. Everything, the clients too, runs on this machine: see the load in the last line.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from sqlalchemy import insert

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # the other benchmarks, and the tests' PostgreSQL

from assess import invented  # noqa: E402
from watch_crash import Watch, watching  # noqa: E402

from shouwang import database  # noqa: E402
from shouwang.models import store  # noqa: E402
from shouwang.posts import Post  # noqa: E402
from shouwang.triage import acts, policies, schema  # noqa: E402
from shouwang.triage.policy import Policy, Priority, Reason  # noqa: E402
from shouwang.triage.tables import assessments, authors, cases, posts  # noqa: E402
from shouwang.web.accounts import Accounts  # noqa: E402

LOT = 100
PASSWORD = "a long enough sentence"  # noqa: S105
EVERY = 5.0  # seconds after which the page renews its list
THINK = (2.0, 6.0)  # seconds between two things that a person does
DAY = 86_400.0


def texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)  # noqa: S311
    return [invented(rng) for _ in range(count)]


# --- intake ---------------------------------------------------------------------------------------------------------


def alone(count: int, seed: int) -> float:
    """Posts per second of the model over posts in memory."""
    model = store.load(None)
    model.assess(["今天下雨了"])
    given = [Post(str(n), text) for n, text in enumerate(texts(count, seed))]
    start = time.perf_counter()
    for _ in model.stream(given):
        pass
    return count / (time.perf_counter() - start)


def taken_in(watch: Watch, count: int, seed: int) -> float:
    """Posts per second from the first delivery until the last post is assessed and committed."""
    given = [{"source": f"b{seed}", "id": str(n), "text": text} for n, text in enumerate(texts(count, seed))]
    with httpx2.Client(base_url=watch.url, headers={"Authorization": f"Bearer {watch.key}"}, timeout=60) as client:
        start = time.perf_counter()
        receipts = []
        for first in range(0, count, LOT):
            answer = client.post("/v1/posts", json={"posts": given[first : first + LOT]})
            answer.raise_for_status()
            receipts.append(answer.json()["receipt"])
        for receipt in receipts:
            while client.get(f"/v1/receipts/{receipt}").json()["assessed"] < min(LOT, count):
                time.sleep(0.05)
        return count / (time.perf_counter() - start)


def intake(watch: Watch, count: int, rounds: int) -> None:
    found = []
    for number in range(rounds):
        beside, through = alone(count, number), taken_in(watch, count, number)
        found.append((beside, through, through / beside))
        print(f"round {number + 1}: {beside:.0f} and {through:.0f} posts/s", file=sys.stderr, flush=True)
    middle = [statistics.median(column) for column in zip(*found, strict=True)]
    print("| posts | assess alone, posts/s | ingested durably and assessed, posts/s | ratio (aim ≥ 0.6) |")
    print("|---|---|---|---|")
    print(f"| {count} | {middle[0]:.0f} | {middle[1]:.0f} | {middle[2]:.2f} |\n")


# --- queue ----------------------------------------------------------------------------------------------------------


def fill(watch: Watch, count: int) -> None:
    """That many open cases of the last ten days, of a third as many authors."""
    rng, now = random.Random(1), time.time()  # noqa: S311
    model = store.load(None)
    samples = [a.to_row() for a in model.assess(texts(200, 99))]
    for sample in samples:
        del sample["id"]
    with database.writing(watch.engine) as connection:
        people = [{"id": n, "source": "b", "pseudonym": f"{n:032x}", "first_at": now} for n in range(1, count // 3 + 1)]
        connection.execute(insert(authors), people)
        for first in range(1, count + 1, 5_000):
            numbers = range(first, min(first + 5_000, count + 1))
            at = {n: now - rng.uniform(0, 10 * DAY) for n in numbers}
            author = {n: rng.randint(1, len(people)) for n in numbers}
            rows = [
                {
                    "id": n,
                    "source": "b",
                    "external_id": f"f{n}",
                    "fingerprint": f"{rng.getrandbits(128):064x}",
                    "text": invented(rng),
                    "author": author[n],
                    "received_at": at[n],
                    "assessed_at": at[n],
                    "taken_until": 0.0,
                    "attempts": 1,
                }
                for n in numbers
            ]
            connection.execute(insert(posts), rows)
            told = [(n, rng.choice(samples)) for n in numbers]
            connection.execute(
                insert(assessments),
                [
                    {"post": n, "at": at[n], "row": row, **{k: row[k] for k in ("model", "level", "p_high", "high")}}
                    for n, row in told
                ],
            )
            connection.execute(
                insert(cases),
                [
                    acts.new_case(n, author[n], rng.choice(list(Priority)), [Reason("high", 0.7)], policy=0, now=at[n])
                    for n in numbers
                ],
            )
        policies.set_policy(connection, Policy("threshold", high=0.0), "cli", now)  # whatever comes becomes a case
        if connection.dialect.name == "postgresql":
            for name in ("authors", "posts", "cases"):
                connection.exec_driver_sql(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))")  # noqa: S608
    if watch.engine.dialect.name == "postgresql":  # as autovacuum does within a minute
        with watch.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")


@dataclass
class Person:
    """Somebody who works on the queue in a browser."""

    url: str
    name: str
    took: dict[str, list[float]]
    stop: threading.Event
    failures: list[int] = field(default_factory=list)

    def run(self) -> None:
        rng = random.Random(self.name)  # noqa: S311
        with httpx2.Client(base_url=self.url, headers={"accept-language": "zh"}, timeout=60) as self.client:
            data = {"csrf": self._token("/login"), "name": self.name, "password": PASSWORD, "next": "/queue"}
            self.client.post("/login", data=data)
            self.stop.wait(rng.uniform(0, EVERY))
            while not self.stop.is_set():
                page = self._get("queue page", "/queue")
                shown = re.findall(r'"/cases/(\d+)"', page)
                if shown:
                    self._work(rng.choice(shown), rng)
                self._look(",".join(dict.fromkeys(shown)), rng)

    def _work(self, number: str, rng: random.Random) -> None:
        page = self._get("case page", f"/cases/{number}")
        csrf = self._csrf(page)
        self.stop.wait(rng.uniform(*THINK))
        for act, data in (("claim", {}), ("rate", {"level": "5"}), ("close", {"outcome": "not-at-risk"})):
            if self.stop.is_set():
                return
            start = time.perf_counter()
            answer = self.client.post(f"/cases/{number}/{act}", data={"csrf": csrf} | data)
            self.took["action"].append(time.perf_counter() - start)
            if answer.status_code not in (200, 303):  # 409: somebody else was quicker
                self.failures += [answer.status_code] if answer.status_code != 409 else []
                return

    def _look(self, shown: str, rng: random.Random) -> None:
        """The list renews itself while somebody looks at it, and says which cases it shows already."""
        for _ in range(rng.randint(1, 3)):
            if not self.stop.wait(EVERY):
                self._get("list renewed", f"/queue/list?shown={shown}")

    def _get(self, kind: str, path: str) -> str:
        start = time.perf_counter()
        answer = self.client.get(path)
        self.took[kind].append(time.perf_counter() - start)
        if answer.status_code != 200:
            self.failures.append(answer.status_code)
        return answer.text

    def _token(self, path: str) -> str:
        return self._csrf(self.client.get(path).text)

    def _csrf(self, page: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
        return found[1] if found else ""


def become_visible(watch: Watch, per_second: float, took: list[float], stop: threading.Event) -> None:
    """Deliver posts one by one; the time until each is among the newest cases."""
    rng, number = random.Random(5), 0  # noqa: S311
    with httpx2.Client(base_url=watch.url, headers={"Authorization": f"Bearer {watch.key}"}, timeout=60) as client:
        while not stop.is_set():
            number += 1
            name, start = f"v{number}", time.perf_counter()
            post = {"source": "b", "id": name, "text": invented(rng), "author": "v"}
            client.post("/v1/posts", json={"posts": [post]}).raise_for_status()
            while f'"id":"{name}"' not in client.get("/v1/cases?priority=today&limit=5").text:
                time.sleep(0.1)
                if time.perf_counter() - start > 60:
                    break
            took.append(time.perf_counter() - start)
            stop.wait(max(0.0, 1 / per_second - (time.perf_counter() - start)))


def at_work(watch: Watch, people: int, seconds: float, per_second: float) -> None:
    accounts = Accounts(watch.engine, "admin")
    took: dict[str, list[float]] = {kind: [] for kind in ("queue page", "list renewed", "case page", "action")}
    visible: list[float] = []
    stop = threading.Event()
    crew = [Person(watch.url, f"person {n}", took, stop) for n in range(people)]
    for each in crew:
        accounts.add(each.name, PASSWORD, ["responder"])
    jobs = [threading.Thread(target=each.run) for each in crew]
    jobs.append(threading.Thread(target=become_visible, args=(watch, per_second, visible, stop)))
    for job in jobs:
        job.start()
    time.sleep(seconds / 4)  # log-ins and cold caches
    for times in (*took.values(), visible):
        times.clear()
    time.sleep(seconds)
    stop.set()
    for job in jobs:
        job.join()
    print("| what | times | median, ms | p95, ms | aim for p95, ms |")
    print("|---|---|---|---|---|")
    for kind, aim in (("queue page", "150"), ("list renewed", "150"), ("case page", ""), ("action", "")):
        print(_line(kind, took[kind], aim))
    print(_line("post to visible case", visible, "2000"))
    failed = [status for each in crew for status in each.failures]
    print(f"\nanswers that were not as expected: {failed or 'none'}\n")


def _line(kind: str, times: list[float], aim: str) -> str:
    if len(times) < 2:
        return f"| {kind} | {len(times)} | | | {aim} |"
    p95 = statistics.quantiles(times, n=20, method="inclusive")[18]
    return f"| {kind} | {len(times)} | {1000 * statistics.median(times):.0f} | {1000 * p95:.0f} | {aim} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--per-second", type=float, default=5.0)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if chosen.database == "sqlite":
            where = f"sqlite:///{folder / 'watch.sqlite'}"
        else:
            from tests.databases import running

            where = stack.enter_context(running(fsync=True)).new("watch")
        schema.upgrade(database.engine(where))
        watch = stack.enter_context(watching(where, folder, tiny=False))
        if chosen.cases:
            fill(watch, chosen.cases)
        number = watch.start()
        watch.wait_up()
        try:
            if chosen.rounds:
                intake(watch, chosen.posts, chosen.rounds)
            if chosen.cases:
                at_work(watch, chosen.people, chosen.seconds, chosen.per_second)
        finally:
            watch.end(number)
    print(f"{chosen.database}, {os.cpu_count()} cores, load {' '.join(f'{each:.1f}' for each in os.getloadavg())}")


if __name__ == "__main__":
    main()
