"""Parts of data: the published folds, one's own folds, and what was left out of them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shouwang.data import load
from shouwang.data.duplicates import THRESHOLD, canonical, similar_within
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import LabelledPost

WITHOUT_LEVEL = {None: -1, False: -2, True: -3}
"""What folds are balanced by in the place of a level."""


@dataclass(frozen=True, slots=True)
class SplitResult:
    """Posts that stay and posts that were taken out; together they are all that came in."""

    kept: tuple[LabelledPost, ...]
    dropped: tuple[LabelledPost, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """One round of cross-validation."""

    name: str
    train: tuple[LabelledPost, ...]
    validation: tuple[LabelledPost, ...]


def drop(posts: Sequence[LabelledPost], ids: Collection[str]) -> SplitResult:
    """Take the posts with those ids out."""
    gone = frozenset(ids)
    return SplitResult(tuple(p for p in posts if p.id not in gone), tuple(p for p in posts if p.id in gone))


def rotate(parts: Mapping[str, Sequence[LabelledPost]]) -> list[Fold]:
    """One fold per part: validate on it, train on the others, in their order."""
    return [
        Fold(name, tuple(p for other, posts in parts.items() if other != name for p in posts), tuple(validation))
        for name, validation in parts.items()
    ]


def published_folds(*, folder: Path | None = None) -> list[Fold]:
    """SOS-1K's five folds as published; the test set is `load("sos-1k/test")`. Errors as in `load`."""
    return rotate(load.parts("sos-1k/folds", folder=folder))


def grouped_folds(
    posts: Sequence[LabelledPost], n: int = 5, *, seed: int = 0, threshold: float = THRESHOLD
) -> list[Fold]:
    """`n` folds of one's own posts, balanced by level (by high/low where there is none), in which equal and near-equal posts stay together.

    A level with fewer than `n` posts is missing from some folds; where every level is so rare, folds are balanced by size
    alone. Raises InputError when there are fewer than `n` groups of different posts.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    groups = _groups(posts, threshold)
    if len(set(groups)) < n:
        different = len(set(groups))
        raise InputError(
            say(
                f"{different} different posts cannot make {n} folds; ask for fewer",
                f"{different} 条不同的帖子分不成 {n} 折；请减少折数",
            )
        )
    levels = [WITHOUT_LEVEL[post.high] if post.level is None else post.level for post in posts]
    kind = StratifiedGroupKFold if max(Counter(levels).values()) >= n else GroupKFold
    splitter = kind(n, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # rare levels, as the docstring says
        split = list(splitter.split(np.zeros(len(posts)), levels, groups))
    return [
        Fold(f"fold{number}", tuple(posts[i] for i in train), tuple(posts[i] for i in validation))
        for number, (train, validation) in enumerate(split, 1)
    ]


def _groups(posts: Sequence[LabelledPost], threshold: float) -> list[int]:
    """A number per post, the same for posts that are linked by equality or a chain of near-equality."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    numbers: dict[str, int] = {}
    texts = [numbers.setdefault(canonical(post.text), len(numbers)) for post in posts]
    matches = similar_within(list(numbers), threshold)
    links = ([m.left for m in matches], [m.right for m in matches])
    graph = csr_array((np.ones(len(matches)), links), shape=(len(numbers), len(numbers)))
    _, components = connected_components(graph, directed=False)
    return [int(components[text]) for text in texts]
