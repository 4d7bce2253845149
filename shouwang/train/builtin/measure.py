"""What the model card says: every figure from posts that the model which read them had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang import cues
from shouwang.evaluate import (
    METRICS,
    Answers,
    Difference,
    Interval,
    Options,
    compare,
    conformal,
    contrast,
    measured,
    of_high,
    of_levels,
)
from shouwang.evaluate import measure as point_values
from shouwang.evaluate.answers import TASKS
from shouwang.evaluate.intervals import wilson
from shouwang.evaluate.slices import slices
from shouwang.models import baselines
from shouwang.models.mixture import HIGH_HEAD, sigmoid, softmax
from shouwang.models.model import Model
from shouwang.models.operating import Operating, from_scores
from shouwang.models.sets import Sets
from shouwang.posts import LabelledPost
from shouwang.scale import LEVELS
from shouwang.train.builtin.sources import Row

FLOOR = "tfidf-lr"
FLAT = 0.005  # weighted F1
RATED_HIGH, RATED_LOW = 0.5, 0.2
REPORTED = {
    "levels": ("weighted_f1", "macro_f1", "mae", "qwk", "far_off", "high_level_recall", "ece"),
    "high": ("weighted_f1", "f1", "precision", "recall", "auroc", "ece"),
}
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Labelled posts and what models that had not seen them say of each: log-odds (n, heads)."""

    posts: Sequence[LabelledPost]
    logits: Floats

    @property
    def levels(self) -> Floats:
        return softmax(self.logits[:, :HIGH_HEAD])

    @property
    def p_high(self) -> Floats:
        return sigmoid(self.logits[:, HIGH_HEAD])

    @property
    def gold_levels(self) -> Ints:
        return np.array([post.level for post in self.posts])

    @property
    def gold_high(self) -> NDArray[np.bool_]:
        return np.array([bool(post.high) for post in self.posts])

    def answers(self, threshold: float) -> dict[str, Answers]:
        return {
            "levels": of_levels(self.gold_levels.tolist(), self.levels),
            "high": of_high(self.gold_high.tolist(), self.p_high, threshold),
        }


def operating(judged: Judged, everyday: Floats) -> Operating:
    """Operating points from posts that the models had not seen; the balanced threshold is chosen on the same folds."""
    p_high, gold = judged.p_high, judged.gold_high
    return from_scores(p_high[gold], p_high[~gold], everyday, best_threshold(p_high, gold))


def sets(judged: Judged) -> Sets:
    """Level sets and the span of uncertainty at conformal.COVERAGE."""
    cut = conformal.level_cut(judged.levels, judged.gold_levels)
    return Sets(conformal.COVERAGE, cut, conformal.uncertain_span(judged.p_high, judged.gold_high))


def sureness(judged: Judged, fold: Ints) -> dict[str, Any]:
    """How level sets and the span of uncertainty do, each fold's cut fitted on the others."""
    found = conformal.cross_conformal(judged.levels, judged.gold_levels, fold, np.random.default_rng(0))
    certain = conformal.certainty(judged.p_high, judged.gold_high, fold)
    return {
        "coverage": conformal.COVERAGE,
        "held": rounded(found.held),
        "mean_size": rounded(found.mean_size),
        "held_by_level": {str(level): rounded(share) for level, share in found.by_level.items()},
    } | {name: rounded(getattr(certain, name)) for name in ("uncertain", "wrong", "missed", "alarms")}


def labelled(rows: Sequence[Row]) -> list[LabelledPost]:
    return [LabelledPost(row.id, row.text, row.level, bool(row.high)) for row in rows]


def best_threshold(p_high: Floats, gold: NDArray[np.bool_]) -> float:
    """The lowest probability of high (0.01 steps) from which weighted F1 is within FLAT of its best.

    The curve is flat around its best, where chance alone would choose, and a miss weighs more than a false alarm.
    """
    steps = np.arange(20, 81) / 100
    scores = np.array([point_values(of_high(gold.tolist(), p_high, step))["weighted_f1"] for step in steps])
    return float(steps[int(np.argmax(scores >= scores.max() - FLAT))])


def scores(judged: Judged, threshold: float) -> dict[str, Any]:
    """Every reported metric with its interval."""
    return {"n": len(judged.posts)} | {
        task: {name: rounded(value) for name, value in measured(each, Options()).items() if name in REPORTED[task]}
        for task, each in judged.answers(threshold).items()
    }


