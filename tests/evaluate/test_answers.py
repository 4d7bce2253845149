from __future__ import annotations

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.evaluate.answers import of_high, of_levels, sums_by_group
from tests.evaluate.invented import sure_of


def test_the_most_probable_level_is_predicted_and_the_lowest_of_equals() -> None:
    p = sure_of(3, 7)
    p[1] = 1 / 11
    assert of_levels([3, 7], p).predicted.tolist() == [3, 0]


def test_high_begins_at_the_threshold() -> None:
    assert of_high([True, False], [0.5, 0.49]).predicted.tolist() == [1, 0]
    assert of_high([True, False], [0.5, 0.49], threshold=0.2).predicted.tolist() == [1, 1]


def test_rounded_probabilities_are_brought_to_sum_to_one() -> None:
    assert of_levels([0], sure_of(0) * 0.9995).probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("gold", "probabilities", "complaint"),
    [
        ([], np.zeros((0, 11)), "no posts"),
        ([1, 2], sure_of(1), "shape"),
        ([1], sure_of(1)[:, :10], "shape"),
        ([11], sure_of(1), "outside 0–10"),
        ([1.5], sure_of(1), "not whole"),
        ([np.nan], sure_of(1), "not whole"),
        ([None], sure_of(1), "not whole"),
        ([1], sure_of(1) * 0.5, "sum to 1"),
        ([1], sure_of(1) * np.nan, "not a number"),
    ],
)
def test_what_is_not_a_distribution_over_levels_is_refused(
    gold: list[int], probabilities: list[float], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        of_levels(gold, probabilities)


def test_a_probability_of_high_above_one_is_refused() -> None:
    with pytest.raises(InputError, match="outside 0–1"):
        of_high([True], [1.2])


def test_levels_in_the_place_of_high_or_low_are_refused() -> None:
    with pytest.raises(InputError, match="gold holds 2 labels outside 0–1"):
        of_high([7, 0, 6], [0.1, 0.9, 0.2])  # type: ignore[list-item]


def test_weights_add_up_within_groups_and_a_group_without_posts_holds_none() -> None:
    weights = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 1.0]])
    assert sums_by_group(weights, np.array([2, 0, 2]), 4).tolist() == [[2, 0, 4, 0], [1, 0, 1, 0]]
