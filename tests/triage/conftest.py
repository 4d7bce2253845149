from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shouwang import database
from shouwang.triage import schema
from tests.databases import Server


def _migrated(where: str | Path) -> None:
    opened = database.engine(where)
    schema.upgrade(opened)
    opened.dispose()


@pytest.fixture(scope="session")
def tables_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of a watch, to copy."""
    path = tmp_path_factory.mktemp("tables") / "watch.sqlite"
    _migrated(path)
    return path


@pytest.fixture(scope="session")
def tables_on_postgresql(postgresql: Server) -> str:
    """The name of a database with the tables of a watch, to copy."""
    _migrated(postgresql.new("tables"))
    return "tables"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with the tables of a watch, of each kind."""
    if request.param == "sqlite":
        opened = database.engine(Path(shutil.copy(request.getfixturevalue("tables_on_sqlite"), tmp_path)))
        yield opened
        opened.dispose()
    else:
        template = request.getfixturevalue("tables_on_postgresql")
        server: Server = request.getfixturevalue("postgresql")
        with server.lent(template) as url:
            opened = database.engine(url)
            yield opened
            opened.dispose()
