"""What annotation promises, measured: python benchmarks/annotate.py import | serve | kill | kill-llm | kill-rating [--posts N] [--raters N] [--kills N]

import  invented posts through `shouwang annotate import`, in seconds
serve   so many raters at once on the real server: how long until a rating is answered (p50, p95, max)
kill    random kill -9 of `shouwang annotate llm` and of the server that raters save to: events lost, calls paid twice
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, ClassVar, cast

import httpx2
import numpy as np

from shouwang import ledger
from shouwang.annotate.project import Project, open_
from shouwang.web.accounts import Accounts, create

PASSWORD = "a sentence to keep"  # noqa: S105 - of invented raters
CHARACTERS = 3_000  # that posts are drawn from, the n-th as often as 1/n, about as in real text


def posts(folder: Path, n: int) -> Path:
    """So many invented posts, one in twenty nearly the same as another."""
    rng, path, texts = random.Random(0), folder / "posts.jsonl", []  # noqa: S311
    characters = [chr(0x4E00 + n) for n in range(CHARACTERS)]
    weights = [1 / (n + 20) for n in range(CHARACTERS)]
    for number in range(n):
        text = "".join(rng.choices(characters, weights, k=rng.randint(10, 90)))
        texts.append(rng.choice(texts) + "。" if texts and number % 20 == 0 else text)
    with path.open("w", encoding="utf-8") as stream:
        for number, text in enumerate(texts):
            stream.write(
                json.dumps({"id": f"p-{number}", "text": f"{text}&nbsp;@某某{number}"}, ensure_ascii=False) + "\n"
            )
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "shouwang", "annotate", *map(str, arguments)]


def made(folder: Path, n: int, raters: int = 2) -> Path:
    project = folder / "study.shouwang"
    subprocess.run(
        command("import", posts(folder, n), "-p", project, "--raters", raters), check=True, stdout=subprocess.DEVNULL
    )
    return project


def measure_import(folder: Path, n: int) -> None:
    file = posts(folder, n)
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    importing = command("import", file, "-p", folder / "a.shouwang", "--json")
    found = json.loads(subprocess.run(importing, capture_output=True, text=True).stdout)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"import: {n} posts in {took:.1f} s, {cpu:.1f} s of CPU; {found['posts']} joined, left out {found['dropped']}"
    )


# --- raters ---------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def server(project: Path, port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command("serve", "-p", project, "--port", port), stdout=subprocess.DEVNULL)
    wait_for(port)
    return process


def wait_for(port: int) -> None:
    for _ in range(3_000):
        try:
            httpx2.get(f"http://127.0.0.1:{port}/login")
            return
        except httpx2.TransportError:
            time.sleep(0.02)
    raise SystemExit("the server did not start")


def accounts(project: Path, n: int) -> None:
    there = open_(project)
    with there.writing() as connection:
        create(connection)
    known = Accounts(there.engine, "coordinator")
    for number in range(n):
        known.add(f"rater {number}", PASSWORD, ["rater"])
    there.close()


class Browser:
    """A rater who has logged in."""

    def __init__(self, port: int, name: str) -> None:
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60)
        page = self.http.get("/login").text
        self.http.post("/login", data={"csrf": token(page), "name": name, "password": PASSWORD, "next": "/"})

    def rate(self) -> float | None:
        """Open the next post and rate it: seconds until the rating is answered; None when nothing is left."""
        page = self.http.get("/")
        found = re.search(r'action="/rate/(\d+)"', page.text)
        if not found:
            return None
        data = {
            "csrf": token(page.text),
            "level": "3",
            "high": "false",
            "indicators": "pain",
            "spans": "[]",
            "note": "",
        }
        began = time.perf_counter()
        answer = self.http.post(f"/rate/{found[1]}", data=data, follow_redirects=False)
        took = time.perf_counter() - began
        if answer.status_code != 303:
            raise SystemExit(f"a rating was answered with {answer.status_code}")
        return took


def token(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    return found[1] if found else ""


def measure_serve(folder: Path, n: int, raters: int, each: int = 16, think: float = 5.0) -> None:
    project, port = made(folder, n), free_port()
    accounts(project, raters)
    process = server(project, port)
    try:
        browsers = [Browser(port, f"rater {number}") for number in range(raters)]

        def work(browser: Browser) -> list[float]:
            rng, times = random.Random(id(browser)), []  # noqa: S311
            for _ in range(each):
                time.sleep(rng.uniform(0, 2 * think))
                if (took := browser.rate()) is not None:
                    times.append(took)
            return times

        with ThreadPoolExecutor(raters) as pool:
            times = np.array([took for some in pool.map(work, browsers) for took in some]) * 1e3
        p50, p95 = np.quantile(times, [0.5, 0.95])
        print(
            f"serve: {len(times)} ratings by {raters} raters at once, {think:g} s between two on average: "
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, max {times.max():.0f} ms"
        )
    finally:
        process.terminate()
        process.wait()


# --- kill -9 --------------------------------------------------------------------------------------------------------


class Zygote:
    """Starts one command again and again, each time as a process of its own that can be killed."""

    def __init__(self, *arguments: object) -> None:
        words = [sys.executable, str(Path(__file__).with_name("annotate_zygote.py")), *map(str, arguments)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
        )

    def start(self) -> int:
        """The number of one more process."""
        orders, numbers = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)
        orders.write("\n")
        return int(numbers.readline())

    def close(self) -> None:
        cast(IO[str], self.process.stdin).close()
        self.process.wait()


def runs(number: int) -> bool:
    return Path(f"/proc/{number}").exists()


def kill(number: int) -> None:
    os.kill(number, signal.SIGKILL)
    while runs(number):
        time.sleep(0.001)


class Model(BaseHTTPRequestHandler):
    """An endpoint that answers every post alike and remembers what it was asked."""

    asked: ClassVar[Counter[str]] = Counter()
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.02)
        said = {"level": 2, "high": False, "instructs": False, "quotes": []}
        message = {"role": "assistant", "content": json.dumps(said)}
        body = json.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
        ).encode()
        Model.asked[self.headers["Idempotency-Key"]] += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed
            super().handle()

    def log_message(self, *_: object) -> None: ...


def measure_kill_llm(folder: Path, n: int, kills: int) -> None:
    project = made(folder, n)
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{endpoint.server_address[1]}/v1"
    asks = command("llm", "-p", project, "--url", url, "--model", "m", "--concurrency", 4, "--price-in", 1, "--json")
    zygote, rng, killed = Zygote(*asks[4:]), random.Random(0), 0  # noqa: S311
    while killed < kills:
        before, number = sum(Model.asked.values()), zygote.start()
        while sum(Model.asked.values()) == before and runs(number):
            time.sleep(0.005)  # until it is at work
        time.sleep(rng.uniform(0, 0.4))
        if not runs(number):
            break
        kill(number)
        killed += 1
    zygote.close()
    done = subprocess.run(asks, capture_output=True, text=True)
    costs = json.loads(done.stdout)["costs"]
    there = open_(project)
    rated, total = there.counts().get("llm", 0), there.counts()["posts"]
    sent_again = sum(count - 1 for count in Model.asked.values())
    print(
        f"kill llm: {killed} kills; {rated} of {total} posts rated once; {costs['calls']} answers kept for "
        f"{len(Model.asked)} questions; sent again: {sent_again}, all of them under way at a kill (journal: {costs['lost']}); "
        f"ledger {verified(there)}"
    )
    there.close()
    endpoint.shutdown()


def measure_kill_serve(folder: Path, n: int, kills: int) -> None:
    project, port = made(folder, n, raters=50), free_port()
    accounts(project, 4)
    rng, acknowledged = random.Random(1), 0  # noqa: S311
    mutex = threading.Lock()

    def work(number: int) -> None:
        nonlocal acknowledged
        try:
            browser = Browser(port, f"rater {number}")
            while browser.rate() is not None:
                with mutex:
                    acknowledged += 1
        except (httpx2.TransportError, SystemExit):
            return

    zygote = Zygote("serve", "-p", project, "--port", port)
    for _ in range(kills):
        number = zygote.start()
        wait_for(port)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        before, patience = acknowledged, time.monotonic() + 60
        while acknowledged == before and time.monotonic() < patience:
            time.sleep(0.01)  # until raters are at work
        time.sleep(rng.uniform(0, 0.7))
        kill(number)
        for thread in threads:
            thread.join()
    zygote.close()
    there = open_(project)
    kept = there.counts().get("blind", 0)
    print(
        f"kill serve: {kills} kills; {acknowledged} ratings were answered, {kept} are there; ledger {verified(there)}"
    )
    there.close()


def verified(project: Project) -> str:
    with project.engine.connect() as connection:
        found = ledger.verify(connection)
    ratings = len(project.ratings())
    return f"{'whole' if found.broken is None else found.broken}, {found.events} events for {ratings} ratings"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["import", "serve", "kill", "kill-llm", "kill-rating"])
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--kills", type=int, default=100, help="of each kind")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if given.what == "import":
            measure_import(folder, given.posts)
        if given.what == "serve":
            measure_serve(folder, given.posts, given.raters)
        if given.what in ("kill", "kill-llm"):
            (folder / "llm").mkdir()
            measure_kill_llm(folder / "llm", given.posts, given.kills)
        if given.what in ("kill", "kill-rating"):
            (folder / "rating").mkdir()
            measure_kill_serve(folder / "rating", given.posts, given.kills)


if __name__ == "__main__":
    main()
