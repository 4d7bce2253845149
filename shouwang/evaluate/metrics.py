"""Metrics: pure functions of gold and probabilities (`Answers`), registered by task.

Every metric also takes `weights` (…, n), how often each post counts, and returns one number per weighting (…): all
bootstrap resamples are measured at once. scikit-learn's metrics take one weighting at a time, which would make 2,000
resamples minutes instead of a second; the tests hold each of these to scikit-learn's answer.
A nan means "not defined on these posts" and never comes with a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shouwang import scale
from shouwang.evaluate.answers import Answers, Floats, Task, sums_by_group
from shouwang.evaluate.calibration import ece
from shouwang.kappa import kappa, ratio, squared_distances
from shouwang.language import Words

Measure = Callable[[Answers, Floats | None], Floats]

FAR_OFF = 3


def confusions(answers: Answers, weights: Floats | None = None) -> Floats:
    """Confusion matrices (…, K, K): gold by row, predicted by column."""
    weights = np.ones(len(answers)) if weights is None else weights
    k = answers.classes
    cells = sums_by_group(weights, answers.gold * k + answers.predicted, k * k)
    return cells.reshape(*weights.shape[:-1], k, k)


def _mean(values: Floats, weights: Floats | None) -> Floats:
    weights = np.ones(len(values)) if weights is None else weights
    mean: Floats = (weights @ values) / weights.sum(axis=-1)
    return mean


# --- per class ------------------------------------------------------------------------------------------------------


def support(answers: Answers, weights: Floats | None = None) -> Floats:
    """Posts of each class in gold (…, K)."""
    present: Floats = confusions(answers, weights).sum(axis=-1)
    return present


def precisions(answers: Answers, weights: Floats | None = None) -> Floats:
    """Share of the posts predicted as each class that are of it (…, K); nan for a class never predicted."""
    counts = confusions(answers, weights)
    return ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-2))


def recalls(answers: Answers, weights: Floats | None = None) -> Floats:
    """Share of the posts of each class that are predicted as it (…, K); nan when no post of that class is present."""
    counts = confusions(answers, weights)
    return ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def f1s(answers: Answers, weights: Floats | None = None) -> Floats:
    """Harmonic mean of precision and recall (…, K); nan for a class neither present nor predicted."""
    counts = confusions(answers, weights)
    return ratio(2 * np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1) + counts.sum(axis=-2))


PER_CLASS: dict[str, Measure] = {
    "precision": precisions,
    "recall": recalls,
    "f1": f1s,
}


def _weighted(score: str) -> Measure:
    def average(answers: Answers, weights: Floats | None = None) -> Floats:
        """Mean over classes weighted by their posts in gold; an undefined class counts 0. Defined for any posts."""
        present = support(answers, weights)
        scores = np.nan_to_num(PER_CLASS[score](answers, weights))
        mean: Floats = (scores * present).sum(axis=-1) / present.sum(axis=-1)
        return mean

    return average


def _macro(score: str) -> Measure:
    def average(answers: Answers, weights: Floats | None = None) -> Floats:
        """Plain mean over the classes present or predicted; an undefined one among them counts 0."""
        counted = ~np.isnan(f1s(answers, weights))
        scores = np.nan_to_num(PER_CLASS[score](answers, weights))
        mean: Floats = scores.sum(axis=-1, where=counted) / counted.sum(axis=-1)
        return mean

    return average


def _of_high(score: str) -> Measure:
    def of_high(answers: Answers, weights: Floats | None = None) -> Floats:
        """Of the class "high"; nan where `PER_CLASS` says so."""
        return PER_CLASS[score](answers, weights)[..., 1]

    return of_high


# --- over all posts -------------------------------------------------------------------------------------------------


def accuracy(answers: Answers, weights: Floats | None = None) -> Floats:
    """Share of posts predicted right, 0–1."""
    return _mean((answers.gold == answers.predicted).astype(np.float64), weights)


def mean_absolute_error(answers: Answers, weights: Floats | None = None) -> Floats:
    """Levels between predicted and gold, on average, 0–10."""
    return _mean(np.abs(answers.gold - answers.predicted).astype(np.float64), weights)


def far_off(answers: Answers, weights: Floats | None = None) -> Floats:
    """Share of posts predicted three or more levels away from gold, 0–1."""
    return _mean((np.abs(answers.gold - answers.predicted) >= FAR_OFF).astype(np.float64), weights)


def quadratic_weighted_kappa(answers: Answers, weights: Floats | None = None) -> Floats:
    """Agreement beyond chance, squared distance between levels as its weight, at most 1 (Cohen 1968).

    nan when gold and predictions are all one and the same level.
    """
    return kappa(confusions(answers, weights), squared_distances(answers.classes))


def high_level_recall(answers: Answers, weights: Floats | None = None) -> Floats:
    """Of the posts at a high level in gold, the share predicted at a high level; nan when there is none."""
    high = confusions(answers, weights)[..., scale.HIGH_FROM :, :]
    return ratio(high[..., scale.HIGH_FROM :].sum(axis=(-2, -1)), high.sum(axis=(-2, -1)))


def brier(answers: Answers, weights: Floats | None = None) -> Floats:
    """Squared distance between probabilities and what is true, on average (Brier 1950).

    Levels: summed over the 11 levels, 0–2. High: of the probability of high alone, 0–1.
    """
    distance = ((answers.probabilities - np.eye(answers.classes)[answers.gold]) ** 2).sum(axis=1)
    return _mean(distance / 2 if answers.classes == 2 else distance, weights)


def auroc(answers: Answers, weights: Floats | None = None) -> Floats:
    """How often a high post is ranked above a low one (ties count half), 0–1; nan unless both are present."""
    high, low = _caught(answers, weights)
    below = np.diff(low, axis=-1, prepend=0)
    above = (high + np.concatenate([np.zeros_like(high[..., :1]), high[..., :-1]], axis=-1)) / 2
    return ratio((above * below).sum(axis=-1), high[..., -1] * low[..., -1])


def auprc(answers: Answers, weights: Floats | None = None) -> Floats:
    """Average precision: precision at each score, averaged over the high posts, 0–1; nan when no post is high."""
    high, low = _caught(answers, weights)
    precision = np.nan_to_num(ratio(high, high + low))
    return ratio((np.diff(high, axis=-1, prepend=0) * precision).sum(axis=-1), high[..., -1])


def _caught(answers: Answers, weights: Floats | None) -> tuple[Floats, Floats]:
    """High and low posts with at least each distinct score, from the highest score on: (…, scores) each."""
    weights = np.ones(len(answers)) if weights is None else weights
    scores, group = np.unique(-answers.probabilities[:, 1], return_inverse=True)
    high = sums_by_group(weights * answers.gold, group, len(scores))
    low = sums_by_group(weights * (1 - answers.gold), group, len(scores))
    return high.cumsum(axis=-1), low.cumsum(axis=-1)


# --- the registry ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's function and its name in tables."""

    of: Measure
    name: Words
    lower_is_better: bool = False


