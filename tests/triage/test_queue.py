from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select

from shouwang import database, ledger
from shouwang.errors import InputError, ShouwangError
from shouwang.triage import acts, queue
from shouwang.triage.policy import Priority
from shouwang.triage.tables import posts
from tests.triage.invented import watch

ME, YOU, NOW = "user:1", "user:2", 2000.0


@pytest.fixture
def case(engine: Engine) -> int:
    """The number of the one case there is."""
    watch(engine, "7 睡不着", author="小明")
    with engine.connect() as connection:
        return queue.case_list(connection)[0].id


def test_the_list_gives_the_most_urgent_first_and_of_these_the_newest(engine: Engine) -> None:
    watch(engine, "4 雨", "7 夜", "9 风", "0 茶")
    watch(engine, "9 雪", "7 霜", now=1500.0, first=5)
    with engine.connect() as connection:
        found = queue.case_list(connection)
    assert [case.text for case in found] == ["9 雪", "9 风", "7 霜", "7 夜", "4 雨"]
    assert [case.priority for case in found[1:4]] == [Priority.NOW, Priority.TODAY, Priority.TODAY]


def test_paging_gives_every_case_once_though_new_ones_come_in_between(engine: Engine) -> None:
    watch(engine, *[f"{6 + n % 4} 第{n}条" for n in range(10)])
    seen: list[int] = []
    place = None
    with engine.connect() as connection:
        while page := queue.case_list(connection, limit=3, before=place):
            seen += [case.id for case in page]
            place = page[-1].place
    watch(engine, "9 新的", now=3000.0, first=50)
    assert len(seen) == len(set(seen)) == 10


def test_a_case_tells_what_the_model_says_and_why_it_is_one(engine: Engine, case: int) -> None:
    with engine.connect() as connection:
        found = queue.case(connection, case)
    assert found.assessment is not None
    assert (found.assessment.level, found.assessment.model) == (7, "test 1")
    assert [reason.name for reason in found.reasons] == ["high", "wish"]
    assert (found.source, found.external_id, found.state) == ("weibo", "w1", "open")
    assert found.code is not None and "小明" not in found.code


def test_of_two_people_who_claim_a_case_one_wins_and_the_other_is_told(engine: Engine, case: int) -> None:
    def claim(who: str) -> str:
        try:
            with database.writing(engine) as connection:
                acts.claim(connection, case, who, NOW)
            return "won"
        except acts.TakenError as taken:
            return f"told of {taken.by}"

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(claim, [f"user:{n}" for n in range(8)]))
    assert found[-1] == "won" and len(set(found[:-1])) == 1 and found[0].startswith("told of user:")


