from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shouwang.data.sources import SOURCES, DataFile, Source
from shouwang.language import Words

FINE = "comment\tmyLabel\n今天下雨了，不想出门\t0\n活着没有意思，真的很累\t3\n"
BINARY = "comment\ttwoClass\n今天下雨了，不想出门\t0\n活着没有意思，真的很累\t1\n"
TEST = "comment\tmyLabel\tmood\n晚饭吃什么好呢\t0\tcalm\n"


def a_file(path: str, split: str, text: str, label: str, **more: object) -> DataFile:
    rows = text.count("\n") - 1
    columns = {"text": "comment", label: "myLabel" if label == "level" else "twoClass"}
    return DataFile(path, f"up stream/{path}", split, rows, hashlib.sha256(text.encode()).hexdigest(), columns, **more)  # type: ignore[arg-type]


def a_source(*files: DataFile) -> Source:
    words = Words("invented", "虚构")
    return Source("tiny", words, "someone/tiny", "abc1234", "MIT", words, "Nobody, 2026", files, words)


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


def write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
