from __future__ import annotations

import numpy as np
import pytest

from shouwang.benchmark.averages import difference, intervals, pooled
from shouwang.evaluate import Answers, Options, measured, of_high
from shouwang.evaluate.metrics import accuracy, recalls

OPTIONS = Options(resamples=200)


def high(gold: str, predicted: str) -> Answers:
    """One digit per post."""
    return of_high([each == "1" for each in gold], [float(each) for each in predicted])


def test_one_round_and_one_seed_give_the_interval_of_the_file() -> None:
    answers = high("110010", "100011")
    assert intervals({"accuracy": accuracy}, [[answers]], OPTIONS)["accuracy"] == measured(answers, OPTIONS)["accuracy"]


def test_seeds_are_averaged_within_rounds_and_rounds_count_alike() -> None:
    rounds = [[high("11", "11"), high("11", "10")], [high("1100", "0011"), high("1100", "0011")]]
    assert intervals({"accuracy": accuracy}, rounds, OPTIONS)["accuracy"].value == pytest.approx((0.75 + 0) / 2)


def test_a_model_does_not_differ_from_itself_and_seeds_may_differ_in_number() -> None:
    answers = high("110010", "100011")
    same = difference(accuracy, [[answers, answers]], [[answers]], OPTIONS)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_difference_is_paired() -> None:
    right, wrong = high("10" * 10, "10" * 10), high("10" * 10, "01" * 10)
    found = difference(accuracy, [[right]], [[wrong]], OPTIONS)
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_pooled_rounds_score_a_class_that_one_round_lacks() -> None:
    rounds = [[high("11", "10")], [high("00", "00")]]
    found = intervals({"recall": recalls}, pooled(rounds), OPTIONS)
    assert found["recall/1"].value == 0.5
    assert np.isnan(intervals({"recall": recalls}, rounds, OPTIONS)["recall/1"].value)
