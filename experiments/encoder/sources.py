"""The package's named data sets as `Row`s. No text ever leaves this module in an error or a log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shouwang.data.load import Record, records

UNRELATED = "与自杀/自伤/攻击行为无关"


@dataclass(frozen=True)
class Row:
    """One post. `level` 0–10 or -1, `high` 0/1 or -1 when the source does not say; `fold` 1–5, 0 elsewhere."""

    id: str
    text: str
    level: int = -1
    high: int = -1
    fold: int = 0
    note: str = ""


def _row(record: Record, fold: int = 0, note: str = "") -> Row:
    post = record.post
    level = -1 if post.level is None else post.level
    return Row(post.id, post.text, level, -1 if post.high is None else int(post.high), fold, note)


def sos1k() -> tuple[list[Row], list[Row]]:
    """The 999 posts of the five folds and the 250 test posts."""
    folds = [_row(r, k) for k in range(1, 6) for r in records("sos-1k", f"fold{k}")]
    return folds, [_row(r) for r in records("sos-1k", "test")]


def sos4k() -> list[Row]:
    """SOS-4K's train and validation posts; `note` is the language model's explanation of the level."""
    both = [r for split in ("train", "val") for r in records("sos-4k", split)]
    return [_row(r, note=str(r.extra["explain"])) for r in both]


def everyday(split: str) -> list[Row]:
    """Ordinary Weibo posts, `split` 'virus-train' or 'usual-eval'; `note` is the emotion."""
    return [_row(r, note=str(r.extra["emotion"])) for r in records("everyday", split)]


def psyguard() -> list[Row]:
    """PsyGUARD's validation posts; `note` is the labels joined with '|'."""
    return [_row(r, note="|".join(map(str, _labels(r)))) for r in records("psyguard")]


def _labels(record: Record) -> list[object]:
    labels = record.extra["labels"]
    if not isinstance(labels, list):
        raise TypeError(f"post {record.post.id}: labels should be a list, not {type(labels).__name__}")
    return labels


def smilechat() -> Iterator[Row]:
    """Client turns of SmileChat, unlabelled, in file order."""
    return map(_row, records("smilechat"))
