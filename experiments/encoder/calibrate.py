"""From the folds' artefacts to the shipped blend: cross-fitted figures, thresholds, and `oof.npz`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import blend
from .sources import Row

LEVELS = ("enc.levels", "ngram.levels")
HIGHS = ("enc.high", "ngram.high", "ngram.relevant")
SETS = ("usual", "virus", "psy")


@dataclass(frozen=True)
class Settings:
    """`quiet` is the everyday posts' total weight in the high/low blend, relative to as many SOS-1K posts."""

    level_shrink: float = 1e4
    high_shrink: float = 1.0
    quiet: float = 2.0


def gather(folds: Sequence[Row], parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Per-fold predictions put back in the rows' order; `set.fold` says whose model read a held-out post."""
    number = np.array([r.fold for r in folds])
    out: dict[str, np.ndarray] = {}
    for key in parts[0]:
        pieces = [p[key] for p in parts]
        name = key.split("/")[0]
        if name == "fold":
            whole = np.zeros((len(folds), *pieces[0].shape[1:]), np.float32)
            for k, piece in enumerate(pieces, 1):
                whole[number == k] = piece
            out[key] = whole
        else:
            out[key] = np.concatenate(pieces).astype(np.float32)
            out[f"{name}.fold"] = np.repeat(np.arange(1, len(parts) + 1), [len(p) for p in pieces])
    return out


def levels(oof: Mapping[str, np.ndarray], name: str, rows: np.ndarray | slice = slice(None)) -> list[np.ndarray]:
    return [oof[f"{name}/{k}"][rows] for k in LEVELS]


def features(oof: Mapping[str, np.ndarray], name: str, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    return blend.high_features([oof[f"{name}/{k}"][rows] for k in HIGHS], levels(oof, name, rows))


def fit(
    oof: Mapping[str, np.ndarray], gold: np.ndarray, high: np.ndarray, rows: np.ndarray, quiet: np.ndarray, s: Settings
) -> tuple[blend.LevelBlend, blend.HighBlend]:
    """Both blends from the SOS-1K `rows` and the everyday rows `quiet` (boolean masks)."""
    level = blend.fit_levels(levels(oof, "fold", rows), gold[rows], s.level_shrink)
    x = np.concatenate([features(oof, "fold", rows), features(oof, "virus", quiet)])
    y = np.concatenate([high[rows], np.zeros(quiet.sum())])
    weight = np.concatenate([np.ones(rows.sum()), np.full(quiet.sum(), s.quiet * 1000 / len(quiet))])
    return level, blend.fit_high(x, y, weight, s.high_shrink)


def cross_fitted(
    oof: Mapping[str, np.ndarray], gold: np.ndarray, high: np.ndarray, fold: np.ndarray, s: Settings
) -> dict[str, np.ndarray]:
    """Blended `levels` [n, 11] and `high` [n], and the everyday sets' `usual`, `virus`, `psy` [m]."""
    out = {"levels": np.zeros((len(gold), 11)), "high": np.zeros(len(gold))}
    out |= {name: np.zeros(len(oof[f"{name}.fold"])) for name in SETS}
    for k in np.unique(fold):
        level, is_high = fit(oof, gold, high, fold != k, oof["virus.fold"] != k, s)
        out["levels"][fold == k] = level(levels(oof, "fold", fold == k))
        out["high"][fold == k] = is_high(features(oof, "fold", fold == k))
        for name in SETS:
            mine = oof[f"{name}.fold"] == k
            out[name][mine] = is_high(features(oof, name, mine))
    return out


def threshold(p: np.ndarray, high: np.ndarray, recall: float) -> float:
    """The largest cut that still calls at least `recall` of the high posts high."""
    ranked = np.sort(p[high == 1])
    return float(ranked[int(np.floor((1 - recall) * len(ranked)))])


def calibration_error(p: np.ndarray, high: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins."""
    index = np.clip((p * bins).astype(int), 0, bins - 1)
    groups = [index == i for i in range(bins) if (index == i).any()]
    return float(sum(abs(high[g].mean() - p[g].mean()) * g.mean() for g in groups))


def level_set_size(
    p: np.ndarray, gold: np.ndarray, fold: np.ndarray, coverage: float = 0.9
) -> tuple[float, float, float]:
    """Split-conformal sets on 1 − p(level), calibrated on the other folds: cut on all, mean size, coverage met."""
    score = 1 - p[np.arange(len(gold)), gold]
    sizes, met = np.zeros(len(gold)), np.zeros(len(gold))
    for k in np.unique(fold):
        mine = fold == k
        cut = _conformal(score[~mine], coverage)
        sizes[mine], met[mine] = (1 - p[mine] <= cut).sum(1), score[mine] <= cut
    return _conformal(score, coverage), float(sizes.mean()), float(met.mean())


def _conformal(score: np.ndarray, coverage: float) -> float:
    n = len(score)
    return float(np.sort(score)[min(int(np.ceil((n + 1) * coverage)) - 1, n - 1)])
