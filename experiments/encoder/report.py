"""Figures of a recipe: pooled with bootstrap intervals, by fold, at named operating points. Numbers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.metrics import cohen_kappa_score, f1_score

from . import calibrate
from .infer import Model
from .sources import Row

RECALLS = {"recall99": 0.99, "recall95": 0.95, "recall90": 0.9, "recall80": 0.8}


def weighted_f1(gold: np.ndarray, said: np.ndarray) -> float:
    """Percent."""
    return 100 * float(f1_score(gold, said, average="weighted"))


def interval(figure: Callable[[np.ndarray], float], n: int, draws: int = 2000, seed: int = 0) -> list[float]:
    """95% bootstrap interval of `figure(rows)`."""
    rng = np.random.default_rng(seed)
    values = [figure(rng.integers(0, n, n)) for _ in range(draws)]
    return [round(float(v), 1) for v in np.percentile(values, [2.5, 97.5])]


def scores(gold: np.ndarray, high: np.ndarray, levels: np.ndarray, p_high: np.ndarray) -> dict[str, object]:
    """Weighted F1s with intervals, macro F1, MAE, QWK, share three or more levels off, calibration error."""
    said, off, n = levels.argmax(1), np.abs(levels.argmax(1) - gold), len(gold)
    return {
        "n": n,
        "level_wf1": round(weighted_f1(gold, said), 2),
        "level_wf1_95": interval(lambda i: weighted_f1(gold[i], said[i]), n),
        "high_wf1": round(weighted_f1(high, p_high > 0.5), 2),
        "high_wf1_95": interval(lambda i: weighted_f1(high[i], p_high[i] > 0.5), n),
        "level_macro_f1": round(100 * float(f1_score(gold, said, average="macro")), 2),
        "mae": round(float(off.mean()), 3),
        "qwk": round(float(cohen_kappa_score(gold, said, weights="quadratic")), 3),
        "three_or_more_off": round(float((off >= 3).mean()), 3),
        "ece_high": round(calibrate.calibration_error(p_high, high), 4),
    }


def operating_point(cut: float, p_high: np.ndarray, high: np.ndarray, quiet: dict[str, np.ndarray]) -> dict[str, float]:
    """Recall of high, and shares flagged of the low posts and of each held-out quiet set."""
    point = {
        "threshold": cut,
        "recall": float((p_high[high == 1] >= cut).mean()),
        "low": float((p_high[high == 0] >= cut).mean()),
    }
    return {k: round(v, 5) for k, v in (point | {k: float((v >= cut).mean()) for k, v in quiet.items()}).items()}


def folds_report(
    gold: np.ndarray, high: np.ndarray, fold: np.ndarray, crossed: dict[str, np.ndarray]
) -> dict[str, object]:
    """Everything the folds say, thresholds included."""
    levels, p_high = crossed["levels"], crossed["high"]
    quiet = {name: crossed[name] for name in calibrate.SETS}
    cuts = {name: calibrate.threshold(p_high, high, r) for name, r in RECALLS.items()} | {"balanced": 0.5}
    by_fold = [
        (weighted_f1(gold[m], levels[m].argmax(1)), weighted_f1(high[m], p_high[m] > 0.5))
        for m in (fold == k for k in np.unique(fold))
    ]
    cut, size, met = calibrate.level_set_size(levels, gold, fold)
    return scores(gold, high, levels, p_high) | {
        "by_fold_mean": np.mean(by_fold, 0).round(2).tolist(),
        "by_fold_sd": np.std(by_fold, 0, ddof=1).round(2).tolist(),
        "quiet_sets": {name: len(v) for name, v in quiet.items()},
        "operating_points": {name: operating_point(c, p_high, high, quiet) for name, c in cuts.items()},
        "conformal": {"coverage_asked": 0.9, "cut": cut, "mean_size": round(size, 2), "coverage_met": round(met, 3)},
    }


def test_report(model: Model, test: Sequence[Row]) -> dict[str, object]:
    """The same scores on the test posts."""
    levels, p_high = model.assess([r.text for r in test])
    return scores(np.array([r.level for r in test]), np.array([r.high for r in test]), levels, p_high)
