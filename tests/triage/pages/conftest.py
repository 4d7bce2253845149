from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.triage.pages.shift import Shift


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with ten invented posts, six of them cases."""
    path = tmp_path_factory.mktemp("shift") / "watch.sqlite"
    made = Shift(path)
    made.deliver()
    made.engine.dispose()
    return path


@pytest.fixture
def shift(filled: Path, tmp_path: Path) -> Iterator[Shift]:
    """A watch of its own with those posts, and nobody at work yet."""
    shutil.copy(filled, tmp_path / "watch.sqlite")
    made = Shift(tmp_path / "watch.sqlite")
    yield made
    made.engine.dispose()
