"""Gold labels and a model's probabilities for the same posts: what every metric is a function of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shouwang import scale
from shouwang.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Task = Literal["levels", "high"]
TASKS: tuple[Task, ...] = get_args(Task)

THRESHOLD = 0.5
SUM_TOLERANCE = 1e-3  # files round each probability


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """n posts, K classes (11 levels, or low and high): `gold` (n,), `probabilities` (n, K), `predicted` (n,)."""

    gold: Ints
    probabilities: Floats
    predicted: Ints

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def classes(self) -> int:
        return int(self.probabilities.shape[1])

    def where(self, chosen: NDArray[np.bool_]) -> Answers:
        """The posts for which `chosen` (n,) holds."""
        return Answers(self.gold[chosen], self.probabilities[chosen], self.predicted[chosen])


def of_levels(gold: Sequence[int] | Ints, probabilities: ArrayLike) -> Answers:
    """Levels 0–10 against (n, 11) probabilities; predicted is the most probable level, the lowest of equals.

    Raises InputError when there is no post, when the shapes differ, when gold holds anything but levels, or when a row is
    not a distribution.
    """
    levels, p = _whole(gold, len(scale.LEVELS)), np.asarray(probabilities, dtype=np.float64)
    _check(levels, p, (len(levels), len(scale.LEVELS)))
    totals = p.sum(axis=1, keepdims=True)
    if np.any(np.abs(totals - 1) > SUM_TOLERANCE):
        raise InputError(f"{int(np.sum(np.abs(totals - 1) > SUM_TOLERANCE))} rows of probabilities do not sum to 1")
    return Answers(levels, p / totals, p.argmax(axis=1))


def of_high(gold: Sequence[bool] | NDArray[np.bool_], p_high: ArrayLike, threshold: float = THRESHOLD) -> Answers:
    """High (true) or low against (n,) probabilities of high; predicted is high from `threshold` on.

    Raises InputError when there is no post, when the shapes differ, when gold holds anything but true and false, or when
    a number lies outside 0–1.
    """
    high, p = _whole(gold, 2), np.asarray(p_high, dtype=np.float64)
    _check(high, p, (len(high),))
    return Answers(high, np.stack([1 - p, p], axis=1), (p >= threshold).astype(np.int64))


def _whole(gold: ArrayLike, classes: int) -> Ints:
    """Gold as numbers of classes; refuses what would become another number, or a class that there is not."""
    given = np.asarray(gold)
    try:
        found = given.astype(np.float64)
    except (TypeError, ValueError):
        found = np.full(1, np.nan)
    wrong = ~np.isin(found, np.arange(classes))
    if np.any(wrong):
        raise InputError(
            f"gold holds {int(wrong.sum())} labels outside 0–{classes - 1} or not whole; correct or leave them out"
        )
    return given.astype(np.int64)


def _check(gold: Ints, probabilities: Floats, shape: tuple[int, ...]) -> None:
    if not len(gold):
        raise InputError("no posts to evaluate: gold and predictions share none")
    if probabilities.shape != shape:
        raise InputError(
            f"probabilities have shape {probabilities.shape}, expected {shape} for {len(gold)} gold labels"
        )
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise InputError("a probability is outside 0–1 or not a number")


def sums_by_group(weights: Floats, groups: Ints, count: int) -> Floats:
    """Weights (…, n) added up within each of `count` groups; `groups` (n,) says where each post belongs."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((*weights.shape[:-1], count))
    sums[..., present] = np.add.reduceat(weights[..., order], starts, axis=-1)
    return sums