def test_a_lease_that_ran_out_lets_the_next_one_in(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        until = acts.claim(connection, case, ME, NOW)
        assert acts.expire(connection, until - 1) == []
        assert acts.expire(connection, until) == [case]
        acts.claim(connection, case, YOU, until)
        assert queue.case(connection, case).held_by(until) == YOU


def test_whoever_acts_renews_the_claim(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.claim(connection, case, ME, NOW)
        acts.rate(connection, case, ME, NOW + 600, 6, True)
        assert queue.case(connection, case).lease_until == NOW + 600 + acts.LEASE
        acts.note(connection, case, ME, NOW + 800, "在联系家人")
        acts.note(connection, case, YOU, NOW + 900, "我认识她的同学")  # holds nothing, renews nothing
        assert queue.case(connection, case).lease_until == NOW + 800 + acts.LEASE


def test_a_case_that_somebody_holds_is_not_rated_closed_or_handed_over_by_another(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.claim(connection, case, ME, NOW)
        tried: list[Callable[[], object]] = [
            lambda: acts.rate(connection, case, YOU, NOW, 6, True),
            lambda: acts.close(connection, case, YOU, NOW, "referred"),
            lambda: acts.hand_over(connection, case, YOU, NOW, "user:3"),
            lambda: acts.release(connection, case, YOU, NOW),
        ]
        for act in tried:
            with pytest.raises(acts.TakenError, match="held by somebody else"):
                act()


def test_a_case_is_worked_on_and_closed(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.claim(connection, case, ME, NOW)
        acts.note(connection, case, ME, NOW, "  打过电话 ")
        acts.rate(connection, case, ME, NOW, 5, False)
        acts.rate(connection, case, ME, NOW + 1, 6, True)
        acts.close(connection, case, ME, NOW + 2, "reached-out")
    with engine.connect() as connection:
        found = queue.case(connection, case)
        assert (found.state, found.outcome, found.closed_by, found.assignee) == ("closed", "reached-out", ME, None)
        assert queue.ratings(connection, case) == [queue.Rating(ME, 6, True, False, NOW + 1)]
        assert [note.text for note in queue.notes(connection, case)] == ["打过电话"]
        assert queue.case_list(connection) == []
        told = [event.what for event in ledger.recorded(connection, subject=f"case:{case}")]
    assert told == ["closed", "rated", "rated", "noted", "claimed", "opened"]


def test_nothing_that_people_write_stands_in_the_ledger(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.note(connection, case, ME, NOW, "打过电话")
        everything = connection.execute(select(ledger.EVENTS)).all()
    assert "打过电话" not in str(everything) and "睡不着" not in str(everything) and "小明" not in str(everything)


def test_a_closed_case_is_left_alone_until_it_is_reopened(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.close(connection, case, ME, NOW, "not-at-risk")
        with pytest.raises(acts.ClosedError, match="reopen"):
            acts.claim(connection, case, YOU, NOW)
        acts.reopen(connection, case, YOU, NOW)
        acts.claim(connection, case, YOU, NOW)
        assert queue.case(connection, case).outcome is None


def test_a_reopened_case_is_not_behind_all_that_came_since(engine: Engine, case: int) -> None:
    watch(engine, "7 雪", "7 霜", now=1500.0, first=5)
    with database.writing(engine) as connection:
        acts.close(connection, case, ME, NOW, "not-reached")
        acts.reopen(connection, case, ME, NOW + 60)
        (first, *_) = queue.case_list(connection, free_at=NOW + 60)
        assert (first.id, first.opened_at, first.claimed_at) == (case, NOW + 60, None)


def test_a_case_is_handed_over_to_somebody_who_then_holds_it(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.hand_over(connection, case, ME, NOW, YOU)
        assert [found.id for found in queue.case_list(connection, whose=YOU)] == [case]
        assert queue.open_counts(connection, YOU, NOW).mine == 1
        with pytest.raises(acts.TakenError):
            acts.rate(connection, case, ME, NOW, 6, True)


def test_open_cases_are_counted_by_priority_and_no_further_than_need_be(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(engine, "9 雪", "7 夜", "7 霜", "7 风", "4 雨")
    counts = {Priority.NOW: 1, Priority.TODAY: 3, Priority.WATCH: 1}
    with engine.connect() as connection:
        assert queue.open_counts(connection, ME, NOW).open == counts
        monkeypatch.setattr(queue, "MOST_COUNTED", 2)
        assert queue.open_counts(connection, ME, NOW).open == counts | {Priority.TODAY: 2}


def test_a_second_opinion_is_another_persons_and_needs_no_claim(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.rate(connection, case, ME, NOW, 6, True)
        acts.ask_second(connection, case, ME, NOW)
        for who in (YOU, ME):
            assert queue.open_counts(connection, who, NOW).second == len(queue.case_list(connection, second=True)) == 1
        acts.rate(connection, case, YOU, NOW, 4, False)
        found = queue.case(connection, case)
        assert (found.second_by, found.assignee) == (None, ME)
        assert [(r.who, r.second) for r in queue.ratings(connection, case)] == [(ME, False), (YOU, True)]


def test_free_cases_are_those_that_nobody_holds(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        acts.claim(connection, case, ME, NOW)
        assert queue.case_list(connection, free_at=NOW) == []
        assert [found.id for found in queue.case_list(connection, free_at=NOW + acts.LEASE)] == [case]


def test_a_person_opens_a_case_that_the_policy_did_not(engine: Engine) -> None:
    watch(engine, "0 喝茶")
    with database.writing(engine) as connection:
        post = connection.execute(select(posts.c.id)).scalar_one()
        number = acts.open_by_hand(connection, post, ME, NOW)
        assert acts.open_by_hand(connection, post, YOU, NOW) == number
        assert queue.case(connection, number).reasons[0].name == "by-hand"
        with pytest.raises(InputError, match="no post 99"):
            acts.open_by_hand(connection, 99, ME, NOW)


def test_what_does_not_exist_is_said_so(engine: Engine, case: int) -> None:
    with database.writing(engine) as connection:
        with pytest.raises(ShouwangError, match="no case 99"):
            acts.claim(connection, 99, ME, NOW)
        with pytest.raises(InputError, match="Did you mean 'referred'"):
            acts.close(connection, case, ME, NOW, "refered")
        with pytest.raises(InputError, match="level 11"):
            acts.rate(connection, case, ME, NOW, 11, True)
