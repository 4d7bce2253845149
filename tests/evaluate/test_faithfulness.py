from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.random import default_rng

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.faithfulness import Drops, drops, elsewhere, faithfulness


def count_of_a(texts: Sequence[str]) -> Floats:
    return np.array([text.count("a") for text in texts], dtype=np.float64)


def length(texts: Sequence[str]) -> Floats:
    return np.array([len(text) for text in texts], dtype=np.float64)


def mask(pattern: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([character == "x" for character in pattern])


def test_a_score_that_rests_on_the_evidence_alone() -> None:
    found = faithfulness(
        [drops(["bbaabbbb", "abbbbb"], [[(2, 4)], [(0, 1)]], count_of_a, default_rng(0))], default_rng(0)
    )
    assert (found.n, found.without_evidence, found.crowded) == (2, 0, 0)
    assert (found.comprehensiveness.first, found.comprehensiveness.second) == (1.5, 0)
    assert (found.sufficiency.first, found.sufficiency.second) == (1.5, 0)  # the evidence alone keeps the whole score
    assert (found.larger.count, found.larger.value) == (2, 1)


def test_a_score_that_is_the_length_loses_the_same_anywhere() -> None:
    found = faithfulness([drops(["bbaabbbb"] * 5, [[(2, 4)]] * 5, length, default_rng(0))], default_rng(0))
    assert (found.comprehensiveness.first, found.comprehensiveness.second) == (2, 2)
    assert (found.comprehensiveness.value, found.comprehensiveness.low, found.comprehensiveness.high) == (0, 0, 0)
    assert found.larger.count == 0


def test_evidence_that_is_beside_the_point_is_found_out() -> None:
    found = faithfulness([drops(["aaaabaaaa"] * 5, [[(4, 5)]] * 5, count_of_a, default_rng(0))], default_rng(0))
    assert found.comprehensiveness.value == -1
    assert found.sufficiency.value == -1


def test_posts_without_evidence_are_counted_and_left_out() -> None:
    found = drops(["aab", "bbb"], [[(0, 1)], []], count_of_a, default_rng(0))
    assert (found.removed.tolist(), found.without_evidence) == ([1], 1)
    nothing = faithfulness([drops(["bbb"], [[]], count_of_a, default_rng(0))], default_rng(0))
    assert nothing.n == 0
    assert math.isnan(nothing.comprehensiveness.value)


def test_folds_are_put_together() -> None:
    parts = [drops([text], [[(0, 1)]], count_of_a, default_rng(0)) for text in ("abb", "bab")]
    found = faithfulness(parts, default_rng(0))
    assert (found.n, found.comprehensiveness.first) == (2, 0.5)


@pytest.mark.parametrize("pattern", ["oxxoooooxo", "oooxoo", "xoxoxoooooo"])
def test_random_places_are_as_many_in_runs_as_long_outside_the_evidence(pattern: str) -> None:
    evidence, rng = mask(pattern), default_rng(0)
    drawn = [elsewhere(evidence, rng) for _ in range(50)]
    assert all(each.sum() == evidence.sum() and not (each & evidence).any() for each in drawn)
    assert len({each.tobytes() for each in drawn}) > 1


def test_a_run_that_no_place_can_hold_is_halved() -> None:
    assert elsewhere(mask("ooxxxxoo"), default_rng(0)).tolist() == mask("xxooooxx").tolist()


@pytest.mark.parametrize("pattern", ["xxxo", "xoxoxoxx", "x", "xxoxx", "oxxxxo"])
def test_where_there_is_no_room_they_are_still_as_many(pattern: str) -> None:
    evidence, rng = mask(pattern), default_rng(0)
    assert all(elsewhere(evidence, rng).sum() == evidence.sum() for _ in range(50))


def test_posts_without_room_elsewhere_are_counted() -> None:
    found = drops(["aaab", "abbb"], [[(0, 3)], [(0, 1)]], count_of_a, default_rng(0))
    assert found.crowded.tolist() == [True, False]
    together = faithfulness([found], default_rng(0))
    assert (together.crowded, together.with_room.value, together.with_room.first) == (1, 1, 1)


def test_spans_that_overlap_count_once() -> None:
    found = drops(["aaaabbbbbb"], [[(0, 3), (1, 4)]], count_of_a, default_rng(0))
    assert found.removed.tolist() == [4]


def test_progress_is_told_and_the_seed_decides() -> None:
    told: list[int] = []

    def run(seed: int) -> Drops:
        return drops(["abab" * 5] * 40, [[(0, 3)]] * 40, count_of_a, default_rng(seed), 2, told.append)

    assert np.array_equal(run(1).removed_at_random, run(1).removed_at_random)
    assert not np.array_equal(run(1).removed_at_random, run(2).removed_at_random)
    assert told[:2] == [32, 8]


def test_evidence_outside_its_text_is_refused() -> None:
    with pytest.raises(InputError, match="evidence from 2 to 5 in a text of 3"):
        drops(["abc"], [[(2, 5)]], count_of_a, default_rng(0))
    with pytest.raises(InputError, match="2 texts but evidence for 1"):
        drops(["a", "b"], [[]], count_of_a, default_rng(0))
