"""Percentile bootstrap over units (Efron and Tibshirani 1993, ch. 13): weightings in, an interval out.

Whatever can be computed from how often each unit counts can be resampled so, all resamples at once. Resamples in which
it is not defined are left out of the interval and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2_000
COVERAGE = 0.95
CELLS_AT_ONCE = 2_000_000  # resamples × units held in memory


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % interval; `undefined` resamples (of all) gave nan. All nan when every one did."""

    value: float
    low: float
    high: float
    undefined: int = 0


def interval(value: float, samples: Floats) -> Interval:
    """The interval that resampled values (resamples,) span."""
    defined = samples[~np.isnan(samples)]
    if not len(defined):
        return Interval(float(value), np.nan, np.nan, len(samples))
    low, high = np.quantile(defined, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(value), float(low), float(high), len(samples) - len(defined))


def weightings(units: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> Iterator[Floats]:
    """How often each unit is drawn in each resample: (some resamples, units) at a time; at least one unit."""
    at_once = max(1, CELLS_AT_ONCE // units)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        cells = rng.integers(0, units, (rows, units)) + units * np.arange(rows)[:, None]
        yield np.bincount(cells.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)
