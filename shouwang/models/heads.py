"""From an encoder's logits to probabilities. `heads` is what config.json holds: {"levels": 11, "high": 2}, side by side.

The level head has 11 columns, or 10 thresholds where it was trained with a cumulative link; the high head has two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.models.mixture import softmax
from shouwang.scale import LEVELS

Task = Literal["levels", "high"]
Floats = NDArray[np.float64]


def cumulative(logits: Floats) -> Floats:
    """Probabilities (n, K) from the log-odds (n, K - 1) of lying above each class but the last (Cao et al. 2020).

    Where a later threshold is more probable than an earlier one, the earlier one's probability stands for both.
    """
    above = np.minimum.accumulate(1 / (1 + np.exp(-np.clip(logits, -500, 500))), axis=1)
    edges = np.concatenate([np.ones((len(above), 1)), above, np.zeros((len(above), 1))], axis=1)
    return np.asarray(edges[:, :-1] - edges[:, 1:])


LINKS: dict[Task, dict[int, Callable[[Floats], Floats]]] = {
    "levels": {len(LEVELS): softmax, len(LEVELS) - 1: cumulative},
    "high": {2: softmax},
}
"""How the logits of a task become probabilities, by their number of columns."""


def slices(heads: Mapping[Task, int]) -> dict[Task, slice]:
    """The columns of each task. Raises InputError for heads that are not this software's."""
    found: dict[Task, slice] = {}
    start = 0
    for task, columns in heads.items():
        if columns not in LINKS.get(task, {}):
            raise InputError(f"a head '{task}' of {columns} outputs; expected levels (11 or 10) and high (2)")
        found[task] = slice(start, start := start + columns)
    return found


def probabilities(logits: Floats, heads: Mapping[Task, int]) -> dict[Task, Floats]:
    """Levels (n, 11) and high (n, 2: low, high) from logits (n, columns); errors as in `slices`."""
    logits = np.asarray(logits, np.float64)
    return {task: LINKS[task][heads[task]](logits[:, part]) for task, part in slices(heads).items()}
