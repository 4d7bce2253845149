"""The linear member: logistic regressions on hashed n-grams, cues and the encoder's frozen features.

Rows are few (thousands) and columns many (2^18), so the Gram matrix's Cholesky factor is an isometric n-column copy of
the data; L-BFGS runs on that, and the weights come back as one sparse product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.models.features import HashedFeatures
from shouwang.models.linear import Entries, HashedLinear, counts, weighted
from shouwang.models.mixture import sigmoid, softmax
from shouwang.scale import HIGH_FROM, LEVELS
from shouwang.train.builtin.examples import indicator_targets
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Row

SEEN_AT_LEAST = 2
"""n-grams that fewer training posts have are left at 0."""

STEPS = 60
TINY = 1e-12

Floats = NDArray[np.float32]
Link = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Weights are relative to a SOS-1K post's 1; `c_*` are inverse penalties, as in scikit-learn.

    `virus`, `invented`, `talk`: posts of these pools; of `usual` all."""

    frozen: float = 0.55  # share of the encoder's frozen features; its square multiplies inner products
    c_level: float = 8.0
    c_high: float = 4.0
    four: float = 0.5
    four_high: float = 0.3
    quiet_level: float = 0.05
    quiet_high: float = 0.3
    virus: int = 400
    invented: int = 1500
    talk: int = 900


@dataclass(frozen=True, slots=True)
class Table:
    """Every post that the member may learn from: `part` says its role; inner products with and without frozen features."""

    rows: list[Row]
    part: NDArray[np.str_]
    features: HashedFeatures
    idf: Floats
    x: Any  # scipy.sparse.csr_matrix [n, columns]
    dense: Floats  # [n, d], standardised and scaled
    mean: Floats
    spread: Floats
    gram: Floats
    plain: Floats


def chosen(pools: Pools, recipe: Recipe) -> tuple[list[Row], NDArray[np.str_]]:
    """The rows and the part of each: fold, four, everyday or talk.

    Posts with an invented level are left to the encoder: their words are chosen to say little (linear member alone, at 95%
    recall of high: 19.8% of everyday posts flagged with them, 7.8% without).
    """
    parts = {
        "fold": pools.folds,
        "four": pools.sos4k,
        "everyday": [*pools.virus[: recipe.virus], *pools.usual, *pools.invented[: recipe.invented]],
        "talk": pools.talk[: recipe.talk],
    }
    return [row for part in parts.values() for row in part], np.repeat(list(parts), [len(p) for p in parts.values()])


def table(rows: list[Row], part: NDArray[np.str_], bottom: Floats, recipe: Recipe) -> Table:
    """Features and inner products of all rows; `bottom` [n, d] are the encoder's frozen features, in order.

    What the features' scales rest on (document frequencies, means) comes from the posts outside the folds.
    """
    features = HashedFeatures()
    entries = counts(features.occurrences([row.text for row in rows]), features.columns)
    outside = np.flatnonzero(part != "fold")
    seen = np.bincount(entries.column[np.isin(entries.row, outside)], minlength=features.columns)
    idf = np.where(seen >= SEEN_AT_LEAST, np.log((1 + len(outside)) / (1 + seen)) + 1, 0)
    idf = idf.astype(np.float16).astype(np.float32)  # as it is stored
    x = weighted_rows(entries, idf, len(rows), features)
    four = bottom[part == "four"]
    mean, spread = four.mean(0), four.std(0) * np.sqrt(bottom.shape[1]) / recipe.frozen
    dense = ((bottom - mean) / spread).astype(np.float32)
    plain = (x @ x.T).toarray().astype(np.float32)
    return Table(rows, part, features, idf, x, dense, mean, spread, plain + dense @ dense.T, plain)


def weighted_rows(entries: Entries, idf: Floats, n: int, features: HashedFeatures) -> Any:
    """The weighted features of n texts: a scipy matrix [n, columns]."""
    from scipy.sparse import csr_matrix

    value = weighted(entries, idf, 1 << features.bits).value
    x = csr_matrix((value, (entries.row, entries.column)), (n, features.columns))
    x.eliminate_zeros()
    return x


