from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from shouwang import database, files
from shouwang.posts import Row, Skipped
from shouwang.triage import feed as feeding
from shouwang.triage.feed import Columns, Fed, Growing, feed, incoming_from, whole
from shouwang.triage.intake import Incoming
from shouwang.triage.tables import posts
from tests.triage.invented import PSEUDONYMS


def texts(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(posts.c.text).order_by(posts.c.id)).scalars())


def read(*rows: dict[str, object], fed: Fed | None = None) -> list[Incoming | Skipped]:
    numbered = [Row(f"a.csv:{n}", values) for n, values in enumerate(rows, 1)]
    return list(incoming_from(numbered, "weibo", Columns(), fed or Fed()))


def test_author_and_time_come_with_a_post() -> None:
    row = {"id": "1", "text": "雨", "user_id": 7, "created_at": "2026-03-01T08:00:00+08:00"}
    assert read(row) == [Incoming("weibo", "1", "雨", "7", 1772323200.0)]


@pytest.mark.parametrize(
    "told",
    [
        "1772323200",
        "1772323200000",
        "1772323200000000",
        "2026-03-01 00:00:00Z",
        "Sun Mar 01 08:00:00 +0800 2026",
        "Sun Mar 1 00:00:00 +0000 2026",
    ],
)
def test_a_time_may_be_a_number_in_one_of_three_units_or_iso_or_weibos_own(told: str) -> None:
    (found,) = read({"id": "1", "text": "雨", "time": told})
    assert isinstance(found, Incoming) and found.posted_at == 1772323200.0


def test_a_date_in_digits_is_no_number_of_seconds() -> None:
    (found,) = read({"id": "1", "text": "雨", "time": "20260301"})
    assert isinstance(found, Incoming) and found.posted_at is not None
    assert datetime.fromtimestamp(found.posted_at).isoformat() == "2026-03-01T00:00:00"


@pytest.mark.parametrize("told", ["昨天", "20260301083000", "inf", "1e400", "0001-01-01"])
def test_a_time_that_cannot_be_read_is_counted_and_the_post_is_kept(told: str) -> None:
    fed = Fed()
    (found,) = read({"id": "1", "text": "雨", "time": told}, fed=fed)
    assert isinstance(found, Incoming) and found.posted_at is None and fed.unreadable_times == 1


def test_rows_without_ids_of_two_files_of_one_name_do_not_collide() -> None:
    (first,), (second,), (again,) = read({"text": "雨"}), read({"text": "雪"}), read({"text": "雨"})
    assert isinstance(first, Incoming) and isinstance(second, Incoming)
    assert first.id != second.id and first == again
    (hers,), (his,) = read({"text": "雨", "author": "小明"}), read({"text": "雨", "author": "小红\ud83d"})
    assert isinstance(hers, Incoming) and isinstance(his, Incoming) and hers.id != his.id


def test_what_cannot_be_used_is_skipped_and_the_rest_is_delivered(engine: Engine) -> None:
    fed = Fed()
    rows: list[Row | Skipped] = [
        Row("a:1", {"id": "1", "text": "雨"}),
        Skipped("a:2", "broken"),
        Row("a:3", {"id": "3", "text": "长" * 50_001}),
    ]
    feed(engine, incoming_from(rows, "weibo", Columns(), fed), PSEUDONYMS, "cli", fed)
    assert (texts(engine), [skip.where for skip in fed.skips]) == (["雨"], ["a:2", "a:3"])


def test_while_the_database_does_not_answer_what_was_read_waits(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "RETRY", 0.01)
    with database.writing(engine) as connection:
        connection.execute(text("ALTER TABLE receipts RENAME TO gone"))
    waited: list[int] = []

    def waiting() -> None:
        waited.append(1)
        if len(waited) == 2:
            with database.writing(engine) as connection:
                connection.execute(text("ALTER TABLE gone RENAME TO receipts"))

    if engine.dialect.name == "postgresql":
        pytest.skip("PostgreSQL calls a missing table another kind of error; see the crash tests")
    feed(engine, [Incoming("weibo", "1", "雨")], PSEUDONYMS, "cli", Fed(), waiting=waiting)
    assert (len(waited), texts(engine)) == (2, ["雨"])


def test_a_file_is_followed_as_it_grows_is_cut_and_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "LOOK", 0.01)
    path, stop = tmp_path / "posts.jsonl", threading.Event()
    path.write_text('{"id": 1, "text": "一"}\n{"id": 2, "te', encoding="utf-8")
    lines = _texts(files.read_rows(path, raw=Growing(path, stop)))
    assert next(lines) == "一"
    with path.open("a", encoding="utf-8") as growing:
        growing.write('xt": "二"}\n')
    assert next(lines) == "二"
    path.write_text('{"id": 3, "text": "三"}\n', encoding="utf-8")
    assert next(lines) == "三"
    (tmp_path / "new").write_text('{"id": 4, "text": "四"}\n{"id": 5, "text": "五"}\n', encoding="utf-8")
    (tmp_path / "new").rename(path)
    assert [next(lines), next(lines)] == ["四", "五"]
    stop.set()
    assert list(lines) == []


