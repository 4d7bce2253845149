"""How often ordinary posts are flagged. For the invented contrast set see `contrast.by_category`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.intervals import Share, wilson


def flag_rates(
    scores: ArrayLike, groups: Sequence[str], thresholds: Mapping[str, float]
) -> dict[str, dict[str, Share]]:
    """By group, in the order in which they first occur, and by name of threshold: posts with a score from it on.

    Scores (n,), group of each post (n,), such as its data set or its emotion. Raises InputError when they differ in
    length.
    """
    values, of = np.asarray(scores, dtype=np.float64), np.asarray(groups)
    if len(values) != len(of):
        raise InputError(f"{len(values)} scores but {len(of)} groups: every post needs both")
    return {
        group: {name: _reach(values[of == group], threshold) for name, threshold in thresholds.items()}
        for group in dict.fromkeys(groups)
    }


def _reach(scores: Floats, threshold: float) -> Share:
    return wilson(int((scores >= threshold).sum()), len(scores))
