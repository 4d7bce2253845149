"""Opening a database: a SQLite file or PostgreSQL, behind one `engine`. Needs the extra `serve`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, TimeoutError

from shouwang.errors import InputError
from shouwang.language import say

WAIT_FOR_LOCK = 30  # seconds that a writer waits for another one
WAIT_FOR_SERVER = 5  # seconds until a PostgreSQL that does not answer counts as gone
KEPT, AT_MOST = 10, 40  # connections

GONE = (OperationalError, InterfaceError, TimeoutError)
"""What SQLAlchemy raises where the database is away, full or busy."""


def engine(where: str | Path) -> Engine:
    """The database at that URL, or the SQLite file at that path; nothing is connected yet, nothing created but the file.

    A new SQLite file can be read by its owner alone. It is written through a write-ahead log, every commit reaches the
    disk, and what is deleted is overwritten (see `forget_deleted`). Raises InputError for a URL of another kind of database.
    """
    url = make_url(f"sqlite:///{where}") if isinstance(where, Path) else _url(where)
    if url.get_backend_name() == "sqlite":
        _create_private(Path(url.database or ""))
        options: dict[str, Any] = {"connect_args": {"timeout": WAIT_FOR_LOCK, "check_same_thread": False}}
    else:
        options = {"connect_args": {"connect_timeout": WAIT_FOR_SERVER}, "pool_pre_ping": True}
    opened = sqlalchemy.create_engine(
        url, pool_size=KEPT, max_overflow=AT_MOST - KEPT, pool_timeout=WAIT_FOR_LOCK, hide_parameters=True, **options
    )
    if url.get_backend_name() == "sqlite":
        event.listen(opened, "connect", _set_pragmas)
        event.listen(opened, "begin", _begin)
    return opened


@contextmanager
def writing(opened: Engine) -> Iterator[Connection]:
    """A transaction that writes, committed at the end unless an exception leaves it.

    On SQLite it holds the one write lock from its first statement on, so that what it has read stays true; a
    transaction from `engine.begin()` may be refused when it starts to write.
    """
    with opened.execution_options(writing=True).begin() as connection:
        yield connection


def forget_deleted(opened: Engine) -> None:
    """Empty SQLite's write-ahead log, in which what was deleted stands until something else is written over it.

    Where somebody reads an older state meanwhile, as a backup does, it stays as it is: call this again later.
    """
    if opened.dialect.name == "sqlite":
        with closing(sqlite3.connect(opened.url.database or "", timeout=1)) as alone:
            alone.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _url(where: str) -> sqlalchemy.URL:
    try:
        url = make_url(where)
        if url.drivername in ("sqlite", "postgresql+psycopg"):
            return url
    except ArgumentError:
        pass
    raise InputError(
        say(
            f"database '{where.partition(':')[0]}': expected a URL such as sqlite:////home/me/watch.sqlite "
            "or postgresql+psycopg://user@host/name",
            f"数据库“{where.partition(':')[0]}”：应是网址形式，如 sqlite:////home/me/watch.sqlite 或 "
            "postgresql+psycopg://user@host/name",
        )
    )


def _create_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_pragmas(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
