"""How far a score can be trusted: bootstrap intervals and paired comparisons, by the percentile bootstrap over posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shouwang.errors import InputError
from shouwang.evaluate.answers import Answers, Floats
from shouwang.evaluate.metrics import Measure
from shouwang.resampling import COVERAGE, interval, weightings
from shouwang.resampling import RESAMPLES as RESAMPLES
from shouwang.resampling import Interval as Interval

Measures = Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class Difference(Interval):
    """First minus second on the same posts.

    `wrong_side`: share of resamples (0–1) in which the difference is 0 or has the other sign; 1 when it is 0 itself.
    """

    first: float = np.nan
    second: float = np.nan
    wrong_side: float = np.nan


@dataclass(frozen=True, slots=True)
class Share(Interval):
    """`count` of `n` as a share (0–1) with its Wilson interval."""

    count: int = 0
    n: int = 0


def bootstrap(
    metrics: Measures, answers: Answers, rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """Each metric with its interval; one that gives a number per class comes as one entry per class, "name/class"."""
    drawn = _measure(metrics, [answers], rng, resamples)
    return {name: interval(value[0], samples[0]) for name, (value, samples) in drawn.items()}


def compare(
    metrics: Measures, first: Answers, second: Answers, rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Difference]:
    """First minus second, each resample drawn once for both.

    Raises InputError when the two do not answer the same posts.
    """
    if not np.array_equal(first.gold, second.gold):
        raise InputError("a paired comparison needs both predictions for the same posts in the same order")
    drawn = _measure(metrics, [first, second], rng, resamples)
    return {name: _difference(value, samples) for name, (value, samples) in drawn.items()}


def mean(values: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES) -> Interval:
    """The mean of one number per post (n,) with its interval; all nan without posts."""
    drawn, samples = _means(np.asarray(values, dtype=np.float64)[None], rng, resamples)
    return interval(drawn[0], samples[0])


def mean_difference(
    first: ArrayLike, second: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Difference:
    """Mean of the first minus mean of the second, two numbers (n,) for each post, resampled in pairs; all nan without posts.

    Raises InputError when the lengths differ.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape:
        raise InputError(f"a paired difference needs two numbers for each post, found {len(one)} and {len(other)}")
    return _difference(*_means(np.stack([one, other]), rng, resamples))


def wilson(count: int, n: int) -> Share:
    """count/n with its 95 % score interval (Wilson 1927); all nan when n is 0."""
    from scipy.stats import binomtest

    if n == 0:
        return Share(np.nan, np.nan, np.nan)
    low, high = binomtest(count, n).proportion_ci(COVERAGE, method="wilson")
    return Share(count / n, float(low), float(high), count=count, n=n)


def _means(values: Floats, rng: np.random.Generator, resamples: int) -> tuple[Floats, Floats]:
    """Means over posts (rows,) of values (rows, posts), and resampled means (rows, resamples)."""
    posts = values.shape[1]
    if not posts:
        return np.full(len(values), np.nan), np.full((len(values), resamples), np.nan)
    drawn = [weights @ values.T / posts for weights in weightings(posts, rng, resamples)]
    return values.mean(axis=1), np.concatenate(drawn).T


def _difference(values: Floats, samples: Floats) -> Difference:
    found = interval(values[0] - values[1], samples[0] - samples[1])
    defined = (samples[0] - samples[1])[~np.isnan(samples[0] - samples[1])]
    wrong = (
        float(np.mean(defined * np.sign(found.value) <= 0)) if len(defined) and found.value == found.value else np.nan
    )
    return Difference(found.value, found.low, found.high, found.undefined, float(values[0]), float(values[1]), wrong)


def _measure(
    metrics: Measures, each: list[Answers], rng: np.random.Generator, resamples: int
) -> dict[str, tuple[Floats, Floats]]:
    """By metric: values (answers,) and resampled values (answers, resamples)."""
    if resamples < 1:
        raise InputError(f"{resamples} bootstrap resamples: at least 1 is needed")
    whole = _rows(metrics, each, np.ones((1, len(each[0]))))
    parts = [_rows(metrics, each, weights) for weights in weightings(len(each[0]), rng, resamples)]
    return {name: (whole[name][:, 0], np.concatenate([part[name] for part in parts], axis=1)) for name in whole}


def _rows(metrics: Measures, each: list[Answers], weights: Floats) -> dict[str, Floats]:
    rows: dict[str, Floats] = {}
    for name, of in metrics.items():
        values = np.stack([of(answers, weights) for answers in each])
        if values.ndim == 2:
            rows[name] = values
        else:
            rows.update({f"{name}/{k}": values[..., k] for k in range(values.shape[-1])})
    return rows
