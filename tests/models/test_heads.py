from __future__ import annotations

import math

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.models.heads import Task, cumulative, probabilities, slices


def test_thresholds_become_probabilities_by_differences() -> None:
    odds = np.log([[3.0, 1.0, 1 / 3]])  # above the first level 3/4, the second 1/2, the third 1/4
    assert cumulative(odds).tolist()[0] == pytest.approx([0.25, 0.25, 0.25, 0.25])


def test_thresholds_out_of_order_never_make_a_probability_negative() -> None:
    found = cumulative(np.array([[-1.0, 2.0, -3.0], [-1e4, 1e4, 0.0]]))
    assert (found >= 0).all()
    assert found.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_two_heads_share_one_row_of_logits() -> None:
    logits = np.zeros((2, 13))
    logits[:, 12] = math.log(3)
    found = probabilities(logits, {"levels": 11, "high": 2})
    assert found["levels"].tolist()[1] == pytest.approx([1 / 11] * 11)
    assert found["high"].tolist()[0] == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("heads", [{"levels": 11}, {"high": 2}, {"levels": 10, "high": 2}])
def test_a_level_head_has_eleven_probabilities_even_from_ten_thresholds(heads: dict[Task, int]) -> None:
    found = probabilities(np.zeros((1, sum(heads.values()))), heads)
    assert {task: p.shape[1] for task, p in found.items()} == {t: {"levels": 11, "high": 2}[t] for t in heads}


@pytest.mark.parametrize("heads", [{"levels": 7}, {"classes": 2}])
def test_heads_of_another_make_are_refused(heads: dict[Task, int]) -> None:
    with pytest.raises(InputError, match="expected levels"):
        slices(heads)
