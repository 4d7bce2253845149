from __future__ import annotations

import json

import numpy as np
import pytest

from shouwang.models.mixture import HEADS, HIGH_HEAD, log_odds
from shouwang.posts import LabelledPost
from shouwang.train.builtin import measure
from shouwang.train.builtin.measure import REPORTED, Judged
from shouwang.train.builtin.sources import Rating, Row

N = 40
LEVELS = np.arange(N) % 11
FOLD = 1 + np.arange(N) % 5
DAYS = ("今天的茶很好喝", "下雨了没有带伞", "晚饭吃什么好呢")


def judged(right: bool = True) -> Judged:
    """Forty posts, read rightly or at the level that is farthest."""
    posts = [
        LabelledPost(f"p{i}", DAYS[i % 3] + "！" * i + "安眠药" * (i == 0), int(k), bool(k >= 6))
        for i, k in enumerate(LEVELS)
    ]
    logits = np.random.default_rng(0).normal(0, 0.3, (N, len(HEADS)))
    logits[np.arange(N), LEVELS if right else np.where(LEVELS > 5, 0, 10)] += 4
    logits[:, HIGH_HEAD] += np.where((LEVELS >= 6) == right, 3, -3)
    return Judged(posts, logits)


RIGHT, WRONG = judged(), judged(right=False)


def test_probabilities_and_gold_of_what_was_judged() -> None:
    np.testing.assert_allclose(RIGHT.levels.sum(axis=1), 1)
    assert ((RIGHT.p_high > 0) & (RIGHT.p_high < 1)).all()
    assert RIGHT.gold_levels.tolist() == LEVELS.tolist()
    assert RIGHT.gold_high.tolist() == (LEVELS >= 6).tolist()


def test_the_best_threshold_parts_high_from_low_and_is_the_lowest_that_does() -> None:
    p, gold = np.array([0.285, 0.415, 0.605, 0.715]), np.array([False, False, True, True])
    assert measure.best_threshold(p, gold) == 0.42


def test_rows_become_labelled_posts() -> None:
    assert measure.labelled([Row("a", "茶", 7, 1, 2)]) == [LabelledPost("a", "茶", 7, True)]


def test_of_rated_posts_those_rather_high_and_those_hardly_high_are_counted_apart() -> None:
    rows = [Row(f"r{i}", "", rating=Rating(5, 4, high)) for i, high in enumerate([0.5, 0.9, 0.3, 0.2, 0.0, 0.1])]
    found = measure.rated(rows, np.array([0.7, 0.2, 0.9, 0.8, 0.1, 0.3]), {"balanced": 0.5})
    assert (found["high"]["balanced"]["n"], found["high"]["balanced"]["value"]) == (2, 0.5)
    assert (found["low"]["balanced"]["n"], round(found["low"]["balanced"]["value"], 2)) == (3, 0.33)


def test_a_post_at_the_threshold_is_flagged() -> None:
    found = measure.flagged(np.array([0.1, 0.5, 0.9, 0.2]), 0.5)
    assert (found["n"], found["count"], found["value"]) == (4, 2, 0.5)
    assert found["low"] < 0.5 < found["high"]


def test_flags_are_counted_by_note() -> None:
    rows = [Row("a", "", note="sad"), Row("b", "", note="calm"), Row("c", "", note="sad")]
    found = measure.by_note(rows, np.array([0.9, 0.9, 0.1]), 0.5)
    assert {note: (each["n"], each["value"]) for note, each in found.items()} == {"sad": (2, 0.5), "calm": (1, 1.0)}


def test_scores_hold_every_reported_metric_with_its_interval_and_n() -> None:
    found = measure.scores(RIGHT, 0.5)
    assert found["n"] == N
    for task, names in REPORTED.items():
        assert set(found[task]) == set(names)
        assert all(set(each) == {"value", "low", "high"} for each in found[task].values())
        assert found[task]["weighted_f1"]["value"] == 1.0
    assert measure.scores(WRONG, 0.5)["levels"]["weighted_f1"]["value"] == 0.0
    json.dumps(found, allow_nan=False)


def test_by_fold_gives_mean_and_deviation_of_weighted_f1() -> None:
    half = Judged(RIGHT.posts, np.where((FOLD == 1)[:, None], WRONG.logits, RIGHT.logits))
    found = measure.by_fold(half, FOLD, 0.5)
    assert found["levels"]["mean"] == 0.8
    assert found["levels"]["sd"] == pytest.approx(np.std([0, 1, 1, 1, 1], ddof=1), abs=1e-4)


def test_the_floor_is_the_same_whoever_is_held_against_it() -> None:
    right, wrong = (measure.against_floor(each, FOLD, 0.5) for each in (RIGHT, WRONG))
    for task in ("levels", "high"):
        assert (right[task]["first"], wrong[task]["first"]) == (1.0, 0.0)
        assert right[task]["second"] == wrong[task]["second"] == -wrong[task]["value"]
        assert right[task]["value"] == pytest.approx(1 - right[task]["second"])
        assert right[task]["low"] <= right[task]["value"] <= right[task]["high"]


def test_operating_points_come_from_the_same_posts_and_ordinary_ones() -> None:
    found = measure.operating(RIGHT, np.array([0.01, 0.02, 0.99, 0.03]))
    assert set(found.points) == {"recall95", "recall99", "balanced"}
    balanced = found.points["balanced"]
    assert (balanced.recall, balanced.flagged_low, balanced.flagged_everyday) == (1.0, 0.0, 0.25)
    assert balanced.threshold == measure.best_threshold(RIGHT.p_high, RIGHT.gold_high)


def test_level_sets_hold_the_truth_as_often_as_they_say() -> None:
    sets, sure = measure.sets(RIGHT), measure.sureness(RIGHT, FOLD)
    held = [post.level in sets.levels(row.tolist()) for post, row in zip(RIGHT.posts, RIGHT.levels, strict=True)]
    assert np.mean(held) >= sets.coverage == sure["coverage"] == 0.9
    assert set(sure) == {"coverage", "held", "mean_size", "held_by_level", "uncertain", "wrong", "missed", "alarms"}
    assert sure["mean_size"]["value"] == pytest.approx(1, abs=0.2)


def test_slices_say_n_and_parts_without_a_figure_say_none() -> None:
    found = measure.by_slice(RIGHT, 0.5)
    assert sum(each["n"] for name, each in found.items() if name.startswith("level ")) == N
    assert (found["with method words"]["n"], found["without method words"]["n"]) == (1, N - 1)
    assert found["level 2"] == {"n": 4, "weighted_f1": None, "mae": 0.0, "recall_of_high": None}
    json.dumps(found, allow_nan=False)


def test_probabilities_keep_their_log_odds() -> None:
    np.testing.assert_allclose(log_odds(RIGHT.p_high), RIGHT.logits[:, HIGH_HEAD])
