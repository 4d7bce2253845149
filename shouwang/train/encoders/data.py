"""From labelled posts to batches: tokenised once, padded by `shouwang.models.batches`, in an order drawn per epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shouwang.models.batches import token_ids
from shouwang.models.heads import Task
from shouwang.posts import LabelledPost
from shouwang.train.encoders.splits import label

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ints = NDArray[np.int64]
UNLABELLED = -1
WINDOW = 16
"""Batches whose posts are sorted by length together: 256 posts at a batch of 16."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of n posts, unpadded, and per task their class (n,), -1 where nobody labelled it."""

    ids: Sequence[Ints]
    gold: dict[Task, Ints]

    def __len__(self) -> int:
        return len(self.ids)


def encoded(tokenizer: Tokenizer, posts: Sequence[LabelledPost], tasks: Sequence[Task], longest: int) -> Encoded:
    """The posts as a model reads them, cut off beyond `longest` tokens."""
    found = {task: [label(post, task) for post in posts] for task in tasks}
    gold = {
        task: np.array([UNLABELLED if each is None else each for each in classes], np.int64)
        for task, classes in found.items()
    }
    return Encoded(token_ids(tokenizer, [post.text for post in posts], longest) if posts else [], gold)


def order(posts: Encoded, batch: int, rng: np.random.Generator, *, buckets: bool) -> list[Ints]:
    """One epoch: every row once, in shuffled batches; with `buckets` each of similar length.

    Windows of 16 shuffled batches are sorted by length and cut, then the batches are shuffled.
    """
    rows = rng.permutation(len(posts))
    if not buckets:
        return _cut(rows, batch)
    lengths = np.array([len(ids) for ids in posts.ids])
    windows = [rows[start : start + batch * WINDOW] for start in range(0, len(rows), batch * WINDOW)]
    batches = [each for w in windows for each in _cut(w[np.argsort(lengths[w], kind="stable")], batch)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut(rows: Ints, size: int) -> list[Ints]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
