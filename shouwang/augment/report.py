"""What an augmentation gave: per level and method, what was refused and why, how far from the originals, how varied."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from shouwang.augment.distance import distinct, edit_share, self_bleu
from shouwang.augment.plan import Result
from shouwang.augment.records import Augmented, Split

Embed = Callable[[Sequence[str]], NDArray[np.float64]]
"""Vectors of length 1 for texts."""


def report(result: Result, split: Split, embed: Embed | None = None) -> dict[str, object]:
    """As JSON types; a number that cannot be had is None.

    `edit` is the mean share of characters changed, `embedding` the mean cosine distance to the origin (posts that have
    one origin); `distinct` and `self_bleu` are over the characters of each method's posts.
    """
    methods: dict[str, list[Augmented]] = defaultdict(list)
    for post in result.kept:
        methods[post.method].append(post)
    texts = {post.id: post.text for post in split.train}
    return {
        "split": split.name,
        "kept": len(result.kept),
        "levels": [_level(level, result) for level in result.before],
        "held_back": list(result.held_back),
        "methods": {name: _method(posts, texts, embed) for name, posts in methods.items()},
        "filtered": _counts(result.filtered),
        "not_made": _counts(result.not_made),
    }


def _level(level: int, result: Result) -> dict[str, object]:
    by_method = Counter(post.method for post in result.kept if post.level == level)
    return {
        "level": level,
        "before": result.before[level],
        "goal": result.goal[level],
        "new": dict(by_method),
        "short": result.short.get(level, 0),
    }


def _method(posts: Sequence[Augmented], texts: dict[str, str], embed: Embed | None) -> dict[str, object]:
    new = [post.text for post in posts]
    pairs = [(texts[p.origins[0]], p.text) for p in posts if len(p.origins) == 1 and p.origins[0] in texts]
    apart = None
    if embed and pairs:
        apart = float(
            np.mean(1 - np.sum(embed([old for old, _ in pairs]) * embed([text for _, text in pairs]), axis=1))
        )
    return {
        "posts": len(posts),
        "edit": _number(float(np.mean([edit_share(*pair) for pair in pairs])) if pairs else math.nan),
        "embedding": None if apart is None else _number(apart),
        "distinct": {str(n): _number(distinct(new, n)) for n in (1, 2, 3)},
        "self_bleu": _number(self_bleu(new)),
    }


def _counts(counter: Counter[tuple[str, int, str]]) -> list[dict[str, object]]:
    return [
        {"method": method, "level": level, "reason": reason, "posts": n}
        for (method, level, reason), n in sorted(counter.items())
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
