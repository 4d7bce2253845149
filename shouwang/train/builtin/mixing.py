"""Fit the mixture of the two members on predictions for posts that neither had seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.models.mixture import HIGH_HEAD, INDICATOR_HEADS, Mixture, high_features, log_softmax, sigmoid, softmax
from shouwang.train.builtin.examples import indicator_targets

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True)
class Settings:
    """Shrinkage: of level biases to 0, of binary weights to their equal share. `quiet`: the total weight of ordinary
    posts in the high/low mixture, as a share of the labelled posts'."""

    level_shrink: float = 30.0
    binary_shrink: float = 1.0
    quiet: float = 3.0


@dataclass(frozen=True, slots=True)
class Said:
    """What both members said of posts they had not seen: log-odds (n, heads) each."""

    encoder: Floats
    linear: Floats

    def take(self, rows: NDArray[np.bool_]) -> Said:
        return Said(self.encoder[rows], self.linear[rows])


def fit(said: Said, levels: NDArray[np.int64], high: NDArray[np.int64], quiet: Said, settings: Settings) -> Mixture:
    """The mixture of least log loss on labelled posts and, for high, on ordinary ones (`quiet`)."""
    pool, bias = _fit_levels(said, levels, settings.level_shrink)
    x = np.concatenate([high_features(said.encoder, said.linear), high_features(quiet.encoder, quiet.linear)])
    y = np.concatenate([high, np.zeros(len(quiet.linear))])
    share = settings.quiet * len(high) / max(len(quiet.linear), 1)
    w = np.concatenate([np.ones(len(high)), np.full(len(quiet.linear), share)])
    of_high, high_bias = _fit_binary(x, y, w, settings.binary_shrink)
    strength, known = indicator_targets(levels)
    fitted = [
        _fit_binary(
            np.stack([said.encoder[:, head], said.linear[:, head]], axis=1),
            strength[:, i].astype(np.float64),
            known[:, i].astype(np.float64),
            settings.binary_shrink,
        )
        for i, head in enumerate(INDICATOR_HEADS)
    ]
    indicators, indicator_bias = (np.array(same) for same in zip(*fitted, strict=True))
    return Mixture(pool, bias, of_high, high_bias, indicators, indicator_bias)


def _fit_levels(said: Said, gold: NDArray[np.int64], shrink: float) -> tuple[Floats, Floats]:
    logs = np.stack([log_softmax(each[:, :HIGH_HEAD]) for each in (said.encoder, said.linear)])
    hot = np.eye(HIGH_HEAD)[gold]

    def loss(theta: Floats) -> tuple[float, Floats]:
        p = softmax(np.tensordot(theta[:2], logs, 1) + theta[2:])
        error = p - hot
        slope = np.concatenate([(logs * error).sum((1, 2)), error.sum(0) + shrink * theta[2:]])
        return -float(np.log(p[hot > 0]).sum()) + shrink / 2 * float((theta[2:] ** 2).sum()), slope

    best = _least(loss, np.concatenate([[0.5, 0.5], np.zeros(HIGH_HEAD)]), 2)
    return best[:2], best[2:]


def _fit_binary(x: Floats, target: Floats, weights: Floats, shrink: float) -> tuple[Floats, float]:
    """Non-negative weights and a bias; `target` in 0–1."""
    m = x.shape[1]

    def loss(theta: Floats) -> tuple[float, Floats]:
        z = x @ theta[:m] + theta[m]
        error = weights * (sigmoid(z) - target)
        apart = theta[:m] - 1 / m
        value = float((weights * (np.logaddexp(0, z) - target * z)).sum()) + shrink / 2 * float((apart**2).sum())
        return value, np.concatenate([x.T @ error + shrink * apart, [error.sum()]])

    best = _least(loss, np.concatenate([np.full(m, 1 / m), [0.0]]), m)
    return best[:m], float(best[m])


def _least(loss: Loss, start: Floats, not_negative: int) -> Floats:
    from scipy.optimize import minimize

    bounds = [(0, None)] * not_negative + [(None, None)] * (len(start) - not_negative)
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)
