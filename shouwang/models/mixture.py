"""How the linear member's and the encoder's log-odds become one answer: a few weights, fitted on the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.scale import HIGH_FROM, INDICATORS, LEVELS

HIGH_HEAD = len(LEVELS)
INDICATOR_HEADS = range(HIGH_HEAD + 1, HIGH_HEAD + 1 + len(INDICATORS))
HEADS = (*(f"level {each.value}" for each in LEVELS), "high", *INDICATORS)

TINY = 1e-6
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Levels: softmax(Σ weight · log p + bias) over the two members, a logarithmic opinion pool. High: a logistic
    regression on `high_features`. Each indicator: one on the members' two log-odds.
    """

    levels: Floats  # (2,)
    level_bias: Floats  # (11,)
    high: Floats  # (6,)
    high_bias: float
    indicators: Floats  # (5, 2)
    indicator_bias: Floats  # (5,)

    def __call__(self, encoder: Floats, linear: Floats) -> Floats:
        """Log-odds (n, heads) from those of both members."""
        members = (encoder, linear)
        chances = [softmax(each[:, :HIGH_HEAD]) for each in members]
        logs = [_log(each) for each in chances]
        levels = self.levels[0] * logs[0] + self.levels[1] * logs[1] + self.level_bias
        features = _high_features(members, chances)
        high = (features * self.high).sum(axis=1) + self.high_bias  # @ would round by the batch's size
        odds = np.stack([each[:, INDICATOR_HEADS] for each in members], axis=2)
        indicators = (odds * self.indicators).sum(axis=2) + self.indicator_bias
        return np.column_stack([levels, high, indicators])


def high_features(encoder: Floats, linear: Floats) -> Floats:
    """For each member the log-odds of high, of a level that counts as high, and of a level above 0: (n, 6)."""
    members = (encoder, linear)
    return _high_features(members, [softmax(each[:, :HIGH_HEAD]) for each in members])


def _high_features(members: Sequence[Floats], chances: Sequence[Floats]) -> Floats:
    n = len(members[0])
    found = np.empty((n, 2, 3))
    for i, (member, p) in enumerate(zip(members, chances, strict=True)):
        found[:, i, 0], found[:, i, 1], found[:, i, 2] = member[:, HIGH_HEAD], p[:, HIGH_FROM:].sum(1), p[:, 1:].sum(1)
    found[:, :, 1:] = log_odds(found[:, :, 1:])
    return found.reshape(n, 6)


def softmax(logits: Floats) -> Floats:
    """Probabilities of each row's classes, from their log-odds (n, K)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_softmax(logits: Floats) -> Floats:
    """Logarithms of `softmax`, none below log 1e-6."""
    return _log(softmax(logits))


def _log(p: Floats) -> Floats:
    return np.log(np.maximum(p, TINY))


def sigmoid(logits: Floats) -> Floats:
    """Probabilities from log-odds of any shape."""
    return np.asarray(1 / (1 + np.exp(-logits)))


def log_odds(p: Floats) -> Floats:
    """Log-odds of probabilities of any shape, within ±13.8 (1e-6)."""
    p = np.clip(p, TINY, 1 - TINY)
    return np.asarray(np.log(p) - np.log1p(-p))
