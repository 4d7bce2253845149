from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from shouwang import database, ledger
from shouwang.posts import Assessment, Post
from shouwang.triage import acts, authors, policies, queue
from shouwang.triage.tables import assessments, cases, posts
from shouwang.triage.worker import TAKEN_FOR, Shadow, Worker
from tests.triage.invented import POLICY, PSEUDONYMS, deliver, incoming, read_level, watch, worker


def count(engine: Engine, table: object) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_each_post_is_assessed_once_and_model_and_version_stay_with_it(engine: Engine) -> None:
    deliver(engine, incoming("3 雨", "6 夜", "9 风"))
    at_work = worker(engine, batch=2)
    assert [at_work.step() for _ in range(3)] == [2, 1, 0]
    with engine.connect() as connection:
        kept = connection.execute(select(assessments.c.model, assessments.c.level).order_by(assessments.c.post)).all()
        assert [tuple(row) for row in kept] == [("test 1", 3), ("test 1", 6), ("test 1", 9)]
        assert ledger.verify(connection).broken is None
    assert count(engine, cases) == 2


def test_what_a_killed_worker_had_taken_is_taken_again_when_its_time_is_over(engine: Engine) -> None:
    deliver(engine, incoming("6 夜"))
    with database.writing(engine) as connection:
        assert len(worker(engine)._take(connection)) == 1  # and is killed here
    assert worker(engine).step() == 0
    assert worker(engine, now=1000.0 + TAKEN_FOR).step() == 1
    assert count(engine, cases) == 1


def test_a_clock_that_is_set_back_keeps_no_post_and_no_case_from_people(engine: Engine) -> None:
    watch(engine, "6 夜", now=100_000.0)
    deliver(engine, incoming("7 雪", first=2), 100_000.0)
    ahead = worker(engine, now=100_000.0)
    with database.writing(engine) as connection:
        acts.claim(connection, 1, "user:1", 100_000.0)
        assert len(ahead._take(connection)) == 1  # and is killed here
    ahead.tidy()
    ahead.clock = lambda: 2000.0
    ahead.tidy()
    assert ahead.step() == 1
    with engine.connect() as connection:
        assert len(queue.case_list(connection, free_at=2000.0)) == 2


def test_of_two_workers_on_one_post_the_first_result_stays(engine: Engine) -> None:
    deliver(engine, incoming("6 夜"))
    slow, quick = worker(engine), worker(engine, now=1000.0 + TAKEN_FOR)
    with database.writing(engine) as connection:
        taken = slow._take(connection)
        held = slow._policy(connection)
    found, _ = slow._assessed(taken)
    assert quick.step() == 1
    with database.writing(engine) as connection:
        assert slow._write(connection, taken, found, {}, held) == set()
    assert (count(engine, assessments), count(engine, cases)) == (1, 1)


def test_told_to_stop_it_finishes_the_batch_in_hand_and_takes_no_other(engine: Engine) -> None:
    deliver(engine, incoming("3 雨", "6 夜", "9 风"))
    stop = Event()

    def told_meanwhile(given: Iterable[Post]) -> Iterator[Assessment]:
        stop.set()
        return read_level(given)

    Worker(engine, told_meanwhile, default=POLICY, clock=lambda: 1000.0, batch=2).run(stop)
    assert count(engine, assessments) == 2
    with engine.connect() as connection:
        left = select(posts.c.taken_until, posts.c.attempts).where(posts.c.assessed_at.is_(None))
        assert [tuple(row) for row in connection.execute(left)] == [(0.0, 0)]