def fit(t: Table, leave: int, leaks: frozenset[str], recipe: Recipe) -> tuple[HashedLinear, Floats]:
    """The heads without fold `leave` (0: all folds, without `leaks`), and their weights [d, heads] on frozen features."""
    level, high = np.array([row.level for row in t.rows]), np.array([row.high for row in t.rows])
    fold = np.array([row.fold for row in t.rows])
    leaking = np.array([row.id in leaks for row in t.rows])
    own = (t.part == "fold") & (fold != leave) & ~(leaking & (leave == 0))
    four, everyday = t.part == "four", t.part == "everyday"
    labelled, quiet = own | four, everyday | (t.part == "talk")
    level = np.maximum(level, 0)
    found = np.bincount(level[own], minlength=len(LEVELS))
    rare = np.sqrt(found.mean() / np.maximum(found, 1))[level]
    of_level = np.select([own, four], [1.0, recipe.four], recipe.quiet_level) * rare
    of_high = np.select([own, four], [1.0, recipe.four_high], recipe.quiet_high)
    is_high = np.select([own, four], [high, level >= HIGH_FROM], 0)
    strength, known = indicator_targets(level)
    targets = np.column_stack([is_high, np.where(labelled[:, None], strength, 0)])
    counted = np.column_stack([labelled | quiet, np.where(labelled[:, None], known, everyday[:, None])])
    heads = [
        _solved(t, t.gram, labelled | everyday, np.eye(len(LEVELS))[level], of_level[:, None], softmax, recipe.c_level),
        _solved(t, t.plain, labelled | quiet, targets, counted * of_high[:, None], sigmoid, recipe.c_high),
    ]
    sparse, dense, bias = (np.concatenate(same, axis=-1) for same in zip(*heads, strict=True))
    dense = dense / t.spread[:, None]
    linear = HashedLinear(t.features, t.idf, _half(sparse), (bias - t.mean @ dense).astype(np.float32))
    return linear, dense.astype(np.float32)


def _solved(
    t: Table, gram: Floats, chosen: NDArray[np.bool_], targets: Floats, weights: Floats, link: Link, c: float
) -> tuple[Floats, Floats, Floats]:
    """Weights [columns, k], dense weights [d, k] (0 without frozen features) and biases [k]."""
    rows = np.flatnonzero(chosen)
    dual, bias = solve(gram[np.ix_(rows, rows)], targets[rows], weights[rows], link, c)
    dense = t.dense[rows].T @ dual if gram is t.gram else np.zeros((t.dense.shape[1], dual.shape[1]), np.float32)
    return np.asarray(t.x[rows].T @ dual), dense, bias


def _half(weights: Floats) -> Floats:
    return weights.astype(np.float16).astype(np.float32)  # as they are stored


def solve(gram: Floats, targets: Floats, weights: Floats, link: Link, c: float) -> tuple[Floats, Floats]:
    """Logistic regressions with soft `targets` [n, k] on a Gram matrix [n, n]: one over k classes (`softmax`), or k of
    two classes each (`sigmoid`); `weights` [n, 1] or [n, k].

    Dual coefficients over the rows [n, k] and intercepts [k]; `c` is the inverse penalty, as in scikit-learn.
    """
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import minimize

    n, k = targets.shape
    factor = cholesky(gram + 1e-4 * np.eye(n, dtype=np.float32), lower=True, overwrite_a=True)
    soft, w = targets.astype(np.float32), weights.astype(np.float32)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        beta = flat.reshape(n + 1, k).astype(np.float32)
        p = link(factor @ beta[:n] + beta[n])
        logs = soft * np.log(np.maximum(p, TINY))
        if link is sigmoid:
            logs += (1 - soft) * np.log(np.maximum(1 - p, TINY))
        slope = w * (p - soft)
        value = -float((w * logs).sum(dtype=np.float64)) + 0.5 / c * float((beta[:n] ** 2).sum(dtype=np.float64))
        gradient = np.concatenate([factor.T @ slope + beta[:n] / c, slope.sum(0, keepdims=True)])
        return value, gradient.ravel().astype(np.float64)

    options = {"maxiter": STEPS, "maxcor": 10}
    best = minimize(loss, np.zeros((n + 1) * k), jac=True, method="L-BFGS-B", options=options)
    beta = best.x.reshape(n + 1, k)
    dual = solve_triangular(factor, beta[:n], lower=True, trans="T")
    return dual.astype(np.float32), beta[n].astype(np.float32)
