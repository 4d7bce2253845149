"""kill -9 while a project is made, posts are imported and people rate: what was acknowledged is there."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from shouwang import database, ledger
from shouwang.annotate.project import Project, create, open_
from shouwang.posts import Post
from shouwang.web import accounts
from tests.annotate.invented import TEXTS, add
from tests.annotate.test_command import here, run
from tests.annotate.test_pages import FAST, SECRET, csrf

__all__ = ["here"]

DYING = """
import os, signal, sys
from itertools import count
from sqlalchemy import Engine, event
from shouwang.annotate import importing, project
from shouwang.cli import application
from shouwang.data.duplicates import canonical, similar_within
from shouwang.text import clean, deidentify

tea = canonical(deidentify(clean("茶 13800138000").text).text)
list(similar_within([tea, tea + "。"]))  # all is loaded now, and not by every child

def import_(n):
    "The whole command, killed before its n-th word to the database."
    words = count(1)
    def die(*_):
        if next(words) == n:
            os.kill(os.getpid(), signal.SIGKILL)
    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, die)
    application()(["annotate", "import", "posts.jsonl", "-p", f"{n}.shouwang"])

for n in count(1, 6):
    child = os.fork()
    if not child:
        import_(n)
    if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        break
"""


def test_an_import_killed_anywhere_goes_on_with_the_same_command(here: Path) -> None:
    subprocess.run([sys.executable, "-c", DYING], check=True, capture_output=True)
    files = sorted(here.glob("*.shouwang"))
    assert len(files) > 7
    for file in files:
        assert run("import", "posts.jsonl", "-p", file.name).exit_code == 1, file  # one record has no text
        project = open_(file)
        assert [post.text for post in project.posts()] == list(TEXTS)
        assert len(project.dropped()) == 2
        assert whole(project)
        project.close()


def whole(project: Project) -> bool:
    with project.engine.connect() as connection:
        return ledger.verify(connection).broken is None


class Raters:
    """People who rate on a server until it is gone; `answered` counts the ratings that it acknowledged."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.answered: list[str] = []

    def work(self, address: str, enough: int) -> threading.Event:
        """Start rating; the event is set once so many ratings are acknowledged."""
        until, begun = threading.Event(), len(self.answered)

        def rate(name: str) -> None:
            with httpx2.Client(base_url=address, follow_redirects=True, timeout=60) as http:
                data = {"csrf": csrf(http.get("/login").text), "name": name, "password": SECRET, "next": "/"}
                http.post("/login", data=data)
                while place := re.search(r'action="/rate/(\d+)"', (page := http.get("/").text)):
                    label = {"csrf": csrf(page), "level": "3", "high": "false"}
                    if http.post(f"/rate/{place[1]}", data=label, follow_redirects=False).status_code == 303:
                        self.answered.append(name)
                    if len(self.answered) - begun >= enough:
                        until.set()

        def until_killed(name: str) -> None:
            with pytest.raises(httpx2.TransportError):
                rate(name)

        self.threads = [threading.Thread(target=until_killed, args=(name,)) for name in self.names]
        for thread in self.threads:
            thread.start()
        return until


def serving(project: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "shouwang", "annotate", "serve", "-p", str(project), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(1_200):
        try:
            httpx2.get(f"http://127.0.0.1:{port}/login")
            break
        except httpx2.TransportError:
            time.sleep(0.1)
    return process, f"http://127.0.0.1:{port}"


def test_every_rating_that_was_answered_is_there_after_kills(tmp_path: Path) -> None:
    project, raters = create(tmp_path / "study.shouwang", raters=9), Raters(["Mei", "Lan"])
    add(project, [Post(f"p-{n}", f"第{n}天，{chr(0x4E00 + 7 * n) * 9}") for n in range(400)])
    with database.writing(project.engine) as connection:
        accounts.create(connection)
    known = accounts.Accounts(project.engine, "coordinator", FAST)
    for name in raters.names:
        known.add(name, SECRET, ["rater"])
    for _ in range(2):
        process, address = serving(project.path)
        assert raters.work(address, enough=5).wait(120)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for thread in raters.threads:
            thread.join()
    kept = project.counts()["blind"]
    assert len(raters.answered) <= kept <= len(raters.answered) + 2 * len(raters.names)
    assert len({(each.post, each.who) for each in project.ratings()}) == kept
    assert whole(project)
    project.close()
