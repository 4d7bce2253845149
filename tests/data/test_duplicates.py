from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.data.duplicates import SHORTEST, canonical, similar_between, similar_within, similarity
from tests.data.invented import FAR, NEAR, TEXT


@pytest.mark.parametrize("other", ["今天 好累！", "今天好累!", "今天好累！\u200b\n", "\ufeff今天\u3000好累！"])
def test_white_space_width_and_invisible_characters_make_no_difference(other: str) -> None:
    assert canonical(other) == canonical("今天好累！")


def test_case_makes_no_difference_but_a_word_does() -> None:
    assert canonical("ＯＫ ok") == "okok"
    assert canonical("好累") != canonical("好困")


def test_similarity_counts_shared_pairs_of_characters() -> None:
    assert similarity("甲乙丙", "甲乙丁") == 1 / 3
    assert similarity("甲乙丙", "甲乙丙") == 1
    assert similarity("甲", "乙") == 0


def test_near_texts_pair_and_others_do_not() -> None:
    (match,) = similar_within([FAR, TEXT, NEAR])
    assert (match.left, match.right) == (1, 2)
    assert match.similarity == similarity(TEXT, NEAR)


def test_short_texts_never_pair() -> None:
    assert similar_within(["想回家看看呀", "想回家看看呀"]) == []


def test_left_and_right_are_paired_across_only() -> None:
    matches = similar_between([TEXT, NEAR], [FAR, TEXT])
    assert [(match.left, match.right) for match in matches] == [(0, 1), (1, 1)]


@pytest.mark.parametrize(("left", "right"), [([], []), ([TEXT], []), ([], [TEXT]), (["短"], [TEXT])])
def test_nothing_to_compare_gives_nothing(left: list[str], right: list[str]) -> None:
    assert similar_between(left, right) == []


texts = st.lists(st.text("甲乙丙丁", min_size=SHORTEST - 2, max_size=14), max_size=12)


@settings(max_examples=60, deadline=None)
@given(texts, st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]))
def test_the_join_finds_exactly_what_comparing_every_pair_finds(texts: list[str], threshold: float) -> None:
    found = {(match.left, match.right): match.similarity for match in similar_within(texts, threshold)}
    pairs = ((i, j, similarity(texts[i], texts[j])) for i, j in combinations(range(len(texts)), 2))
    long = {i for i, text in enumerate(texts) if len(text) >= SHORTEST}
    assert found == {(i, j): s for i, j, s in pairs if s >= threshold and {i, j} <= long}
