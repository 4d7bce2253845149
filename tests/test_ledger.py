from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from shouwang import database, ledger
from shouwang.errors import InputError


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = database.engine(database_url)
    with database.writing(opened) as connection:
        ledger.create(connection)
    yield opened
    opened.dispose()


def test_events_are_numbered_from_one_and_chained(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert ledger.append(connection, "user:1", "claimed", "case:7", minutes=15) == 1
        assert ledger.append(connection, "user:1", "rated", "case:7", level=6) == 2
    with engine.connect() as connection:
        newest, oldest = ledger.recorded(connection, subject="case:7")
        assert (newest.what, oldest.what, oldest.data) == ("rated", "claimed", {"minutes": 15})
        assert ledger.verify(connection) == ledger.Verified(2, newest.hash)


def test_an_event_goes_with_the_change_that_was_undone(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), database.writing(engine) as connection:
        ledger.append(connection, "user:1", "claimed", "case:7")
        raise ZeroDivisionError
    with engine.connect() as connection:
        assert ledger.verify(connection) == ledger.Verified(0, ledger.BEGINNING)


@pytest.mark.parametrize("change", ["UPDATE events SET who = 'user:2'", "DELETE FROM events"])
def test_the_database_refuses_to_change_events(engine: Engine, change: str) -> None:
    with database.writing(engine) as connection:
        ledger.append(connection, "user:1", "claimed", "case:7")
    with pytest.raises(DBAPIError, match="append-only"), database.writing(engine) as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE events SET who = 'user:2' WHERE number = 2", "event 2 is not what was recorded"),
        ("DELETE FROM events WHERE number = 2", "event 2 is missing"),
        ("DELETE FROM events WHERE number = 1", "event 1 is missing"),
        ("DELETE FROM events WHERE number = 3", "was cut off"),
    ],
)
def test_verifying_names_the_first_event_that_was_tampered_with(engine: Engine, change: str, broken: str) -> None:
    with database.writing(engine) as connection:
        ledger.append_all(connection, [ledger.Event("user:1", "saw", f"case:{n}", {}) for n in (1, 2, 3)])
        head = ledger.verify(connection).head
    with database.writing(engine) as connection:
        _without_guards(connection)
        connection.execute(text(change))
    with engine.connect() as connection:
        assert broken in (ledger.verify(connection, head).broken or "")


def _without_guards(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TRIGGER events_no_update"))
        connection.execute(text("DROP TRIGGER events_no_delete"))
    else:
        connection.execute(text("DROP TRIGGER events_no_change ON events"))


def test_many_writers_make_one_chain(engine: Engine) -> None:
    def write(who: int) -> None:
        for n in range(10):
            with database.writing(engine) as connection:
                ledger.append(connection, f"user:{who}", "saw", f"case:{n}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with engine.connect() as connection:
        verified = ledger.verify(connection)
    assert (verified.events, verified.broken) == (80, None)


def test_creating_twice_changes_nothing(engine: Engine) -> None:
    with database.writing(engine) as connection:
        ledger.append(connection, "user:1", "saw", "case:1")
        ledger.create(connection)
        assert ledger.verify(connection).events == 1


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "watch.sqlite"
    database.engine(path).dispose()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["mysql://root@host/x", "watch", "postgresql://host/x"])
def test_another_kind_of_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InputError, match=r"postgresql\+psycopg"):
        database.engine(url)
