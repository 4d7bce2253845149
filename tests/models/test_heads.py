from __future__ import annotations

import math

import numpy as np
import pytest

from shouwang.models.heads import Heads, cumulative, heads_for


def test_thresholds_become_probabilities_by_differences() -> None:
    odds = np.log([[3.0, 1.0, 1 / 3]])  # above the first level 3/4, the second 1/2, the third 1/4
    assert cumulative(odds).tolist()[0] == pytest.approx([0.25, 0.25, 0.25, 0.25])


def test_thresholds_out_of_order_never_make_a_probability_negative() -> None:
    found = cumulative(np.array([[-1.0, 2.0, -3.0], [-1e4, 1e4, 0.0]]))
    assert (found >= 0).all()
    assert found.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_two_heads_share_one_row_of_logits() -> None:
    heads = heads_for(("levels", "high"))
    assert (heads.columns, len(heads.names), heads.names[-2:]) == (13, 13, ["low", "high"])
    logits = np.zeros((2, 13))
    logits[:, 12] = math.log(3)
    found = heads.probabilities(logits)
    assert found["levels"].shape == (2, 11)
    assert found["high"][0].tolist() == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(
    ("heads", "columns"),
    [(heads_for(("levels",)), 11), (heads_for(("high",)), 2), (heads_for(("levels", "high"), "cumulative"), 12)],
)
def test_heads_have_their_columns_and_are_read_back(heads: Heads, columns: int) -> None:
    assert heads.columns == len(heads.names) == columns
    assert heads.probabilities(np.zeros((1, columns))).keys() == heads.slices.keys()
    assert Heads.from_json(heads.to_json()) == heads
