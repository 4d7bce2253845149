from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shouwang.language import use_language
from tests.databases import Server, running

BESIDE = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with local copies of the public data sets."""
    folder = Path(os.environ.get("SHOUWANG_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip("no local copy of the public data sets: set SHOUWANG_DATA to its folder")
    return folder


@pytest.fixture(autouse=True)
def _no_language_chosen() -> Iterator[None]:
    """A language that one test chose is not the next one's: which tests share a process is chance."""
    yield
    use_language(None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this process's own; skips where there is none."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
    else:
        server: Server = request.getfixturevalue("postgresql")
        with server.lent() as url:
            yield url
