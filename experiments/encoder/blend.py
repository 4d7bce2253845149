"""Few-parameter blends of the members' probabilities, fitted on out-of-fold predictions and cross-fitted by fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

TINY = 1e-6


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, TINY, 1 - TINY)
    return np.log(p) - np.log1p(-p)


@dataclass(frozen=True)
class LevelBlend:
    """softmax(Σ weight · log p + bias)."""

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        logs = sum(w * np.log(np.clip(p, TINY, 1)) for w, p in zip(self.weights, parts, strict=True))
        return softmax(logs + self.bias)


@dataclass(frozen=True)
class HighBlend:
    """sigmoid(features · weights + bias); features from `high_features`."""

    weights: np.ndarray
    bias: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(features @ self.weights + self.bias)))


def high_features(highs: Sequence[np.ndarray], levels: Sequence[np.ndarray]) -> np.ndarray:
    """Log-odds of each high/low or relevance head, of level ≥ 6 by each level head, of level ≥ 1 by the first."""
    steep = [logit(p[:, 6:].sum(1)) for p in levels]
    return np.stack([logit(h) for h in highs] + steep + [logit(levels[0][:, 1:].sum(1))], 1)


def fit_levels(parts: Sequence[np.ndarray], gold: np.ndarray, shrink: float = 20.0) -> LevelBlend:
    """Least log loss with non-negative weights; biases shrink to 0 with strength `shrink`."""
    logs = np.stack([np.log(np.clip(p, TINY, 1)) for p in parts])
    hot = np.eye(logs.shape[2])[gold]
    m = len(parts)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        p = softmax(np.tensordot(theta[:m], logs, 1) + theta[m:])
        error = p - hot
        slope = np.concatenate([(logs * error).sum((1, 2)), error.sum(0) + shrink * theta[m:]])
        return -float(np.log(p[hot > 0]).sum()) + shrink / 2 * float((theta[m:] ** 2).sum()), slope

    start = np.concatenate([np.full(m, 1 / m), np.zeros(logs.shape[2])])
    bounds = [(0, None)] * m + [(None, None)] * logs.shape[2]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return LevelBlend(best[:m], best[m:])


def fit_high(
    features: np.ndarray, gold: np.ndarray, weights: np.ndarray | None = None, shrink: float = 1.0
) -> HighBlend:
    """Least log loss with non-negative weights shrunk to their equal share."""
    n, m = features.shape
    w = np.ones(n) if weights is None else weights

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = features @ theta[:m] + theta[m]
        error = w * (1 / (1 + np.exp(-z)) - gold)
        value = float((w * (np.logaddexp(0, z) - gold * z)).sum()) + shrink / 2 * float(
            ((theta[:m] - 1 / m) ** 2).sum()
        )
        return value, np.concatenate([features.T @ error + shrink * (theta[:m] - 1 / m), [error.sum()]])

    best = minimize(
        loss,
        np.concatenate([np.full(m, 1 / m), [0.0]]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * m + [(None, None)],
    ).x
    return HighBlend(best[:m], float(best[m]))
