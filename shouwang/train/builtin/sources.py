"""The data sets that the built-in model learns from and is measured on, as `Row`s of canonical text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from shouwang.data.duplicates import canonical as comparable
from shouwang.data.leaks import leaks
from shouwang.data.load import Record, records
from shouwang.evaluate import contrast
from shouwang.posts import LabelledPost
from shouwang.scale import HIGH_FROM
from shouwang.text import canonical

UNRELATED = "与自杀/自伤/攻击行为无关"


@dataclass(frozen=True, slots=True)
class Rating:
    """What a reader took for the annotators' answer: the likeliest level, the next, and the chance of high (0–1)."""

    level: int
    second: int
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One post. `level` 0–10 or -1, `high` 0/1 or -1 when the source does not say; `fold` 1–5, 0 elsewhere."""

    id: str
    text: str
    level: int = -1
    high: int = -1
    fold: int = 0
    note: str = ""
    rating: Rating | None = None


def _row(record: Record, fold: int = 0, note: str = "") -> Row:
    post = record.post
    level = -1 if post.level is None else post.level
    high = -1 if post.high is None else int(post.high)
    return Row(post.id, canonical(post.text).text, level, high, fold, note)


def sos1k() -> tuple[list[Row], list[Row]]:
    """The 999 posts of the five folds and the 250 test posts."""
    folds = [_row(r, k) for k in range(1, 6) for r in records("sos-1k", f"fold{k}")]
    return folds, [_row(r) for r in records("sos-1k", "test")]


def sos4k() -> list[Row]:
    """SOS-4K's train and validation posts."""
    return [_row(r) for split in ("train", "val") for r in records("sos-4k", split)]


def everyday(split: str) -> list[Row]:
    """Ordinary Weibo posts, `split` "virus-train" or "usual-eval"; `note` is the emotion."""
    return [_row(r, note=str(r.extra["emotion"])) for r in records("everyday", split)]


def psyguard() -> list[Row]:
    """PsyGUARD's validation posts; `note` is the labels joined with "|"."""
    return [_row(r, note="|".join(_labels(r))) for r in records("psyguard")]


def _labels(record: Record) -> list[str]:
    labels = record.extra["labels"]
    if not isinstance(labels, list):
        raise TypeError(f"post {record.post.id}: labels should be a list, not {type(labels).__name__}")
    return [str(label) for label in labels]


def smilechat() -> list[Row]:
    """Client turns of SmileChat, unlabelled, in file order."""
    return [_row(record) for record in records("smilechat")]


def invented() -> list[Row]:
    """Posts that a language model wrote for this project: ordinary life (level -1), and first-person ones with a level.

    `note` is the kind of an ordinary post. None is taken from anybody, none was written in sight of an evaluation set.
    """
    posts = _written("invented.jsonl")
    return [
        Row(
            post["id"],
            canonical(post["text"]).text,
            post.get("level", -1),
            int(post.get("level", -1) >= HIGH_FROM),
            note=post.get("kind", ""),
        )
        for post in posts
    ]


def ordinary() -> list[Row]:
    """Posts of ordinary life that four sessions of a language model wrote for this project, later, with the words of risk
    in harmless senses; `note` is the kind. Of them as of `invented`: none is taken from anybody."""
    return [Row(post["id"], canonical(post["text"]).text, note=post["kind"]) for post in _written("ordinary.jsonl")]


def rated(*, held: bool = False) -> list[Row]:
    """Posts like SOS-4K's that eight sessions of a language model wrote for this project, and eight others rated, who saw
    neither who had written a post nor what was meant. None holds seven characters in a row of the post it was inspired by.

    `held`: those of one of the eight, which only measure."""
    return [
        Row(
            post["id"],
            canonical(post["text"]).text,
            rating=Rating(post["level"], post["second"], post["high"] / 100),
        )
        for post in _written("rated-held.jsonl" if held else "rated.jsonl")
    ]


def _written(name: str) -> list[dict[str, Any]]:
    lines = resources.files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def contrast_set() -> list[Row]:
    """The invented posts that only measure."""
    return [Row(post.id, canonical(post.text).text, high=int(post.high)) for post in contrast.load()]


@dataclass(frozen=True, slots=True)
class Audit:
    kept: list[Row]
    dropped: list[Row]


def without_copies(rows: Sequence[Row], protected: Iterable[Row]) -> Audit:
    """Split `rows` by whether the data room's audit finds them again among the protected posts."""
    found = {leak.train_id for leak in leaks(_posts(rows), _posts(protected))}
    return _split(rows, found)


def distinct(rows: Sequence[Row]) -> Audit:
    """Keep the first of rows that differ at most in blanks, width and case."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(comparable(row.text) or row.text, row.id)
    return _split(rows, {row.id for row in rows} - set(first.values()))


def _posts(rows: Iterable[Row]) -> list[LabelledPost]:
    return [LabelledPost(row.id, row.text) for row in rows]


def _split(rows: Sequence[Row], out: set[str]) -> Audit:
    return Audit([r for r in rows if r.id not in out], [r for r in rows if r.id in out])
