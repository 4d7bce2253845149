"""Scores averaged over rounds and seeds, with intervals over posts: what a table row is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shouwang.evaluate import Answers, Interval, Options, bootstrap
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.metrics import Measure

Rounds = Sequence[Sequence[Answers]]
"""Per round, the answers of each seed to the same posts in the same order."""


def intervals(measures: Mapping[str, Measure], rounds: Rounds, options: Options) -> dict[str, Interval]:
    """The mean over rounds of the mean over seeds, by measure; posts of all rounds are resampled together."""
    return bootstrap(
        {name: _mean(of, rounds) for name, of in measures.items()}, _all_posts(rounds), _rng(options), options.resamples
    )


def difference(of: Measure, first: Rounds, second: Rounds, options: Options) -> Interval:
    """The first's mean minus the second's on the same posts: every resample is drawn once for both.

    The rounds must be the same ones in the same order; how many seeds each has may differ.
    """
    mine, theirs = _mean(of, first), _mean(of, second)

    def minus(answers: Answers, weights: Floats | None = None) -> Floats:
        return mine(answers, weights) - theirs(answers, weights)

    return bootstrap({"minus": minus}, _all_posts(first), _rng(options), options.resamples)["minus"]


def pooled(rounds: Rounds) -> Rounds:
    """All rounds as one: a rare level is then scored on all its posts at once. Only seeds that every round has."""
    seeds = min(len(each) for each in rounds)
    return [[_joined([each[i] for each in rounds]) for i in range(seeds)]]


def _mean(of: Measure, rounds: Rounds) -> Measure:
    ends = np.cumsum([len(seeds[0]) for seeds in rounds])
    parts = [slice(end - len(seeds[0]), end) for end, seeds in zip(ends, rounds, strict=True)]

    def mean(answers: Answers, weights: Floats | None = None) -> Floats:
        weights = np.ones(len(answers)) if weights is None else weights
        values: list[Floats] = []
        for part, seeds in zip(parts, rounds, strict=True):
            with np.errstate(invalid="ignore"):  # a resample may hold no post of a very small round: nan
                values.append(np.mean([of(each, weights[..., part]) for each in seeds], axis=0))
        averaged: Floats = np.mean(values, axis=0)
        return averaged

    return mean


def _all_posts(rounds: Rounds) -> Answers:
    return _joined([seeds[0] for seeds in rounds])


def _joined(parts: Sequence[Answers]) -> Answers:
    return Answers(
        np.concatenate([each.gold for each in parts]),
        np.concatenate([each.probabilities for each in parts]),
        np.concatenate([each.predicted for each in parts]),
    )


def _rng(options: Options) -> np.random.Generator:
    return np.random.default_rng(options.seed)
