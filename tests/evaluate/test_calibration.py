from __future__ import annotations

import math

import numpy as np
import pytest

from shouwang.evaluate.answers import of_high, of_levels
from shouwang.evaluate.calibration import ece, fit_temperature, reliability, tempered


def test_four_posts_in_four_bins() -> None:
    answers = of_high([True, False, False, True], [0.95, 0.85, 0.15, 0.55])
    assert ece(answers) == pytest.approx((0.05 + 0.85 + 0.15 + 0.45) / 4)


def test_two_posts_in_one_bin_are_compared_as_a_group() -> None:
    answers = of_high([True, False], [0.81, 0.89])
    assert ece(answers) == pytest.approx(0.85 - 0.5)
    (only,) = [each for each in reliability(answers) if each.n]
    assert (only.low, only.high, only.n) == (0.8, 0.9, 2)
    assert (only.claimed, only.came_true) == pytest.approx((0.85, 0.5))


def test_levels_are_judged_by_the_most_probable_level() -> None:
    p = np.full((2, 11), 0.4 / 10)
    p[:, 3] = 0.6
    assert ece(of_levels([3, 5], p)) == pytest.approx(0.1)


def test_a_bin_holds_its_upper_edge_and_the_first_also_zero() -> None:
    counts = [each.n for each in reliability(of_high([True] * 4, [0.0, 0.1, 0.7, 1.0]))]
    assert counts == [2, 0, 0, 0, 0, 0, 1, 0, 0, 1]


def test_a_bin_without_posts_is_nan() -> None:
    assert math.isnan(reliability(of_high([True], [0.95]))[0].claimed)


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    honest = rng.dirichlet(np.ones(11), 3_000)
    gold = [int(rng.choice(11, p=p)) for p in honest]
    loud = of_levels(gold, tempered(honest, 0.5))
    assert fit_temperature(loud) == pytest.approx(2, rel=0.1)
    calmed = of_levels(gold, tempered(loud.probabilities, fit_temperature(loud)))
    assert ece(calmed) < ece(loud) / 3
