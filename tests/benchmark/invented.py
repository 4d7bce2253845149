"""Sixty short posts of three levels that a model can tell apart, in three folds and a test set."""

from __future__ import annotations

from shouwang.benchmark.study import Study, study
from shouwang.posts import LabelledPost

WORDS = {0: "下雨", 4: "晴天", 7: "刮风"}
PARTS = ("fold1", "fold2", "fold3", "test")


def posts(part: str, each: int = 5) -> list[LabelledPost]:
    return [
        LabelledPost(f"{part}-{level}-{n}", f"{word}{part[-1]}第{n}", level, level > 5)
        for level, word in WORDS.items()
        for n in range(each)
    ]


def small_study() -> Study:
    folds = [posts(part) for part in PARTS[:3]]
    sides = {
        name: ([post for j, fold in enumerate(folds) if j != i for post in fold], folds[i])
        for i, name in enumerate(PARTS[:3])
    }
    return study("invented", sides, posts("test"))
