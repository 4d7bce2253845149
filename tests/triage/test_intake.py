from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from shouwang import database, ledger
from shouwang.errors import InputError
from shouwang.triage import intake, queue
from shouwang.triage.intake import Incoming, Pseudonyms
from shouwang.triage.messages import CaseOut
from shouwang.triage.tables import authors, posts
from tests.triage.invented import PSEUDONYMS, deliver, incoming, watch, worker


def test_a_post_is_accepted_once(engine: Engine) -> None:
    assert deliver(engine, incoming("3 下雨了", "6 睡不着")).accepted == 2
    again = deliver(engine, incoming("3 下雨了", "6 睡不着", "0 喝茶"))
    assert (again.accepted, again.repeated, again.conflicts) == (1, 2, ())


def test_an_id_that_comes_back_with_another_text_is_named_and_the_first_text_stays(engine: Engine) -> None:
    deliver(engine, incoming("3 下雨了"))
    again = deliver(engine, incoming("9 改过的", "0 喝茶"))
    assert (again.accepted, again.repeated, again.conflicts) == (1, 0, (("weibo", "w1"),))
    with engine.connect() as connection:
        assert list(connection.execute(select(posts.c.text).order_by(posts.c.id)).scalars()) == ["3 下雨了", "0 喝茶"]


def test_an_id_that_stands_twice_in_one_delivery_is_judged_alike(engine: Engine) -> None:
    same, other = Incoming("weibo", "w1", "3 雨"), Incoming("weibo", "w1", "4 雪")
    found = deliver(engine, [same, same, other])
    assert (found.accepted, found.repeated, found.conflicts) == (1, 1, (("weibo", "w1"),))


def test_the_same_id_of_two_sources_is_two_posts(engine: Engine) -> None:
    assert deliver(engine, [Incoming("weibo", "1", "3 雨"), Incoming("douban", "1", "4 雪")]).accepted == 2


def test_authors_are_kept_under_pseudonyms_that_the_secret_alone_makes(engine: Engine) -> None:
    deliver(engine, incoming("3 雨", "4 雪", author="小明"))
    deliver(engine, incoming("3 风", source="douban", author="小明"))
    with engine.connect() as connection:
        names = list(connection.execute(select(authors.c.pseudonym).order_by(authors.c.id)).scalars())
    assert names == [PSEUDONYMS.author("weibo", "小明"), PSEUDONYMS.author("douban", "小明")]
    assert Pseudonyms(b"another secret").author("weibo", "小明") not in names


def test_a_delivery_with_a_post_that_will_not_do_is_refused_as_a_whole_without_quoting_it(engine: Engine) -> None:
    with pytest.raises(InputError, match="post 2 of 2: the text is empty"):
        deliver(engine, incoming("3 雨", " \n"))
    with pytest.raises(InputError, match=r"post 1 of 1: the text has 50001 characters") as refused:
        deliver(engine, incoming("秘" * 50_001))
    assert "秘" not in str(refused.value)
    with engine.connect() as connection:
        assert connection.execute(select(posts)).all() == []
        assert ledger.verify(connection).events == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_a_delivery_has_one_to_a_thousand_posts(engine: Engine, count: int) -> None:
    with pytest.raises(InputError, match="1 to 1000"):
        deliver(engine, incoming(*["3 雨"] * count))


def test_what_no_database_stores_is_replaced_and_offsets_stay(engine: Engine) -> None:
    deliver(engine, incoming("3 a\x00b\ud800c"))
    with engine.connect() as connection:
        assert connection.execute(select(posts.c.text)).scalar_one() == "3 a�b�c"


@pytest.mark.parametrize("at", [1.7e12, float("inf"), 253_402_383_599.0, -1.0])
def test_a_time_that_no_page_could_show_is_left_out_and_the_case_can_be_read(engine: Engine, at: float) -> None:
    deliver(engine, [Incoming("weibo", "w1", "7 夜", posted_at=at)])
    worker(engine).step()
    with engine.connect() as connection:
        assert CaseOut.of(queue.case(connection, 1), 1000.0).posted_at is None


def test_a_receipt_says_how_far_its_posts_are(engine: Engine) -> None:
    receipt = deliver(engine, incoming("3 雨", "6 夜", "9 夜"))
    with engine.connect() as connection:
        before = intake.progress(connection, receipt.id)
    watch(engine, "7 再一条", first=4)
    with engine.connect() as connection:
        after = intake.progress(connection, receipt.id)
        assert intake.progress(connection, "no-such") is None
    assert before and (before.accepted, before.assessed, before.cases) == (3, 0, 0)
    assert after and (after.accepted, after.assessed, after.cases) == (3, 3, 2)


def test_the_same_posts_delivered_by_many_at_once_are_stored_once(engine: Engine) -> None:
    batch = incoming(*[f"3 第{n}条" for n in range(50)], author="小明")
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda n: deliver(engine, batch if n % 2 else batch[::-1]), range(8)))
    assert sum(receipt.accepted for receipt in receipts) == 50
    assert all(receipt.accepted + receipt.repeated == 50 for receipt in receipts)


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "watch.secret"
    assert Pseudonyms.beside(path).author("weibo", "小明") == Pseudonyms.beside(path).author("weibo", "小明")
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("too short", encoding="ascii")
    with pytest.raises(InputError, match="restore it"):
        Pseudonyms.beside(path)


def test_another_secret_than_the_databases_own_is_noticed(engine: Engine) -> None:
    with database.writing(engine) as connection:
        PSEUDONYMS.must_fit(connection)
        PSEUDONYMS.must_fit(connection)
        with pytest.raises(InputError, match="restore the secret file"):
            Pseudonyms(b"another").must_fit(connection)
