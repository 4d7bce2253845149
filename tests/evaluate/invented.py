"""Answers that can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shouwang.evaluate.answers import Answers, Floats, of_high, of_levels

LEVELS = 11


def sure_of(*levels: int) -> Floats:
    """Probabilities of a model that is certain of these levels."""
    return np.eye(LEVELS)[list(levels)]


def said(gold: Sequence[int], predicted: Sequence[int]) -> Answers:
    return of_levels(gold, sure_of(*predicted))


def random_levels(rng: np.random.Generator, n: int, classes: int = LEVELS) -> Answers:
    return of_levels(rng.integers(0, classes, n), rng.dirichlet(np.full(LEVELS, 0.5), n))


def random_high(rng: np.random.Generator, n: int) -> Answers:
    """Half of the scores are tied with others."""
    scores = np.where(rng.random(n) < 0.5, rng.random(n), rng.integers(0, 5, n) / 4)
    return of_high(rng.random(n) < 0.4, scores)
