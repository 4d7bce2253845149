"""The invented posts that come with the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shouwang.posts import LabelledPost, Post

FOLDER = Path(__file__).parents[1] / "examples"


def posts() -> list[Post]:
    return [Post(row["id"], row["text"]) for row in _rows("posts.jsonl")]


def labelled() -> list[LabelledPost]:
    return [LabelledPost(**row) for row in _rows("labelled.jsonl")]


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]