def test_what_is_written_just_before_a_file_is_replaced_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "LOOK", 0.01)
    path, new, look = tmp_path / "posts.jsonl", tmp_path / "new", Path.stat
    path.write_text('{"id": 1, "text": "一"}\n', encoding="utf-8")
    new.write_text('{"id": 3, "text": "三"}\n', encoding="utf-8")

    def while_somebody_looks(self: Path, **options: bool) -> os.stat_result:
        if self == path and new in tmp_path.iterdir():
            with path.open("a", encoding="utf-8") as growing:
                growing.write('{"id": 2, "text": "二"}\n')
            new.rename(path)
        return look(self, **options)

    stop = threading.Event()
    monkeypatch.setattr(Path, "stat", while_somebody_looks)
    lines = _texts(files.read_rows(path, raw=Growing(path, stop)))
    assert [next(lines), next(lines), next(lines)] == ["一", "二", "三"]
    stop.set()


def test_the_column_names_of_a_replaced_file_are_no_post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "LOOK", 0.01)
    path, new, stop = tmp_path / "posts.csv", tmp_path / "new", threading.Event()
    path.write_text("\ufeffid,text\n1,一\n2,二", encoding="utf-8")
    lines = _texts(files.read_rows(path, raw=Growing(path, stop)))
    assert next(lines) == "一"
    new.write_text("\ufefftext,id\n三,3\n", encoding="utf-8")
    new.rename(path)
    assert [next(lines), next(lines)] == ["二", "三"]
    path.write_text("id,text\n4,四\n", encoding="utf-8")
    assert next(lines) == "四"
    stop.set()
    assert list(lines) == []


def test_a_followed_file_in_utf_16_may_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "LOOK", 0.01)
    path, stop = tmp_path / "posts.csv", threading.Event()
    path.write_text("id,text\n1,一\n2,二\n", encoding="utf-16")
    lines = _texts(files.read_rows(path, raw=Growing(path, stop)))
    assert [next(lines), next(lines)] == ["一", "二"]
    path.write_text("id,text\n3,三\n", encoding="utf-16")
    assert next(lines) == "三"
    stop.set()


@pytest.mark.parametrize(
    ("name", "begun"),
    [
        ("posts.txt", "今天又下"),
        ("posts.csv", "3,今天又下"),
        ("posts.csv", '3,"今天\n4,又下'),
        ("posts.jsonl", '{"id": 3, "te'),
    ],
)
def test_half_a_post_is_not_delivered_when_it_is_told_to_stop(tmp_path: Path, name: str, begun: str) -> None:
    path, stop = tmp_path / name, threading.Event()
    ended = {"posts.txt": "雨\n", "posts.csv": "id,text\n1,雨\n", "posts.jsonl": '{"id": 1, "text": "雨"}\n'}
    path.write_text(ended[name] + begun, encoding="utf-8")
    growing = Growing(path, stop)
    rows = whole(files.read_rows(path, raw=growing), growing)
    assert isinstance(next(rows), Row)
    stop.set()
    cut = list(rows)
    assert cut and all(isinstance(row, Skipped) for row in cut)


def _texts(rows: Iterator[Row | Skipped]) -> Iterator[str]:
    for row in rows:
        assert isinstance(row, Row)
        yield str(row.values["text"])


def test_a_post_does_not_wait_for_a_full_portion(engine: Engine) -> None:
    seen: list[float] = []
    begun = time.monotonic()

    def slowly() -> Iterator[Incoming | Skipped]:
        yield Incoming("weibo", "1", "雨")
        time.sleep(4 * feeding.WAIT)
        yield Incoming("weibo", "2", "雪")

    feed(engine, slowly(), PSEUDONYMS, "cli", Fed(), delivered=lambda receipt: seen.append(time.monotonic() - begun))
    assert len(seen) == 2 and seen[0] < 3.5 * feeding.WAIT


def test_a_record_that_is_skipped_is_said_while_others_are_still_to_come(engine: Engine) -> None:
    stop, said = threading.Event(), threading.Event()

    def endless() -> Iterator[Incoming | Skipped]:
        yield Skipped("a:1", "no text")
        if said.wait(60):
            stop.set()

    feed(engine, endless(), PSEUDONYMS, "cli", Fed(), stop=stop, skipped=lambda skip: said.set())
    assert stop.is_set()


def test_what_was_read_is_delivered_when_it_is_told_to_stop(engine: Engine) -> None:
    stop, never = threading.Event(), threading.Event()

    def endless() -> Iterator[Incoming | Skipped]:
        yield Incoming("weibo", "1", "雨")
        stop.set()
        never.wait(60)

    feed(engine, endless(), PSEUDONYMS, "cli", Fed(), stop=stop)
    never.set()
    assert texts(engine) == ["雨"]
