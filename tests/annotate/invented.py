"""A small project on invented posts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shouwang.annotate.importing import Imported, import_posts
from shouwang.annotate.labels import Label
from shouwang.annotate.project import Project, create
from shouwang.data.duplicates import canonical, similar_within
from shouwang.posts import Post, Skipped

TEXTS = (
    "今天的茶凉了，加班到现在，好累",
    "活着到底有什么意思，每天都像在水底",
    "不想活了，真的不想活了",
    "想了很久，还是决定下个月离开这个世界",
    "周末带孩子去公园放风筝，风很大",
    "又失眠了一整夜，觉得自己是多余的",
)


def posts() -> list[Post]:
    return [Post(f"p-{number}", text) for number, text in enumerate(TEXTS, 1)]


def add(project: Project, records: Iterable[Post | Skipped]) -> Imported:
    pairs = lambda texts: ((m.left, m.right, m.similarity) for m in similar_within(texts))  # noqa: E731
    return import_posts(project, records, canonical=canonical, similar=pairs)


def project(folder: Path, *, raters: int = 2, records: Iterable[Post | Skipped] | None = None) -> Project:
    made = create(folder / "study.shouwang", raters=raters)
    add(made, posts() if records is None else records)
    return made


def label(level: int, **more: Any) -> Label:
    return Label(level, **{"high": level >= 6, **more})
