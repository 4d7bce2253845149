from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from shouwang import database, ledger
from shouwang.errors import InputError
from shouwang.triage import schema, tables
from shouwang.web import accounts

OURS = {**tables.metadata.tables, **accounts.metadata.tables}


def test_the_migrations_make_the_tables_that_the_code_uses(database_url: str) -> None:
    engine = database.engine(database_url)
    schema.upgrade(engine)
    assert schema.is_current(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _is_ours})
        both: Any = [tables.metadata, accounts.metadata]  # alembic takes several, its types do not say so
        assert compare_metadata(context, both) == []
        assert ledger.verify(connection).events == 0
    engine.dispose()


def _is_ours(found: object, name: str | None, kind: str, reflected: bool, beside: object) -> bool:
    return kind != "table" or name in OURS


def test_no_number_is_given_twice_on_sqlite_either(tmp_path: Path) -> None:
    engine = database.engine(tmp_path / "watch.sqlite")
    schema.upgrade(engine)
    with engine.connect() as connection:
        made = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
        wanted = {name for name, table in OURS.items() if table.dialect_options["sqlite"]["autoincrement"]}
        assert set(made) == wanted and "cases" in wanted
    engine.dispose()


def test_several_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    engine = database.engine(database_url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: schema.upgrade(engine), range(4)))
    assert schema.is_current(engine)
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    engine = database.engine(database_url)
    assert not schema.is_current(engine)
    schema.upgrade(engine)
    with database.writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="another version of shouwang"):
        schema.upgrade(engine)
    engine.dispose()
