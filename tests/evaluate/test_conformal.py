from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import default_rng

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.conformal import certainty, contiguous, cross_conformal, level_cut, level_sets, uncertain_span


def giving_gold(*p: float) -> Floats:
    """Two levels; gold, level 0, gets these probabilities."""
    return np.array([[each, 1 - each] for each in p])


NINE = giving_gold(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def test_the_cut_is_the_probability_that_enough_gold_levels_reach() -> None:
    assert level_cut(NINE, [0] * 9, 0.9) == pytest.approx(0.1)  # ⌈10 · 0.9⌉ = all 9
    assert level_cut(NINE, [0] * 9, 0.8) == pytest.approx(0.2)  # 8 of 9


def test_too_few_posts_to_promise_the_coverage_keep_every_level() -> None:
    assert level_cut(NINE, [0] * 9, 0.95) == 0
    assert level_sets([[1.0, 0.0]], 0.0).all()


def test_a_set_holds_what_reaches_the_cut_and_always_the_most_probable() -> None:
    p = [[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]]
    assert level_sets(p, 0.3).tolist() == [[True, True, False], [True, True, False]]
    assert level_sets(p, 0.9).tolist() == [[True, False, False], [True, False, False]]


def test_contiguous_scores_fill_the_gap_between_two_peaks() -> None:
    scores = contiguous([[0.1, 0.4, 0.05, 0.3, 0.15]])
    assert scores.tolist() == [[0.1, 0.4, 0.3, 0.3, 0.15]]
    assert level_sets(scores, 0.3).tolist() == [[False, True, True, True, False]]


def test_sets_of_honest_probabilities_meet_their_coverage_on_other_folds() -> None:
    rng = default_rng(0)
    p = rng.dirichlet(np.full(11, 0.4), 2_000)
    gold = [int(rng.choice(11, p=row)) for row in p]
    found = cross_conformal(p, gold, np.arange(2_000) % 5, rng)
    assert found.held.low < 0.9 < found.held.high
    assert found.mean_size.low < found.mean_size.value < found.mean_size.high
    assert (sum(found.sizes), len(found.cuts)) == (2_000, 5)
    assert sum(size * count for size, count in enumerate(found.sizes, 1)) == pytest.approx(
        2_000 * found.mean_size.value
    )
    assert sum(share.n for share in found.by_level.values()) == 2_000


def test_each_fold_is_cut_by_the_others() -> None:
    p = np.concatenate([NINE, giving_gold(*[0.05] * 9)])
    found = cross_conformal(p, [0] * 18, [1] * 9 + [2] * 9, default_rng(0))
    assert found.cuts == pytest.approx((0.05, 0.1))
    assert (found.held.count, found.held.n) == (9, 18)  # fold 2's gold at 0.05 is below fold 1's cut
    assert found.by_level[0].count == 9


HIGH = [True] * 9 + [False] * 9


def test_the_span_lies_where_both_labels_remain_possible() -> None:
    p = np.array([0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9, 0.6, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert uncertain_span(p, HIGH, 0.9) == pytest.approx((0.3, 0.6))
    assert uncertain_span(p, HIGH, 0.8) == pytest.approx((0.5, 0.5))
    assert uncertain_span(p, HIGH, 0.95) == (0, 1)


def test_labels_that_are_told_apart_leave_the_gap_between_them_unsure() -> None:
    p = np.array([0.8] * 9 + [0.2] * 9)
    assert uncertain_span(p, HIGH) == pytest.approx((0.2, 0.8))


def test_certainty_counts_what_is_left_open_and_what_is_wrong() -> None:
    fold = np.tile(np.arange(2), 9)
    p = np.array([0.9] * 9 + [0.1] * 9)
    p[0] = 0.05  # a high post of fold 0
    found = certainty(p, HIGH, fold, 0.75)
    assert found.spans == (
        (0.1, 0.9),
        (0.05, 0.1),
    )  # fold 0 meets the span of fold 1, where nothing is between 0.1 and 0.9
    assert (found.missed.count, found.missed.n, found.alarms.count) == (1, 9, 0)
    assert (found.wrong.count, found.wrong.n, found.uncertain.count) == (
        1,
        5,
        13,
    )  # certain: that one and fold 1's four high posts


def test_both_labels_get_their_coverage() -> None:
    rng = default_rng(1)
    high = rng.random(4_000) < 0.3
    p = 1 / (1 + np.exp(-rng.normal(np.where(high, 1, -1), 1.5)))
    found = certainty(p, high, np.arange(4_000) % 5)
    for share in (found.missed, found.alarms):
        assert share.low < 0.1 < share.high
    assert found.wrong.n == 4_000 - found.uncertain.count


def test_what_cannot_be_cut_is_refused() -> None:
    with pytest.raises(InputError, match="coverage 90 is not between 0 and 1"):
        level_cut(NINE, [0] * 9, 90)
    with pytest.raises(InputError, match="at least one"):
        level_cut(np.zeros((0, 2)), [])
    with pytest.raises(InputError, match="outside 0–1"):
        level_cut(NINE, [2] * 9)
    with pytest.raises(InputError, match="18 probabilities are not numbers"):
        level_cut(np.full((9, 2), np.nan), [0] * 9)
    with pytest.raises(InputError, match="at least 2 folds"):
        cross_conformal(NINE, [0] * 9, [1] * 9, default_rng(0))
    with pytest.raises(InputError, match="9 high and 0 low"):
        uncertain_span(NINE[:, 0], [True] * 9)


def test_a_level_without_posts_has_no_share() -> None:
    found = cross_conformal(NINE, [0] * 9, np.arange(9) % 2, default_rng(0), 0.5)
    assert 1 not in found.by_level
    assert not math.isnan(found.by_level[0].value)
