"""How good the built-in model is: on the folds it was chosen by, on the test set, on ordinary life, on contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shouwang.evaluate import Answers, Interval, Options, contrast, measured, of_high, of_levels
from shouwang.evaluate import measure as point_values
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.intervals import wilson
from shouwang.models.mixture import HIGH_HEAD, sigmoid, softmax
from shouwang.models.model import Model
from shouwang.posts import LabelledPost, Post
from shouwang.train.default import Fitted

RECALL = 0.95
REPORTED = {
    "levels": ("weighted_f1", "macro_f1", "mae", "qwk", "far_off", "high_level_recall", "ece"),
    "high": ("weighted_f1", "f1", "precision", "recall", "auroc", "ece"),
}


def measure(
    model: Model, fitted: Fitted, test: Sequence[LabelledPost], ordinary: Mapping[str, Sequence[Post]]
) -> dict[str, Any]:
    """Every figure of the model card, as JSON types; `ordinary` holds posts of which none should be flagged."""
    logits = fitted.out_of_fold
    levels, high = softmax(logits[:, :HIGH_HEAD]), sigmoid(logits[:, HIGH_HEAD])
    gold_high = np.array([bool(post.high) for post in fitted.posts])
    recall95 = float(np.quantile(high[gold_high], 1 - RECALL))
    assessed = model.assess(test)
    return {
        "folds": {
            **_scores(fitted.posts, levels, high, model.threshold),
            "by_fold": [
                _weighted_f1([fitted.posts[i] for i in here], levels[here], high[here], model.threshold)
                for here in (np.flatnonzero(fitted.fold == number) for number in np.unique(fitted.fold))
            ],
        },
        "test": _scores(
            test,
            np.array([each.probabilities for each in assessed]),
            np.array([each.p_high for each in assessed]),
            model.threshold,
        ),
        "recall95_threshold": round(recall95, 4),
        "low_flagged_at_recall95": _share(high[~gold_high] >= recall95),
        "ordinary": {name: _flagged(model, posts, recall95) for name, posts in ordinary.items()},
        "contrast": _contrast(model),
    }


def _scores(posts: Sequence[LabelledPost], levels: Floats, high: Floats, threshold: float) -> dict[str, Any]:
    return {"n": len(posts)} | {
        task: {name: _rounded(value) for name, value in measured(each, Options()).items() if name in REPORTED[task]}
        for task, each in _answers(posts, levels, high, threshold).items()
    }


def _weighted_f1(posts: Sequence[LabelledPost], levels: Floats, high: Floats, threshold: float) -> dict[str, float]:
    answers = _answers(posts, levels, high, threshold)
    return {task: round(point_values(each)["weighted_f1"], 4) for task, each in answers.items()}


def _answers(posts: Sequence[LabelledPost], levels: Floats, high: Floats, threshold: float) -> dict[str, Answers]:
    return {
        "levels": of_levels([post.level or 0 for post in posts], levels),
        "high": of_high([bool(post.high) for post in posts], high, threshold),
    }


def _flagged(model: Model, posts: Sequence[Post], recall95: float) -> dict[str, Any]:
    assessed = model.assess(posts)
    return {
        "at_threshold": _share(np.array([each.high for each in assessed])),
        "at_recall95": _share(np.array([each.scope == "ok" and each.p_high >= recall95 for each in assessed])),
    }


def _share(flags: Any) -> dict[str, Any]:
    return {"n": len(flags)} | _rounded(wilson(int(flags.sum()), len(flags)))


def _contrast(model: Model) -> dict[str, Any]:
    posts = contrast.load()
    flagged = [each.high for each in model.assess(posts)]
    rates = contrast.by_category(posts, flagged)
    return {
        "n": len(posts),
        "pairs_told_apart": _rounded(contrast.pairs_told_apart(posts, flagged)),
        "categories": [
            {"category": rate.category, "high": rate.high, "n": rate.n, "flagged": rate.flagged} for rate in rates
        ],
    }


def _rounded(interval: Interval) -> dict[str, float]:
    return {name: round(getattr(interval, name), 4) for name in ("value", "low", "high")}
