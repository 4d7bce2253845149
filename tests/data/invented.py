"""Invented posts and data sets, small enough to count by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shouwang.data.sources import DataFile, Source
from shouwang.language import Words

TEXT = "今天加班到很晚才回家，路上下起了大雨，没有带伞，淋湿了一身"
NEAR = TEXT.replace("大雨", "小雨")
FAR = "周末和朋友一起去爬山，山顶的风很舒服，拍了好多照片"

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


def write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
