"""A teacher for posts without labels: it learns from the training posts of one round and from nothing else.

A logistic regression on hashed character n-grams and cues, and on the vectors of sentence encoders that stay as they
are, as in the linear member of the built-in model. The built-in model itself may not teach: it has seen every fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.models.features import HashedFeatures
from shouwang.models.frozen import Embed
from shouwang.models.linear import Entries, counts
from shouwang.models.mixture import sigmoid, softmax
from shouwang.posts import LabelledPost
from shouwang.scale import LEVELS
from shouwang.train.builtin.members import solve, weighted_rows

C = 8.0
"""Inverse penalty, that of the built-in model's linear member."""
SHARE = 0.8
"""Length of an encoder's vector beside a text's n-grams, which have length 1."""

Floats = NDArray[np.float32]


@dataclass(slots=True)
class Teacher:
    """Call it with texts: probabilities (n, 11) of each level and (n,) of high, None where training knows no high/low."""

    encoders: Sequence[Embed]
    _features: HashedFeatures = field(default_factory=HashedFeatures)
    _idf: Floats = field(init=False)
    _scales: list[tuple[Floats, Floats]] = field(init=False)
    _heads: list[tuple[Any, Floats]] = field(init=False)

    def learn(self, train: Sequence[LabelledPost]) -> Teacher:
        """From the posts that have a level, and for high/low from those that have it. Raises InputError without levels."""
        graded = [post for post in train if post.level is not None]
        if len({post.level for post in graded}) < 2:
            raise InputError(
                say("a teacher needs training posts of two levels or more", "教师模型需要至少两个等级的训练帖")
            )
        texts = [post.text for post in train]
        entries = self._entries(texts)
        seen = np.bincount(entries.column, minlength=self._features.columns)
        self._idf = np.where(seen > 0, np.log((1 + len(texts)) / (1 + seen)) + 1, 0).astype(np.float32)
        vectors = [embed(texts) for embed in self.encoders]
        self._scales = [(v.mean(0), v.std(0) * np.sqrt(v.shape[1]) / SHARE + 1e-9) for v in vectors]
        found = weighted_rows(entries, self._idf, len(texts), self._features)
        dense = self._scaled(vectors, len(texts))
        rows = [i for i, post in enumerate(train) if post.level is not None]
        levels = np.array([post.level for post in graded])
        share = np.bincount(levels, minlength=len(LEVELS))
        rare = np.sqrt(share[share > 0].mean() / np.maximum(share, 1))[levels]
        self._heads = [_fitted(found[rows], dense[rows], np.eye(len(LEVELS))[levels], rare, softmax)]
        high = [i for i, post in enumerate(train) if post.high is not None]
        if high:
            said = np.array([[float(bool(train[i].high))] for i in high])
            self._heads.append(_fitted(found[high], dense[high], said, np.ones(len(high)), sigmoid))
        return self

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        found = weighted_rows(self._entries(texts), self._idf, len(texts), self._features)
        dense = self._scaled([embed(texts) for embed in self.encoders], len(texts))
        logits = [found @ w[0] + dense @ w[1] + bias for w, bias in self._heads]
        high = np.asarray(sigmoid(logits[1])[:, 0], np.float64) if len(logits) > 1 else None
        return np.asarray(softmax(logits[0]), np.float64), high

    def _entries(self, texts: Sequence[str]) -> Entries:
        return counts(self._features.occurrences(texts), self._features.columns)

    def _scaled(self, vectors: Sequence[Floats], n: int) -> Floats:
        parts = [(v - mean) / spread for v, (mean, spread) in zip(vectors, self._scales, strict=True)]
        return np.hstack(parts).astype(np.float32) if parts else np.zeros((n, 0), np.float32)


def _fitted(x: Any, dense: Floats, targets: Any, weights: Any, link: Any) -> tuple[tuple[Floats, Floats], Floats]:
    """Weights for both kinds of features, and biases; every class counts by `weights`."""
    gram = (x @ x.T).toarray() + dense @ dense.T
    dual, bias = solve(gram.astype(np.float32), targets, weights[:, None], link, C)
    return (np.asarray(x.T @ dual), dense.T @ dual), bias
