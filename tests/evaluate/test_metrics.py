from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from shouwang.evaluate.answers import Answers, of_high, of_levels
from shouwang.evaluate.metrics import METRICS, confusions, f1s, measure, precisions, recalls, support, task_of
from tests.evaluate.invented import random_high, random_levels, said, sure_of

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 60)


def test_ten_posts_counted_by_hand() -> None:
    found = measure(said(gold=[0, 0, 0, 4, 4, 7, 7, 7, 9, 10], predicted=[0, 0, 4, 4, 7, 7, 7, 0, 9, 9]))
    assert found["accuracy"] == pytest.approx(6 / 10)
    assert found["mae"] == pytest.approx((4 + 3 + 7 + 1) / 10)
    assert found["far_off"] == pytest.approx(3 / 10)
    assert found["high_level_recall"] == pytest.approx(4 / 5)
    f1 = {0: 4 / 6, 4: 2 / 4, 7: 4 / 6, 9: 2 / 3, 10: 0.0}
    assert found["macro_f1"] == pytest.approx(sum(f1.values()) / 5)
    assert found["weighted_f1"] == pytest.approx((3 * f1[0] + 2 * f1[4] + 3 * f1[7] + f1[9]) / 10)


def test_quadratic_weighted_kappa_of_four_posts() -> None:
    # cost: 2 errors of one level; by chance 22 / 4
    assert measure(said([0, 1, 2, 2], [0, 2, 2, 1]))["qwk"] == pytest.approx(1 - 2 / 5.5)


def test_ranking_of_four_posts_with_a_tie() -> None:
    found = measure(of_high([True, False, True, False], [0.9, 0.8, 0.3, 0.3]))
    assert found["auroc"] == pytest.approx(2.5 / 4)
    assert found["auprc"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 4)
    assert found["brier"] == pytest.approx((0.1**2 + 0.8**2 + 0.7**2 + 0.3**2) / 4)


def test_the_confusion_matrix_has_gold_by_row() -> None:
    counts = confusions(said([1, 1, 2], [1, 2, 2]))
    assert (counts[1, 1], counts[1, 2], counts[2, 1], counts[2, 2], counts.sum()) == (1, 1, 0, 1, 3)


def test_a_level_that_nobody_has_or_says_is_nan_and_not_a_warning() -> None:
    answers = said([1, 1, 2], [1, 3, 1])
    assert np.isnan(recalls(answers)[[0, 3]]).all()
    assert np.isnan(precisions(answers)[[0, 2]]).all()
    assert np.isnan(f1s(answers)[0])
    assert f1s(answers)[2] == 0


def test_one_level_everywhere() -> None:
    found = measure(said([4, 4], [4, 4]))
    assert math.isnan(found["qwk"])
    assert math.isnan(found["high_level_recall"])
    assert found["accuracy"] == found["weighted_f1"] == found["macro_f1"] == 1


def test_high_without_a_single_high_post() -> None:
    found = measure(of_high([False, False], [0.1, 0.2]))
    assert all(math.isnan(found[name]) for name in ("precision", "recall", "f1", "auroc", "auprc"))
    assert found["accuracy"] == 1


def test_high_without_a_single_low_post() -> None:
    found = measure(of_high([True, True], [0.1, 0.9]))
    assert math.isnan(found["auroc"])
    assert (found["auprc"], found["recall"]) == (1, 0.5)


def averages(answers: Answers) -> dict[str, float]:
    found: dict[str, float] = {}
    for average in ("weighted", "macro"):
        scores = sk.precision_recall_fscore_support(answers.gold, answers.predicted, average=average, zero_division=0)
        found |= dict(zip((f"{average}_precision", f"{average}_recall", f"{average}_f1"), scores[:3], strict=True))
    return found


@given(seed=SEEDS, n=SIZES, classes=st.integers(2, 11))
@settings(max_examples=40, deadline=None)
def test_levels_agree_with_scikit_learn(seed: int, n: int, classes: int) -> None:
    answers = random_levels(np.random.default_rng(seed), n, classes)
    found, gold, predicted = measure(answers), answers.gold, answers.predicted
    expected = averages(answers) | {
        "accuracy": sk.accuracy_score(gold, predicted),
        "mae": sk.mean_absolute_error(gold, predicted),
        "brier": sk.brier_score_loss(gold, answers.probabilities, labels=range(11), scale_by_half=False),
    }
    if len({*gold, *predicted}) > 1:
        expected["qwk"] = sk.cohen_kappa_score(gold, predicted, weights="quadratic", labels=range(11))
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    each = sk.precision_recall_fscore_support(gold, predicted, labels=range(11), zero_division=np.nan)
    for ours, theirs in zip((precisions, recalls, f1s, support), each, strict=True):
        np.testing.assert_allclose(ours(answers), theirs)


@given(seed=SEEDS, n=SIZES)
@settings(max_examples=40, deadline=None)
def test_high_agrees_with_scikit_learn(seed: int, n: int) -> None:
    answers = random_high(np.random.default_rng(seed), n)
    found, gold, p = measure(answers), answers.gold, answers.probabilities[:, 1]
    expected = averages(answers) | {"accuracy": sk.accuracy_score(gold, answers.predicted)}
    expected["brier"] = sk.brier_score_loss(gold, p, labels=[0, 1])
    if gold.any():
        expected["auprc"] = sk.average_precision_score(gold, p)
        expected["recall"] = sk.recall_score(gold, answers.predicted)
        expected["f1"] = sk.f1_score(gold, answers.predicted)
    if gold.any() and not gold.all():
        expected["auroc"] = sk.roc_auc_score(gold, p)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@given(seed=SEEDS, n=st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_a_weighted_post_counts_as_that_many_posts(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, n)
    weights[0] = 1
    for answers in (random_levels(rng, n), random_high(rng, n)):
        repeated = np.repeat(np.arange(n), weights)
        again = Answers(answers.gold[repeated], answers.probabilities[repeated], answers.predicted[repeated])
        for name, metric in METRICS[task_of(answers)].items():
            both = np.stack([weights, np.ones(n)]).astype(np.float64)
            expected = [metric.of(again, None), metric.of(answers, None)]
            np.testing.assert_allclose(metric.of(answers, both), expected, atol=1e-12, err_msg=name)


def test_a_perfect_model_scores_perfectly_at_every_metric() -> None:
    gold = [*range(11)] * 2
    for name, value in measure(of_levels(gold, sure_of(*gold))).items():
        assert value == (0 if METRICS["levels"][name].lower_is_better else 1), name
