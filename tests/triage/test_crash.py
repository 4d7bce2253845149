from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from shouwang import database
from shouwang.triage import intake, keys, schema
from tests.databases import Server
from tests.triage.crash import Client, Service, delivering, must_be_whole, survive

KILLS = int(os.environ.get("SHOUWANG_KILLS", "2"))


def test_a_watch_that_is_killed_at_any_moment_loses_and_doubles_nothing(database_url: str, tmp_path: Path) -> None:
    client = survive(database_url, tmp_path, KILLS, seed=20)
    assert len(client.kept) > 0 and client.again > 0


def test_while_postgresql_is_gone_posts_are_refused_and_nothing_is_dropped(postgresql: Server, tmp_path: Path) -> None:
    url = postgresql.new("goes_away")
    engine = database.engine(url)
    schema.upgrade(engine)
    with database.writing(engine) as connection:
        key = keys.add(connection, "crash", ["posts:write"], "cli", time.time(), per_minute=10**9)
    service = Service(url, tmp_path)
    service.start()
    service.wait_until_ready()
    client = Client(service.base, key)
    with delivering(client):
        _wait_for(lambda: len(client.kept) >= 60)
        postgresql.stop("immediate")
        refused = client.again
        _wait_for(lambda: client.again > refused + 3)
        postgresql.start()
        before = len(client.kept)
        _wait_for(lambda: len(client.kept) > before + 60)
    _wait_for(lambda: _all_assessed(engine))
    service.kill()
    must_be_whole(engine, client.kept)
    engine.dispose()


def _all_assessed(engine: Engine) -> bool:
    with engine.connect() as connection:
        return intake.waiting(connection)[0] == 0


def _wait_for(true: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
