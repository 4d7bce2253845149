from __future__ import annotations

from pathlib import Path

import pytest

from shouwang.data.sources import SOURCES, Source
from tests.data.invented import BINARY, FINE, TEST, a_file, a_source, write


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Source:
    """A data set with two posts for training, labelled by two files, and one for testing."""
    source = a_source(
        a_file("tiny/fine.tsv", "train", FINE, "level"),
        a_file("tiny/binary.tsv", "train", BINARY, "high"),
        a_file("tiny/test.tsv", "test", TEST, "level", extra=("mood",)),
    )
    monkeypatch.setitem(SOURCES, "tiny", source)
    return source


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A local copy of `tiny`."""
    folder = tmp_path / "copy"
    write(folder, {"tiny/fine.tsv": FINE, "tiny/binary.tsv": BINARY, "tiny/test.tsv": TEST})
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's cache and local copy stay out of these tests."""
    monkeypatch.delenv("SHOUWANG_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