_SHARED: dict[str, Metric] = {
    "accuracy": Metric(accuracy, Words("accuracy", "准确率")),
    "weighted_precision": Metric(_weighted("precision"), Words("weighted precision", "加权精确率")),
    "weighted_recall": Metric(_weighted("recall"), Words("weighted recall", "加权召回率")),
    "weighted_f1": Metric(_weighted("f1"), Words("weighted F1", "加权 F1")),
    "macro_precision": Metric(_macro("precision"), Words("macro precision", "宏平均精确率")),
    "macro_recall": Metric(_macro("recall"), Words("macro recall", "宏平均召回率")),
    "macro_f1": Metric(_macro("f1"), Words("macro F1", "宏平均 F1")),
    "brier": Metric(brier, Words("Brier score", "Brier 分数"), lower_is_better=True),
    "ece": Metric(ece, Words("calibration error (ECE)", "校准误差 (ECE)"), lower_is_better=True),
}

METRICS: dict[Task, dict[str, Metric]] = {
    "levels": {
        **_SHARED,
        "mae": Metric(mean_absolute_error, Words("mean absolute error", "平均绝对误差"), lower_is_better=True),
        "qwk": Metric(quadratic_weighted_kappa, Words("quadratic weighted kappa", "二次加权 kappa")),
        "far_off": Metric(far_off, Words("errors of 3 or more levels", "偏差三级及以上的比例"), lower_is_better=True),
        "high_level_recall": Metric(high_level_recall, Words("recall of levels 6–10", "6–10 级召回率")),
    },
    "high": {
        **_SHARED,
        "precision": Metric(_of_high("precision"), Words("precision of high", "高风险精确率")),
        "recall": Metric(_of_high("recall"), Words("recall of high", "高风险召回率")),
        "f1": Metric(_of_high("f1"), Words("F1 of high", "高风险 F1")),
        "auroc": Metric(auroc, Words("AUROC", "AUROC")),
        "auprc": Metric(auprc, Words("AUPRC", "AUPRC")),
    },
}


def task_of(answers: Answers) -> Task:
    return "high" if answers.classes == 2 else "levels"


def measure(answers: Answers) -> dict[str, float]:
    """Every metric of the task, by its registered name."""
    return {name: float(metric.of(answers, None)) for name, metric in METRICS[task_of(answers)].items()}
