"""Agreement against published worked examples, and scikit-learn where it has the statistic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from shouwang.annotate.agreement import (
    AMONG,
    BETWEEN,
    Distance,
    alpha,
    by_interval,
    coincidences,
    confusions,
    difference,
    measured,
    nominal,
    ordinal,
    percentage,
    quadratic_kappa,
    specific,
    within_one,
)
from shouwang.kappa import kappa
from shouwang.resampling import Floats

COHEN = np.array([[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]])
"""Two judges' diagnoses of 200 patients, as proportions (Cohen 1960, used again in Cohen 1968)."""

_ = np.nan
KRIPPENDORFF = np.array(  # 4 observers, 12 units, values 1-5 (Krippendorff 2011, part C)
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T
levels = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=40)


def columns(pairs: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    both = np.array(pairs, dtype=np.float64)
    return both[:, :1], both[:, 1:]


def test_kappa_as_cohen_worked_it() -> None:
    assert percentage(COHEN) == pytest.approx(0.70)
    assert kappa(COHEN) == pytest.approx(0.492, abs=5e-4)


def test_weighted_kappa_as_cohen_worked_it() -> None:
    weights = np.array([[0.0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert kappa(COHEN, weights) == pytest.approx(0.348, abs=5e-4)


@pytest.mark.parametrize(("distance", "published"), [(nominal, 0.743), (ordinal, 0.815), (by_interval, 0.849)])
def test_alpha_as_krippendorff_worked_it(distance: Distance, published: float) -> None:
    table = coincidences(KRIPPENDORFF - 1, 5).sum(axis=0)
    assert alpha(table, distance) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [("0100000010", "1110010000", 0.095), ("aabbdcccedda", "babbbcccedd d".replace(" ", ""), 0.692)],
    ids=["A: two values", "B: five values"],
)
def test_alpha_of_two_observers_as_krippendorff_worked_it(first: str, second: str, published: float) -> None:
    names = sorted({*first, *second})
    pairs = [(names.index(a), names.index(b)) for a, b in zip(first, second, strict=True)]
    table = confusions(*columns(pairs), len(names)).sum(axis=0)
    assert BETWEEN["alpha-nominal"](table) == pytest.approx(published, abs=5e-4)


@settings(deadline=None, max_examples=40)
@given(levels)
def test_kappas_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    left, right = columns(pairs)
    table = confusions(left, right, 11).sum(axis=0)
    if len(set(left[:, 0])) == len(set(right[:, 0])) == 1:
        return  # scikit-learn answers 1 or nan with a warning where there is no chance to disagree
    judged = {"y1": left[:, 0], "y2": right[:, 0], "labels": range(11)}
    assert kappa(table) == pytest.approx(cohen_kappa_score(**judged))
    assert quadratic_kappa(table) == pytest.approx(cohen_kappa_score(**judged, weights="quadratic"))


@settings(deadline=None, max_examples=40)
@given(levels)
def test_alpha_of_two_is_the_same_from_either_table(pairs: list[tuple[int, int]]) -> None:
    left, right = columns(pairs)
    between = confusions(left, right, 11).sum(axis=0)
    among = coincidences(np.hstack([left, right]), 11).sum(axis=0)
    for name in ("alpha-nominal", "alpha-ordinal", "alpha-interval", "percentage", "within-one"):
        np.testing.assert_allclose(BETWEEN[name](between), AMONG[name](among))


def test_agreement_on_one_level_is_counted_among_those_who_gave_it() -> None:
    table = confusions(*columns([(0, 0), (0, 1), (1, 1), (1, 1)]), 3).sum(axis=0)
    np.testing.assert_allclose(specific(table), [2 / 3, 4 / 5, np.nan])
    assert within_one(table) == 1


def test_a_post_counts_once_however_many_meet_over_it() -> None:
    llm, people = np.array([[4.0], [5.0]]), np.array([[4.0, 5, 6], [5, np.nan, np.nan]])
    np.testing.assert_allclose(confusions(llm, people, 11).sum(axis=(1, 2)), [1, 1])


def test_what_nobody_else_rated_gives_no_table() -> None:
    assert not coincidences(np.array([[3.0, np.nan]]), 11).any()
    assert not confusions(np.array([[3.0]]), np.array([[np.nan]]), 11).any()


def test_without_a_meeting_everything_is_nan() -> None:
    found = measured(np.zeros((4, 11, 11)), AMONG, np.random.default_rng(0), 50)
    assert all(np.isnan(each.value) and each.undefined == 50 for each in found.values())


def test_an_interval_holds_its_value_and_narrows_with_more_posts() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 11, (400, 1)).astype(np.float64)
    other = np.clip(gold + rng.integers(-1, 2, gold.shape), 0, 10)
    widths = []
    for n in (50, 400):
        found = measured(confusions(gold[:n], other[:n], 11), BETWEEN, rng)["quadratic-kappa"]
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 1.5


def test_the_difference_of_two_is_paired_by_post() -> None:
    rng = np.random.default_rng(2)
    gold = rng.integers(0, 11, (200, 1)).astype(np.float64)
    noisy = np.clip(gold + rng.integers(-3, 4, gold.shape), 0, 10)
    same, worse = confusions(gold, gold, 11), confusions(gold, noisy, 11)
    found = difference(same, worse, kappa, rng)
    assert found.low > 0
    assert difference(worse, worse, kappa, rng).high == 0
