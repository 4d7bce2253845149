"""The built-in model: hashed n-grams and cues, fitted on named data sets, calibrated on the published folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.data.leaks import refuse_leaks
from shouwang.evaluate import of_levels
from shouwang.evaluate.calibration import fit_temperature
from shouwang.models.features import HashedFeatures
from shouwang.models.linear import Entries, HashedLinear, counts, weighted
from shouwang.models.mixture import HEADS, HIGH_HEAD, sigmoid, softmax
from shouwang.posts import LabelledPost
from shouwang.text import canonical
from shouwang.train.targets import ROLES, Role, Target, all_heads

Say = Callable[[str], None]
Floats = NDArray[np.float64]

INVERSE_PENALTY = 40.0
"""C of the logistic regressions, chosen on the folds among 3, 10, 40 and 100."""

SEEN_AT_LEAST = 2
"""Columns that fewer training posts have are left at 0."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled posts by role; `folds` are SOS-1K's published parts, `dropped` the ids that leaked into the test set."""

    folds: tuple[Sequence[LabelledPost], ...]
    further: Sequence[LabelledPost]
    everyday: Sequence[LabelledPost]
    test: Sequence[LabelledPost]
    dropped: tuple[str, ...] = ()


def audited(corpus: Corpus, *, drop_leaks: bool) -> Corpus:
    """The corpus without training posts that stand in the test set, nor further posts that stand in the folds.

    Raises InputError that names the posts in the test set unless `drop_leaks`.
    """
    kept = [refuse_leaks(fold, corpus.test, drop_leaks=drop_leaks) for fold in corpus.folds]
    core = [post for fold in corpus.folds for post in fold]
    further = refuse_leaks(corpus.further, [*corpus.test, *core], drop_leaks=drop_leaks)
    everyday = refuse_leaks(corpus.everyday, corpus.test, drop_leaks=drop_leaks)
    dropped = tuple(post.id for result in (*kept, further, everyday) for post in result.dropped)
    return replace(
        corpus,
        folds=tuple(result.kept for result in kept),
        further=further.kept,
        everyday=everyday.kept,
        dropped=dropped,
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """The calibrated model of all folds, and the log-odds that models of the other folds gave each post of a fold."""

    heads: HashedLinear
    threshold: float
    posts: tuple[LabelledPost, ...]
    fold: NDArray[np.int64]
    out_of_fold: Floats


def fit(corpus: Corpus, *, features: HashedFeatures | None = None, say: Say = lambda line: None) -> Fitted:
    """Fit one model per fold left out and one on all, and calibrate the last by the first.

    Deterministic on one kind of machine: every sum runs in one thread.
    """
    from threadpoolctl import threadpool_limits

    features = features or HashedFeatures()
    core = [post for fold in corpus.folds for post in fold]
    fold = np.repeat(np.arange(len(corpus.folds)), [len(posts) for posts in corpus.folds])
    posts = [*core, *corpus.further, *corpus.everyday]
    sizes = (len(core), len(corpus.further), len(corpus.everyday))
    roles = [role for role, size in zip(ROLES, sizes, strict=True) for _ in range(size)]
    out_of_fold = np.zeros((len(core), len(HEADS)))
    with threadpool_limits(limits=1):
        entries = counts(features.occurrences([canonical(post.text).text for post in posts]), features.columns)
        every = np.arange(len(posts))
        for number in range(len(corpus.folds)):
            say(f"fold {number + 1} of {len(corpus.folds)}")
            left_out = np.flatnonzero(fold == number)
            _, logits = _fit_heads(features, entries, posts, roles, np.setdiff1d(every, left_out))
            out_of_fold[left_out] = logits[left_out]
        say("all folds")
        heads, _ = _fit_heads(features, entries, posts, roles, every)
        heads, out_of_fold = _calibrated(heads, out_of_fold, core)
    gold = np.array([bool(post.high) for post in core])
    return Fitted(heads, _best_threshold(out_of_fold[:, HIGH_HEAD], gold), tuple(core), fold, out_of_fold)


def _fit_heads(
    features: HashedFeatures,
    entries: Entries,
    posts: Sequence[LabelledPost],
    roles: Sequence[Role],
    train: NDArray[Any],
) -> tuple[HashedLinear, Floats]:
    """Heads fitted on the posts `train`, and the log-odds they give every post."""
    from scipy.sparse import csr_matrix

    first_cue = 1 << features.bits
    trained = np.isin(entries.row, train)
    seen = np.bincount(entries.column[trained], minlength=features.columns)
    idf = (np.log((1 + len(train)) / (1 + seen)) + 1).astype(np.float16).astype(np.float32)
    used = np.flatnonzero((seen >= SEEN_AT_LEAST) | (np.arange(features.columns) >= first_cue))
    value = weighted(entries, idf, first_cue).value
    matrix = csr_matrix((value, (entries.row, entries.column)), (len(posts), features.columns))[:, used]
    weights = np.zeros((features.columns, len(HEADS)), np.float32)
    bias = np.zeros(len(HEADS), np.float32)
    first = 0
    targets = all_heads([posts[i] for i in train], [roles[i] for i in train])
    for target in targets:
        coefficients, intercepts = _logistic(matrix[train], target)
        heads = slice(first, first + len(intercepts))
        weights[used, heads], bias[heads] = coefficients.T, intercepts
        first = heads.stop
    weights = weights.astype(np.float16).astype(np.float32)  # as it will be stored
    return HashedLinear(features, idf, weights, bias), np.asarray(matrix @ weights[used] + bias)


def _logistic(matrix: Any, target: Target) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=INVERSE_PENALTY, tol=1e-3, max_iter=200)
    model.fit(matrix[target.rows], target.classes, sample_weight=target.weights)
    return model.coef_, model.intercept_


def _calibrated(heads: HashedLinear, logits: Floats, posts: Sequence[LabelledPost]) -> tuple[HashedLinear, Floats]:
    """Platt scaling of the binary heads and a temperature for the levels, both folded into the weights."""
    from sklearn.linear_model import LogisticRegression

    slope, shift = np.ones(len(HEADS)), np.zeros(len(HEADS))
    slope[:HIGH_HEAD] = 1 / fit_temperature(
        of_levels([post.level or 0 for post in posts], softmax(logits[:, :HIGH_HEAD]))
    )
    targets = all_heads(posts, ["core"] * len(posts))[1:]
    for head, target in enumerate(targets, HIGH_HEAD):
        platt = LogisticRegression(C=1e6)
        platt.fit(logits[target.rows, head, None], target.classes, sample_weight=target.weights)
        slope[head], shift[head] = platt.coef_[0, 0], platt.intercept_[0]
    calibrated = replace(
        heads,
        weights=(heads.weights * slope).astype(np.float16).astype(np.float32),
        bias=(heads.bias * slope + shift).astype(np.float32),
    )
    return calibrated, logits * slope + shift


def _best_threshold(logits: Floats, gold: NDArray[np.bool_]) -> float:
    """The probability of high from which the folds' weighted F1 is best (0.01 steps, the lowest of equals)."""
    from sklearn.metrics import f1_score

    p_high = sigmoid(logits)
    steps = np.arange(0.2, 0.81, 0.01)
    return round(float(max(steps, key=lambda step: f1_score(gold, p_high >= step, average="weighted"))), 2)
