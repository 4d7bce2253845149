from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from shouwang import database
from shouwang.triage import schema


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the tables of a watch, of each kind."""
    opened = database.engine(database_url)
    schema.upgrade(opened)
    yield opened
    opened.dispose()
