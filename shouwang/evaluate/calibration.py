"""Whether probabilities mean what they say.

What a probability claims: for the levels task that the most probable level is right (Guo et al. 2017, arXiv
1706.04599), for the high task that the post is high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shouwang.evaluate.answers import Answers, Floats, Ints, sums_by_group

BINS = 10
"""Bins of equal width over 0–1; each holds its upper edge, the first also 0."""

EDGES = np.arange(1, BINS) / BINS
TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Posts whose claim lies in (`low`, `high`]: how sure the model was, and how often it came true (0–1).

    Both are nan in a bin without posts.
    """

    low: float
    high: float
    n: int
    claimed: float
    came_true: float


def claims(answers: Answers) -> tuple[Floats, Floats]:
    """What each post's probability claims (n,), and 1 where it came true, else 0 (n,)."""
    if answers.classes == 2:
        return answers.probabilities[:, 1], answers.gold.astype(np.float64)
    return answers.probabilities.max(axis=1), (answers.predicted == answers.gold).astype(np.float64)


def reliability(answers: Answers) -> list[Bin]:
    """The reliability diagram in numbers, one entry per bin."""
    claimed, came_true = claims(answers)
    groups = _bins(claimed)
    counts, claimed_sums, true_sums = (
        sums_by_group(values, groups, BINS) for values in (np.ones(len(answers)), claimed, came_true)
    )
    return [
        Bin(b / BINS, (b + 1) / BINS, int(n), *((float(c / n), float(t / n)) if n else (np.nan, np.nan)))
        for b, (n, c, t) in enumerate(zip(counts, claimed_sums, true_sums, strict=True))
    ]


def ece(answers: Answers, weights: Floats | None = None) -> Floats:
    """Expected calibration error, 0–1: the gap between claimed and true in each bin, averaged over posts."""
    weights = np.ones(len(answers)) if weights is None else weights
    claimed, came_true = claims(answers)
    gaps = sums_by_group(weights * (claimed - came_true), _bins(claimed), BINS)
    error: Floats = np.abs(gaps).sum(axis=-1) / weights.sum(axis=-1)
    return error


def _bins(claimed: Floats) -> Ints:
    return np.digitize(claimed, EDGES, right=True).astype(np.int64)


def tempered(probabilities: ArrayLike, temperature: float) -> Floats:
    """Probabilities (n, K) made flatter (temperature > 1) or sharper (< 1): softmax(log p / temperature)."""
    logs = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), 1e-12, 1)) / temperature
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    flat: Floats = odds / odds.sum(axis=1, keepdims=True)
    return flat


def fit_temperature(answers: Answers) -> float:
    """The temperature between 0.05 and 20 with the smallest negative log-likelihood of gold; fit on held-out posts."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        p = tempered(answers.probabilities, float(np.exp(log_temperature)))
        return -float(np.mean(np.log(np.clip(p[np.arange(len(answers)), answers.gold], 1e-12, 1))))

    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x))