def by_fold(judged: Judged, fold: Ints, threshold: float) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over the folds of weighted F1, by task."""
    parts = [
        Judged([post for post, here in zip(judged.posts, fold == k, strict=True) if here], judged.logits[fold == k])
        for k in np.unique(fold)
    ]
    values = {task: [point_values(part.answers(threshold)[task])["weighted_f1"] for part in parts] for task in REPORTED}
    return {
        task: {"mean": round(float(np.mean(each)), 4), "sd": round(float(np.std(each, ddof=1)), 4)}
        for task, each in values.items()
    }


def against_floor(judged: Judged, fold: Ints, threshold: float) -> dict[str, Any]:
    """Weighted F1 less that of character TF-IDF and logistic regression trained on the same folds, paired."""
    texts = [post.text for post in judged.posts]
    gold = {"levels": judged.gold_levels, "high": judged.gold_high.astype(np.int64)}
    found: dict[str, Any] = {}
    for task in TASKS:
        classes = len(LEVELS) if task == "levels" else 2
        p = np.zeros((len(texts), classes))
        for k in np.unique(fold):
            floor = baselines.new(FLOOR, classes)
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            floor.fit([texts[i] for i in train], gold[task][train].tolist())
            p[test] = floor.predict_proba([texts[i] for i in test])
        other = of_levels(gold[task].tolist(), p) if task == "levels" else of_high(gold[task].tolist(), p[:, 1], 0.5)
        metrics = {"weighted_f1": METRICS[task]["weighted_f1"].of}
        rng = np.random.default_rng(0)
        found[task] = difference(compare(metrics, judged.answers(threshold)[task], other, rng)["weighted_f1"])
    return found


def by_slice(judged: Judged, threshold: float) -> dict[str, Any]:
    """n, weighted F1 of levels, mean error and recall of high by length, gold level and words of a method."""
    methods = [cue.regex for cue in cues.CUES if cue.kind == "method"]
    with_method = np.array([any(each.search(post.text) for each in methods) for post in judged.posts])
    answers = judged.answers(threshold)
    levels, high = (slices(answers[task], judged.posts) for task in ("levels", "high"))
    found = {name: _slice(levels[name].n, levels[name].metrics, high[name].metrics) for name in levels}
    for name in found:
        if name.startswith("level "):
            found[name]["weighted_f1"] = None  # of a single level it would be a recall in disguise
    for name, here in (("with method words", with_method), ("without method words", ~with_method)):
        if not here.any():
            continue
        parts = [point_values(answers[task].where(here)) for task in ("levels", "high")]
        found[name] = _slice(int(here.sum()), *parts)
    return found


def _slice(n: int, levels: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    cells = {"weighted_f1": levels["weighted_f1"], "mae": levels["mae"], "recall_of_high": high["recall"]}
    return {"n": n} | {name: None if np.isnan(value) else round(float(value), 4) for name, value in cells.items()}


def flagged(p_high: Floats, threshold: float) -> dict[str, Any]:
    """The share of posts at or above the threshold, with its Wilson interval."""
    return {"n": len(p_high)} | rounded(wilson(int((p_high >= threshold).sum()), len(p_high)))


def by_note(rows: Sequence[Row], p_high: Floats, threshold: float) -> dict[str, Any]:
    """`flagged` for each note (an emotion, say)."""
    notes = np.array([row.note for row in rows])
    return {str(note): flagged(p_high[notes == note], threshold) for note in np.unique(notes)}


def rated(rows: Sequence[Row], p_high: Floats, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """`flagged` at each operating point of the rated posts that are rather high than not, and of those that hardly are."""
    given = np.array([row.rating.high for row in rows if row.rating])
    parts = {"high": given >= RATED_HIGH, "low": given <= RATED_LOW}
    return {
        part: {name: flagged(p_high[chosen], threshold) for name, threshold in thresholds.items()}
        for part, chosen in parts.items()
    }


def contrasts(model: Model, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """Flag rates on the contrast set, by operating point."""
    posts = contrast.load()
    p_high = np.array([each.p_high for each in model.assess(posts)])
    found: dict[str, Any] = {"n": len(posts), "points": {}}
    for name, threshold in thresholds.items():
        flags = (p_high >= threshold).tolist()
        rates = contrast.by_category(posts, flags)
        found["points"][name] = {
            "pairs_told_apart": rounded(contrast.pairs_told_apart(posts, flags)),
            "categories": [asdict(rate) | {"rate": rounded(rate.rate)} for rate in rates],
        }
    return found


def rounded(interval: Interval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(interval).items() if name != "undefined"}


def difference(found: Difference) -> dict[str, float]:
    names = ("value", "low", "high", "first", "second", "wrong_side")
    return {name: round(float(getattr(found, name)), 4) for name in names}
