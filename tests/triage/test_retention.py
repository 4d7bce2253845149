from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from shouwang import database, ledger
from shouwang.errors import InputError
from shouwang.triage import acts, intake, queue, retention
from shouwang.triage.retention import DAY, Kept
from shouwang.triage.tables import authors, cases, notes, posts, ratings, receipts
from tests.triage.invented import deliver, incoming, watch, worker


def count(engine: Engine, table: object) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def texts(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(posts.c.text).order_by(posts.c.id)).scalars())


def settle(engine: Engine, kept: Kept) -> None:
    with database.writing(engine) as connection:
        retention.keep(connection, kept, "user:1")


def test_posts_without_a_case_go_when_their_time_is_over_and_open_cases_stay(engine: Engine) -> None:
    watch(engine, "3 雨", "9 夜", now=0.0)
    watch(engine, "2 风", now=2 * DAY, first=10)
    settle(engine, Kept(posts=1, cases=1))
    with database.writing(engine) as connection:
        assert retention.remove(connection, 2 * DAY) == (1, 0)
    assert texts(engine) == ["9 夜", "2 风"]


def test_closed_cases_go_with_post_ratings_and_notes_and_the_chain_holds(engine: Engine) -> None:
    watch(engine, "9 夜", "8 雪", now=0.0, author="小明")
    with database.writing(engine) as connection:
        first = queue.case_list(connection)[-1].id
        acts.note(connection, first, "user:1", 0.0, "备注")
        acts.rate(connection, first, "user:1", 0.0, 6, True)
        acts.close(connection, first, "user:1", DAY, "referred")
    settle(engine, Kept(cases=30))
    for days, left in ((30, 2), (32, 1)):
        with database.writing(engine) as connection:
            retention.remove(connection, days * DAY)
        assert count(engine, posts) == left
    assert (count(engine, cases), count(engine, ratings), count(engine, notes), count(engine, authors)) == (1, 0, 0, 1)
    with engine.connect() as connection:
        assert ledger.verify(connection).broken is None
        assert ledger.recorded(connection)[0].data == {"posts": 1, "cases": 1}


def test_what_waits_to_be_assessed_is_never_removed(engine: Engine) -> None:
    deliver(engine, incoming("3 雨"), now=0.0)
    with database.writing(engine) as connection:
        assert retention.remove(connection, 1e9) == (0, 0)
    assert texts(engine) == ["3 雨"]


def test_authors_and_receipts_of_whom_nothing_is_left_go_too(engine: Engine) -> None:
    watch(engine, "3 雨", now=0.0, author="小明")
    watch(engine, "3 雪", now=0.0, author="小红", first=5)
    watch(engine, "2 风", now=200 * DAY, author="小红", first=9)
    with database.writing(engine) as connection:
        assert retention.remove(connection, 200 * DAY).posts == 2
    assert (count(engine, authors), count(engine, receipts)) == (1, 1)


def test_receipts_of_deliveries_that_brought_nothing_new_go_with_their_age(engine: Engine) -> None:
    watch(engine, "9 夜", now=0.0)
    for day in (0, 200):
        deliver(engine, incoming("9 夜"), now=day * DAY)
    with database.writing(engine) as connection:
        assert retention.remove(connection, 200 * DAY) == (0, 0)
    assert (count(engine, posts), count(engine, receipts)) == (1, 2)


def test_many_posts_go_in_several_steps(engine: Engine) -> None:
    watch(engine, "1 雨", "2 雪", "3 风", now=0.0)
    with database.writing(engine) as connection:
        steps = [retention.remove(connection, 100 * DAY, most=2).posts for _ in range(3)]
    assert steps == [2, 1, 0]


def test_the_worker_removes_as_it_goes(engine: Engine) -> None:
    watch(engine, "3 雨", now=0.0)
    worker(engine, now=100 * DAY).tidy()
    assert texts(engine) == []


def test_what_was_removed_stands_in_none_of_sqlites_files(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("its files are the server's")
    file = Path(engine.url.database or "")

    def stands() -> bool:
        return any("夜航船".encode() in each.read_bytes() for each in file.parent.glob(f"{file.name}*"))

    watch(engine, "3 夜航船", now=0.0)
    assert stands()
    worker(engine, now=100 * DAY).tidy()
    assert not stands()


def test_what_was_set_holds_and_stands_in_the_ledger(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert retention.current(connection) == Kept()
        for days in (30.0, None):
            retention.keep(connection, Kept(posts=days), "user:1")
        assert retention.current(connection) == Kept(posts=None)
        assert ledger.recorded(connection)[0].what == "set-retention"
    watch(engine, "3 雨", now=0.0)
    with database.writing(engine) as connection:
        assert retention.remove(connection, 1e9).posts == 0
    with pytest.raises(InputError, match="more than 0"):
        Kept(cases=0)


def test_identifiers_are_replaced_where_that_was_asked_for_and_a_repeat_is_still_a_repeat(engine: Engine) -> None:
    settle(engine, Kept(identifiers=False))
    post = incoming("6 打给我 13800138000", author="小明")
    assert deliver(engine, post).accepted == 1
    assert "13800138000" not in texts(engine)[0] and texts(engine)[0].startswith("6 打给我 [")
    again = deliver(engine, post)
    assert (again.repeated, again.conflicts) == (1, ())


def test_a_number_is_never_given_twice(engine: Engine) -> None:
    watch(engine, "3 雨", now=0.0)
    with database.writing(engine) as connection:
        gone = connection.execute(select(posts.c.id)).scalar_one()
        retention.remove(connection, 100 * DAY)
        assert intake.waiting(connection) == (0, 0.0)
    deliver(engine, incoming("3 雨"))
    with engine.connect() as connection:
        assert connection.execute(select(posts.c.id)).scalar_one() > gone
