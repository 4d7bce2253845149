from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from shouwang import __version__, database
from shouwang.triage import acts, queue
from shouwang.triage.metrics import Metrics
from tests.triage.invented import deliver, incoming, watch
from tests.triage.test_service import Caller, posts


def read(page: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels, sorted by label."""
    families = text_string_to_metric_families(page)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.fixture
def found(engine: Engine) -> dict[tuple[str, ...], float]:
    """Of a watch with three open cases, one of them claimed, one of a post that was given up, and a post that waits."""
    watch(engine, "9 夜", "6 雨", "6 雪", "1 茶", now=1000.0, author="小明")
    with database.writing(engine) as connection:
        acts.claim(connection, queue.case_list(connection)[0].id, "user:1", 1400.0)
    deliver(engine, incoming("3 风", first=9), now=1500.0)
    return read(Metrics(engine, lambda: 1600.0).page().decode())


def test_what_waits_and_which_cases_are_open_is_told(found: dict[tuple[str, ...], float]) -> None:
    assert (found["shouwang_posts_waiting",], found["shouwang_posts_waiting_seconds",]) == (1, 100)
    assert found["shouwang_cases_open", "yes", "now"] == 1
    assert found["shouwang_cases_open", "no", "today"] == 2
    assert found["shouwang_case_unclaimed_seconds", "today"] == 600
    assert found["shouwang_database_up",] == 1


def test_no_text_name_or_id_is_told(engine: Engine) -> None:
    with Caller(engine) as caller:
        caller.post("/v1/posts", json=posts("9 秘密"))
        caller.get("/v1/cases/4711")
        caller.get("/v1/nowhere/秘密")
        page = caller.get("/v1/metrics").text
    assert 'route="/v1/cases/{number}",status="404"' in page
    assert "4711" not in page and "w1" not in page and "秘密" not in page and "nowhere" not in page


def test_a_key_needs_the_scope_for_metrics(engine: Engine) -> None:
    with Caller(engine, "posts:write") as caller:
        assert caller.get("/v1/metrics").status_code == 403
        assert caller.get("/v1/metrics", headers={"Authorization": "Bearer nothing"}).status_code == 401


def test_without_the_database_the_rest_is_still_told(tmp_path: Path) -> None:
    empty = database.engine(tmp_path / "empty.sqlite")
    found = read(Metrics(empty).page().decode())
    assert found["shouwang_database_up",] == 0
    assert ("shouwang_build_info", __version__) in found and ("shouwang_posts_waiting",) not in found
