from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from shouwang import database, ledger
from shouwang.errors import InputError
from shouwang.triage import acts, authors, backup, queue, schema
from shouwang.triage.intake import Pseudonyms
from shouwang.triage.tables import metadata, posts
from tests.triage.invented import PSEUDONYMS, deliver, incoming, watch


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    """A database without tables, of each kind."""
    opened = database.engine(database_url)
    yield opened
    opened.dispose()


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        tables = {
            table: connection.execute(select(table).order_by(*table.primary_key)) for table in metadata.tables.values()
        }
        return {table.name: [tuple(row) for row in rows] for table, rows in tables.items()}


def filled(engine: Engine) -> None:
    """Cases with a note and a rating; the author of the newest post is erased again."""
    watch(engine, "9 夜", "3 雨", "6 😀", author="小明")
    watch(engine, "2 风", author="小红", first=10)
    with database.writing(engine) as connection:
        case = queue.case_list(connection)[0].id
        acts.note(connection, case, "user:1", 1001.0, "备注")
        acts.rate(connection, case, "user:1", 1001.0, 6, True)
        gone = authors.numbered(connection, PSEUDONYMS, "weibo", "小红")
        assert gone is not None and authors.erase(connection, gone, "user:1") == 1


def test_a_backup_of_either_database_is_restored_into_either(engine: Engine, empty: Engine, tmp_path: Path) -> None:
    filled(engine)
    saved = backup.save(engine, tmp_path / "watch.backup", "user:1")
    assert backup.restore(empty, tmp_path / "watch.backup", "user:1") == saved
    assert everything(empty) == everything(engine)
    with empty.connect() as connection:
        assert ledger.verify(connection, saved.head).broken is None
        assert schema.is_current(empty)
    deliver(empty, incoming("6 新", first=20))
    with empty.connect() as connection:  # 4 was erased: its number is not given again
        assert connection.execute(select(posts.c.id).order_by(posts.c.id.desc()).limit(1)).scalar_one() > 4


def test_a_backup_goes_nowhere_but_into_an_empty_database_and_a_new_file(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "watch.backup"
    backup.save(engine, path, "user:1")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="there already"):
        backup.save(engine, path, "user:1")
    with pytest.raises(InputError, match="holds tables already"):
        backup.restore(engine, path, "user:1")


@pytest.mark.parametrize("harm", ["cut", "bytes", "missing row", "changed event", "no backup"])
def test_a_damaged_backup_restores_nothing(tmp_path: Path, harm: str) -> None:
    source, target = database.engine(tmp_path / "a.sqlite"), database.engine(tmp_path / "b.sqlite")
    schema.upgrade(source)
    filled(source)
    path = tmp_path / "watch.backup"
    backup.save(source, path, "user:1")
    raw, lines = path.read_bytes(), gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    changed = {
        "cut": lambda: raw[: len(raw) // 2],
        "bytes": lambda: raw[:200] + bytes(40) + raw[240:],
        "missing row": lambda: gzip.compress("".join(lines[:5] + lines[6:]).encode()),
        "changed event": lambda: gzip.compress("".join(lines).replace('"user:1"', '"user:2"').encode()),
        "no backup": lambda: gzip.compress(b"{}\n"),
    }
    path.write_bytes(changed[harm]())
    with pytest.raises(InputError, match="restored"):
        backup.restore(target, path, "user:1")
    schema.upgrade(target)  # still empty


def test_the_secret_goes_along_only_if_asked_and_replaces_no_other(tmp_path: Path) -> None:
    secret, other = tmp_path / "a.secret", tmp_path / "c.secret"
    Pseudonyms.beside(secret), Pseudonyms.beside(other)
    source = database.engine(tmp_path / "a.sqlite")
    schema.upgrade(source)
    backup.save(source, tmp_path / "without", "user:1")
    backup.save(source, tmp_path / "with", "user:1", secret)
    assert secret.read_text().strip() not in gzip.decompress((tmp_path / "without").read_bytes()).decode()
    backup.restore(database.engine(tmp_path / "b.sqlite"), tmp_path / "with", "user:1", tmp_path / "b.secret")
    assert (tmp_path / "b.secret").read_text() == secret.read_text()
    with pytest.raises(InputError, match="another secret"):
        backup.restore(database.engine(tmp_path / "c.sqlite"), tmp_path / "with", "user:1", other)
