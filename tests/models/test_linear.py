from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.models.features import HashedFeatures
from shouwang.models.linear import CUE_WEIGHT, HashedLinear, counts, weighted
from shouwang.text.ngrams import Occurrences
from tests import examples

TEXTS = [post.text for post in examples.labelled()]
HEADS = 3


def occurrences(row: list[int], column: list[int]) -> Occurrences:
    return Occurrences(*(np.array(each, dtype=np.int64) for each in (row, column, row, row)))


@pytest.fixture(scope="module")
def linear() -> HashedLinear:
    features, random = HashedFeatures(bits=12), np.random.default_rng(0)
    return HashedLinear(
        features,
        idf=random.uniform(1, 5, features.columns).astype(np.float32),
        weights=random.normal(0, 2, (features.columns, HEADS)).astype(np.float32),
        bias=np.array([-1.0, 0.5, 2.0], np.float32),
    )


def test_counts_by_hand() -> None:
    entries = counts(occurrences([0, 0, 0, 1], [3, 3, 1, 3]), columns=5)
    assert entries.row.tolist() == [0, 0, 1]
    assert entries.column.tolist() == [1, 3, 3]
    assert entries.value.tolist() == [1, 2, 1]
    assert entries.of.tolist() == [1, 1, 0, 2]


def test_weights_by_hand_n_grams_have_length_1_and_cues_are_found_or_not() -> None:
    entries = counts(occurrences([0, 0, 0, 0, 0], [0, 1, 1, 4, 4]), columns=5)
    value = weighted(entries, idf=np.array([3, 1, 1, 1, 1], np.float32), first_cue=4).value
    twice = 1 + math.log(2)
    length = math.hypot(3, twice)
    assert value.tolist() == pytest.approx([3 / length, twice / length, CUE_WEIGHT])


def test_a_text_with_no_n_gram_divides_by_nothing() -> None:
    entries = counts(occurrences([0], [4]), columns=5)
    assert weighted(entries, np.ones(5, np.float32), first_cue=4).value.tolist() == pytest.approx([CUE_WEIGHT])


def test_log_odds_are_the_sum_of_all_shares_and_the_bias(linear: HashedLinear) -> None:
    logits, found, entries = linear.explained(TEXTS)
    for head in range(HEADS):
        shares = linear.shares(found, entries, head).astype(np.float64)
        sums = np.bincount(found.row, shares, len(TEXTS)) + linear.bias[head]
        np.testing.assert_allclose(logits[:, head], sums, rtol=0, atol=1e-5)


def test_an_entrys_part_is_split_evenly_over_its_occurrences(linear: HashedLinear) -> None:
    _, found, entries = linear.explained(["好茶好茶"])
    shares = linear.shares(found, entries, 0)
    tea = (found.start == 0) & (found.end == 1) & np.isin(found.column, found.column[found.start == 2])
    again = (found.start == 2) & (found.end == 3) & np.isin(found.column, found.column[tea])
    assert tea.sum() == 1
    assert shares[tea] == shares[again]


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.sampled_from([*TEXTS, "", "😀"]), min_size=1, max_size=6))
def test_log_odds_of_a_text_are_the_same_alone_and_among_others(linear: HashedLinear, texts: list[str]) -> None:
    together = linear.logits(texts)
    assert [linear.logits([text])[0].tolist() for text in texts] == together.tolist()
