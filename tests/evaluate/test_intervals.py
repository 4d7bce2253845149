from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import default_rng

from shouwang.errors import InputError
from shouwang.evaluate.answers import of_high, of_levels
from shouwang.evaluate.intervals import bootstrap, compare, mean, mean_difference, wilson
from shouwang.evaluate.metrics import METRICS, PER_CLASS, accuracy
from tests.evaluate.invented import random_levels, said, sure_of

ACCURACY = {"accuracy": accuracy}


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    answers = random_levels(default_rng(0), 50)
    brier = {"brier": METRICS["levels"]["brier"].of}
    once, again, other = (bootstrap(brier, answers, default_rng(seed), 200) for seed in (1, 1, 2))
    assert once == again != other


def test_an_interval_holds_its_value_and_is_as_wide_as_the_binomial_says() -> None:
    answers = said([1] * 250, [1] * 150 + [2] * 100)
    found = bootstrap(ACCURACY, answers, default_rng(0))["accuracy"]
    assert found.value == 0.6
    half = 1.96 * math.sqrt(0.6 * 0.4 / 250)
    assert (found.low, found.high) == pytest.approx((0.6 - half, 0.6 + half), abs=0.012)


def test_about_95_of_100_intervals_hold_the_truth() -> None:
    rng, held = default_rng(0), 0
    for _ in range(300):
        right = rng.random(120) < 0.7
        answers = of_levels([1] * 120, sure_of(*np.where(right, 1, 2)))
        found = bootstrap(ACCURACY, answers, rng, 400)["accuracy"]
        held += found.low <= 0.7 <= found.high
    assert 0.91 <= held / 300 <= 0.98


def test_resamples_without_a_single_high_post_are_left_out_and_counted() -> None:
    answers = of_high([True, False, False], [0.9, 0.1, 0.2])
    found = bootstrap({"recall": METRICS["high"]["recall"].of}, answers, default_rng(0), 1_000)["recall"]
    assert (found.low, found.high) == (1, 1)
    assert found.undefined / 1_000 == pytest.approx((2 / 3) ** 3, abs=0.05)


def test_a_metric_that_is_never_defined_has_no_interval() -> None:
    found = bootstrap({"qwk": METRICS["levels"]["qwk"].of}, said([4], [4]), default_rng(0), 10)["qwk"]
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert found.undefined == 10


def test_a_metric_per_level_comes_apart_by_level() -> None:
    found = bootstrap(PER_CLASS, said([0, 10], [0, 10]), default_rng(0), 10)
    assert found["f1/10"].value == 1
    assert len(found) == 33


def test_many_posts_are_resampled_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = random_levels(default_rng(0), 40)
    whole = bootstrap(ACCURACY, answers, default_rng(0), 30)
    monkeypatch.setattr("shouwang.resampling.CELLS_AT_ONCE", 100)
    assert bootstrap(ACCURACY, answers, default_rng(0), 30) == whole


def test_a_model_compared_with_itself_differs_by_nothing() -> None:
    answers = random_levels(default_rng(0), 50)
    found = compare(ACCURACY, answers, answers, default_rng(0), 200)["accuracy"]
    assert (found.value, found.low, found.high, found.wrong_side) == (0, 0, 0, 1)


def test_a_model_that_is_better_on_most_posts_is_on_the_right_side() -> None:
    gold = [1] * 100
    good, bad = said(gold, [1] * 90 + [2] * 10), said(gold, [1] * 60 + [2] * 40)
    found = compare(ACCURACY, good, bad, default_rng(0))["accuracy"]
    assert (found.value, found.first, found.second) == pytest.approx((0.3, 0.9, 0.6))
    assert 0 < found.low < found.high < 0.4
    assert found.wrong_side == 0
    assert compare(ACCURACY, bad, good, default_rng(0))["accuracy"].value == pytest.approx(-0.3)


def test_pairing_narrows_the_interval() -> None:
    gold = [1] * 100
    first, second = said(gold, [1] * 50 + [2] * 50), said(gold, [1] * 48 + [2] * 52)
    paired = compare(ACCURACY, first, second, default_rng(0))["accuracy"]
    alone = bootstrap(ACCURACY, first, default_rng(0))["accuracy"]
    assert paired.high - paired.low < (alone.high - alone.low) / 2


def test_predictions_for_other_posts_cannot_be_paired() -> None:
    with pytest.raises(InputError, match="same posts"):
        compare(ACCURACY, said([1], [1]), said([2], [1]), default_rng(0))


def test_no_resamples_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        bootstrap(ACCURACY, said([1], [1]), default_rng(0), 0)


def test_a_mean_of_any_numbers_has_an_interval() -> None:
    found = mean([-1.0] * 50 + [3.0] * 50, default_rng(0))
    assert found.value == 1
    half = 1.96 * 2 / math.sqrt(100)
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half), abs=0.03)


def test_a_difference_that_is_the_same_on_every_post_has_no_width() -> None:
    found = mean_difference([1.0, 2.0, 5.0], [0.5, 1.5, 4.5], default_rng(0), 100)
    assert (found.value, found.low, found.high, found.wrong_side) == pytest.approx((0.5, 0.5, 0.5, 0))
    assert (found.first, found.second) == pytest.approx((8 / 3, 8 / 3 - 0.5))


def test_no_posts_have_no_mean_and_no_difference() -> None:
    assert math.isnan(mean([], default_rng(0), 10).value)
    assert math.isnan(mean_difference([], [], default_rng(0), 10).low)


def test_numbers_of_other_posts_cannot_be_paired() -> None:
    with pytest.raises(InputError, match="two numbers for each post"):
        mean_difference([1.0], [1.0, 2.0], default_rng(0))


def test_wilson_interval_as_published() -> None:
    """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
    assert (round(wilson(81, 263).low, 4), round(wilson(81, 263).high, 4)) == (0.2553, 0.3662)
    assert (wilson(81, 263).count, wilson(81, 263).n) == (81, 263)
    assert (round(wilson(0, 20).low, 4), round(wilson(0, 20).high, 4)) == (0.0, 0.1611)