def test_a_database_that_is_gone_when_it_begins_is_waited_for(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("what its predecessor had taken is freed on SQLite alone")
    deliver(engine, incoming("6 夜"))

    def rename(before: str, after: str) -> None:
        with database.writing(engine) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")

    class BackAgain(Event):
        def wait(self, timeout: float | None = None) -> bool:
            rename("gone", "posts")
            return False

    def told_meanwhile(given: Iterable[Post]) -> Iterator[Assessment]:
        stop.set()
        return read_level(given)

    rename("posts", "gone")
    stop = BackAgain()
    Worker(engine, told_meanwhile, default=POLICY, clock=lambda: 1000.0).run(stop)
    assert count(engine, assessments) == 1


def test_a_post_that_breaks_the_model_becomes_a_case_and_holds_up_no_other(engine: Engine) -> None:
    deliver(engine, incoming("3 雨", "bad 茶", "6 夜"))
    for attempt in range(5):
        assert worker(engine, now=1000.0 + 1e6 * attempt).step() >= (2 if attempt == 0 else 0)
    with engine.connect() as connection:
        failed = [case for case in queue.case_list(connection) if case.assessment is None]
        assert [case.reasons[0].name for case in failed] == ["not-assessed"]
        assert connection.execute(select(posts.c.failed).where(posts.c.text == "bad 茶")).scalar_one() == "ValueError"
    assert (count(engine, assessments), count(engine, cases)) == (2, 2)


def test_a_post_that_takes_the_whole_worker_with_it_becomes_a_case_in_the_end(engine: Engine) -> None:
    deliver(engine, incoming("6 夜"))
    for attempt in range(5):
        with database.writing(engine) as connection:
            assert len(worker(engine, now=1000.0 + 100 * attempt)._take(connection)) == 1  # and is killed here
    assert worker(engine, now=2000.0).step() == 1
    with engine.connect() as connection:
        assert queue.case_list(connection)[0].reasons[0].name == "not-assessed"


def test_what_the_model_says_of_an_error_stays_out_of_the_log(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    deliver(engine, incoming("bad 秘密的话"))
    worker(engine).step()
    assert "ValueError on post" in caplog.text and "秘密" not in caplog.text


def test_a_policy_that_is_set_holds_from_then_on(engine: Engine) -> None:
    at_work = worker(engine)
    deliver(engine, incoming("4 雨"))
    at_work.step()
    with database.writing(engine) as connection:
        number = policies.set_policy(connection, replace(POLICY, wish=None), "user:1", 1000.0)
    deliver(engine, incoming("4 雪", "7 夜", first=2))
    at_work.step()
    with engine.connect() as connection:
        found = queue.case_list(connection)
    assert [(case.text, case.policy) for case in found] == [("7 夜", number), ("4 雨", 0)]


def test_a_policy_that_is_set_while_a_batch_is_assessed_misses_none_of_it(engine: Engine) -> None:
    deliver(engine, incoming("3 雨"))
    wider = replace(POLICY, wish_level=3)

    def slowly(waiting: Iterable[Post]) -> Iterator[Assessment]:
        with database.writing(engine) as connection:
            number = policies.set_policy(connection, wider, "user:1", 1000.0)
            assert policies.catch_up(connection, policies.Held(number, wider), "user:1", 1000.0) == 0
        return read_level(waiting)

    Worker(engine, slowly, default=POLICY, clock=lambda: 1000.0).step()
    with engine.connect() as connection:
        assert [case.policy for case in queue.case_list(connection)] == [1]


def test_a_policy_that_is_set_while_a_batch_is_written_misses_none_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(engine, incoming("3 雨"))
    wider, write = replace(POLICY, wish_level=3), Worker._write

    def set_it() -> None:
        with database.writing(engine) as connection:
            number = policies.set_policy(connection, wider, "user:1", 1000.0)
        with database.writing(engine) as connection:
            policies.catch_up(connection, policies.Held(number, wider), "user:1", 1000.0)

    def beside(*write_this: Any) -> set[int]:
        admin.start()
        admin.join(0.5)  # it waits for the worker
        return write(*write_this)

    admin = Thread(target=set_it)
    monkeypatch.setattr(Worker, "_write", beside)
    worker(engine).step()
    admin.join()
    assert count(engine, cases) == 1


def test_a_policy_at_a_point_that_the_model_lacks_stops_nothing_and_is_said(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with database.writing(engine) as connection:
        policies.set_policy(connection, replace(POLICY, basis="workload=200/1000", high=0.99), "user:1", 1000.0)
    watch(engine, "3 雨", "7 夜")
    with engine.connect() as connection:
        assert [case.policy for case in queue.case_list(connection)] == [1]
        assert policies.look_ahead(connection, POLICY, {}, 1000.0, POLICY).changed == 0
    assert "policy 1 stands at 'workload=200/1000', which this model lacks" in caplog.text


def test_a_shadow_is_compared_and_shown_to_nobody(engine: Engine) -> None:
    def bolder(given: Iterable[Post]) -> Iterator[Assessment]:
        return (replace(a, p_high=0.9, model="bold 2") for a in read_level(given))

    deliver(engine, incoming("3 雨", "6 夜", "bad 茶"))
    worker(engine, shadow=Shadow("bold", bolder)).step()
    with engine.connect() as connection:
        found = policies.differences(connection, "bold", since=0.0)
        assert policies.shadow_names(connection) == ["bold"]
    assert (found.posts, found.differ, found.pairs) == (2, 1, {(0, 2): 1, (2, 2): 1})
    assert [change.after for change in found.differing] == [2]
    assert count(engine, cases) == 1


def test_a_shadow_may_be_another_policy_over_the_same_assessments(engine: Engine) -> None:
    deliver(engine, incoming("3 雨", "7 夜"))
    worker(engine, shadow=Shadow("strict", policy=replace(POLICY, high=1.0, imminent=1.0, wish=None))).step()
    with engine.connect() as connection:
        found = policies.differences(connection, "strict", since=0.0)
    assert (found.posts, found.differ, [change.after for change in found.differing]) == (2, 1, [None])


def test_a_broken_shadow_does_not_touch_the_watch(engine: Engine) -> None:
    def broken(given: Iterable[Post]) -> Iterator[Assessment]:
        raise OSError("no model")

    deliver(engine, incoming("6 夜"))
    assert worker(engine, shadow=Shadow("broken", broken)).step() == 1
    assert count(engine, cases) == 1


def test_an_authors_course_is_in_the_order_of_posting_by_the_earlier_clock(engine: Engine) -> None:
    late, early = incoming("3 第二条", "6 第一条", author="小明")
    late, early = replace(late, posted_at=9e9), replace(early, posted_at=500.0)  # one clock runs ahead
    deliver(engine, [late, early])
    worker(engine).step()
    with engine.connect() as connection:
        author = authors.numbered(connection, PSEUDONYMS, "weibo", "小明")
        assert author is not None
        course = authors.course(connection, author)
    assert [(moment.text, moment.at) for moment in course] == [("6 第一条", 500.0), ("3 第二条", 1000.0)]
    assert [moment.case is not None for moment in course] == [True, False]


def test_an_author_is_exported_and_erased_and_the_chain_holds(engine: Engine) -> None:
    deliver(engine, incoming("6 夜", "3 雨", author="小明"))
    worker(engine, shadow=Shadow("strict", policy=replace(POLICY, high=0.95))).step()
    watch(engine, "7 别人的", author="小红", first=10)
    with database.writing(engine) as connection:
        author = authors.numbered(connection, PSEUDONYMS, "weibo", "小明")
        assert author is not None
        case = queue.case_list(connection)[-1]
        acts.note(connection, case.id, "user:1", 1001.0, "备注")
        acts.rate(connection, case.id, "user:1", 1001.0, 6, True)
        told = list(authors.export(connection, author))
        assert [row["text"] for row in told] == ["6 夜", "3 雨"]
        assert [len(told[0][each]) for each in ("notes", "ratings", "shadows")] == [1, 1, 1]  # type: ignore[arg-type]
        assert authors.erase(connection, author, "user:9") == 2
    with engine.connect() as connection:
        assert [case.text for case in queue.case_list(connection)] == ["7 别人的"]
        assert connection.execute(select(posts.c.text)).scalars().all() == ["7 别人的"]
        assert ledger.verify(connection).broken is None


def test_a_change_of_policy_is_shown_before_it_is_made_and_can_catch_up(engine: Engine) -> None:
    watch(engine, "3 雨", "4 雪", "7 夜", "9 风")
    wider = replace(POLICY, wish_level=3)
    with database.writing(engine) as connection:
        policies.set_policy(connection, POLICY, "user:1", 1000.0)
        seen = policies.look_ahead(connection, wider, {}, 1000.0)
        assert (seen.posts, seen.changed, seen.changes[0].after) == (4, 1, 1)
        assert len(queue.case_list(connection)) == 3
        number = policies.set_policy(connection, wider, "user:1", 1000.0)
        held = policies.current(connection)
        assert held.id == number
        assert policies.catch_up(connection, held, "user:1", 1000.0) == 1
        assert policies.catch_up(connection, held, "user:1", 1000.0) == 0
        assert len(queue.case_list(connection)) == 4
        assert ledger.recorded(connection, subject="case:4")[0].what == "opened"


def test_catching_up_raises_open_cases_that_the_policy_puts_higher_and_lowers_none(engine: Engine) -> None:
    watch(engine, "7 夜", "7 雪", "9 风")
    with database.writing(engine) as connection:
        acts.close(connection, 1, "user:1", 1000.0, "not-at-risk")
        sooner = policies.Held(7, replace(POLICY, imminent_level=7, wish=None))
        assert policies.catch_up(connection, sooner, "user:1", 1000.0) == 1
        assert [queue.case(connection, number).priority for number in (1, 2, 3)] == [2, 3, 3]
        assert queue.case(connection, 2).reasons[0].name == "imminent"
        assert ledger.recorded(connection, subject="case:2")[0].what == "raised"
        later = policies.Held(8, replace(POLICY, imminent=1.0, high=1.0))
        assert policies.catch_up(connection, later, "user:1", 1000.0) == 0
