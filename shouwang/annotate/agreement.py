"""How far annotators agree: percentages, Cohen's kappas and Krippendorff's alphas, with bootstrap intervals over posts.

Every statistic is a function of one K × K table of how often two values met, or of many tables at once (…, K, K). A post
gives its own table, so that resampled posts are weighted sums of tables. A nan means "not defined on these posts".

Cohen 1960, Educ. Psychol. Meas. 20:37-46; Cohen 1968, Psychol. Bull. 70:213-220; Krippendorff 2011, "Computing
Krippendorff's Alpha-Reliability" (its worked examples are this module's tests).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from shouwang.kappa import kappa, ratio, squared_distances
from shouwang.resampling import RESAMPLES, Floats, Interval, interval, weightings

Distance = Callable[[Floats], Floats]
"""Squared distances between values (…, K, K), given how often each occurs (…, K)."""

Measure = Callable[[Floats], Floats]


# --- tables ---------------------------------------------------------------------------------------------------------


def confusions(left: Floats, right: Floats, k: int) -> Floats:
    """Tables (posts, k, k) of left by right values; both (posts, annotators) of 0..k-1, nan where nobody answered.

    Every left annotator meets every right one, and a post counts once however many meet over it; 0 where none do.
    """
    mine, theirs = _one_hot(left, k).sum(axis=1), _one_hot(right, k).sum(axis=1)
    met: Floats = mine[:, :, None] * theirs[:, None, :]
    return ratio(met, met.sum(axis=(1, 2), keepdims=True), 0.0)


def coincidences(values: Floats, k: int) -> Floats:
    """Tables (posts, k, k) of values that annotators gave to the same post, each ordered pair 1/(m-1) for m of them.

    `values` (posts, annotators) are 0..k-1, nan where nobody answered; a post with fewer than two gives 0.
    """
    hot = _one_hot(values, k)
    counts = hot.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(k)
    return ratio(pairs, (counts.sum(axis=1) - 1)[:, None, None], 0.0)


def _one_hot(values: Floats, k: int) -> Floats:
    hot: Floats = (values[..., None] == np.arange(k)).astype(np.float64)
    return hot


# --- statistics -----------------------------------------------------------------------------------------------------


def percentage(table: Floats) -> Floats:
    """Share of meetings in which both gave the same value, 0-1."""
    return ratio(np.trace(table, axis1=-2, axis2=-1), table.sum(axis=(-2, -1)))


def within_one(table: Floats) -> Floats:
    """Share of meetings at most one level apart, 0-1."""
    k = table.shape[-1]
    near = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) <= 1
    return ratio((table * near).sum(axis=(-2, -1)), table.sum(axis=(-2, -1)))


def specific(table: Floats) -> Floats:
    """Agreement on each value (…, K): 2a / (2a + b + c), nan where neither gave it (Cicchetti and Feinstein 1990)."""
    both = np.diagonal(table, axis1=-2, axis2=-1)
    return ratio(2 * both, table.sum(axis=-1) + table.sum(axis=-2))


def quadratic_kappa(table: Floats) -> Floats:
    """Cohen's kappa weighted by the squared distance between levels."""
    return kappa(table, squared_distances(table.shape[-1]))


def alpha(table: Floats, distance: Distance) -> Floats:
    """Krippendorff's alpha of summed coincidences; nan where every value is the same."""
    counts = table.sum(axis=-1)
    squared = distance(counts)
    observed = (table * squared).sum(axis=(-2, -1))
    expected = (counts[..., :, None] * counts[..., None, :] * squared).sum(axis=(-2, -1))
    agreed: Floats = 1 - (counts.sum(axis=-1) - 1) * ratio(observed, expected)
    return agreed


def nominal(counts: Floats) -> Floats:
    return np.asarray(1 - np.eye(counts.shape[-1]))


def by_interval(counts: Floats) -> Floats:
    return squared_distances(counts.shape[-1])


def ordinal(counts: Floats) -> Floats:
    """(n_c/2 + n_(c+1) + … + n_k/2)²: how many answers lie between two values."""
    middles = np.cumsum(counts, axis=-1) - counts / 2
    squared: Floats = (middles[..., :, None] - middles[..., None, :]) ** 2
    return squared


def _alpha(distance: Distance) -> Measure:
    return lambda table: alpha(table, distance)


def _of_both_ways(distance: Distance) -> Measure:
    """Alpha of a table of left by right: a coincidence is a meeting seen from both sides."""
    return lambda table: alpha(table + np.swapaxes(table, -2, -1), distance)


ALPHAS: Mapping[str, Distance] = {"alpha-nominal": nominal, "alpha-ordinal": ordinal, "alpha-interval": by_interval}

AMONG: Mapping[str, Measure] = {
    "percentage": percentage,
    "within-one": within_one,
    **{name: _alpha(distance) for name, distance in ALPHAS.items()},
}
"""Of coincidences: any number of annotators who are of one kind."""

BETWEEN: Mapping[str, Measure] = {
    "percentage": percentage,
    "within-one": within_one,
    "kappa": kappa,
    "quadratic-kappa": quadratic_kappa,
    **{name: _of_both_ways(distance) for name, distance in ALPHAS.items()},
}
"""Of confusions: one side against the other."""


def on_each(values: int) -> dict[str, Measure]:
    """Agreement on each of so many values, by its number."""

    def on(value: int) -> Measure:
        return lambda table: specific(table)[..., value]

    return {str(value): on(value) for value in range(values)}


# --- intervals ------------------------------------------------------------------------------------------------------


def measured(
    tables: Floats, measures: Mapping[str, Measure], rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """Each statistic of the posts' tables (posts, K, K) with its interval; all nan where no annotators meet."""
    tables = met(tables)
    if not len(tables):
        return {name: Interval(np.nan, np.nan, np.nan, resamples) for name in measures}
    drawn = _resampled(tables, rng, resamples)
    whole = tables.sum(axis=0)
    return {name: interval(float(of(whole)), of(drawn)) for name, of in measures.items()}


def difference(
    first: Floats, second: Floats, of: Measure, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Interval:
    """A statistic of the first tables minus that of the second, posts (the same in both) resampled in pairs."""
    kept = first.any(axis=(1, 2)) & second.any(axis=(1, 2))
    if not kept.any():
        return Interval(np.nan, np.nan, np.nan, resamples)
    both = np.stack([first[kept], second[kept]], axis=1)
    drawn, whole = _resampled(both, rng, resamples), both.sum(axis=0)
    return interval(float(of(whole[0]) - of(whole[1])), of(drawn[:, 0]) - of(drawn[:, 1]))


def met(tables: Floats) -> Floats:
    """The tables of posts over which annotators met."""
    return tables[tables.any(axis=(1, 2))]


def _resampled(tables: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Summed tables (resamples, …) of posts drawn anew."""
    posts, shape = len(tables), tables.shape[1:]
    flat = tables.reshape(posts, -1)
    parts = [weights @ flat for weights in weightings(posts, rng, resamples)]
    return np.concatenate(parts).reshape(-1, *shape)
