from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.cues import CUES
from shouwang.models.features import HashedFeatures
from shouwang.text.ngrams import EDGE, Occurrences

FEATURES = HashedFeatures(bits=12)
NGRAMS = 1 << FEATURES.bits
TEXTS = st.lists(st.text("茶死想😀a，" + EDGE, max_size=12), min_size=1, max_size=5)


def found(occurrences: Occurrences, row: int) -> list[tuple[int, ...]]:
    """Column, start and end of a text's features, in order of place."""
    here = occurrences.row == row
    columns = (occurrences.column[here], occurrences.start[here], occurrences.end[here])
    return sorted(zip(*(each.tolist() for each in columns), strict=True))


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_the_features_of_a_text_do_not_depend_on_the_texts_beside_it(texts: list[str]) -> None:
    together = FEATURES.occurrences(texts)
    for row, text in enumerate(texts):
        assert found(together, row) == found(FEATURES.occurrences([text]), 0)


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_every_feature_has_a_column_and_stands_inside_its_text(texts: list[str]) -> None:
    occurrences = FEATURES.occurrences(texts)
    lengths = np.array([len(text) for text in texts])[occurrences.row]
    assert np.all((occurrences.column >= 0) & (occurrences.column < FEATURES.columns))
    assert np.all((occurrences.start >= 0) & (occurrences.start <= occurrences.end) & (occurrences.end <= lengths))


def test_two_characters_are_two_characters_three_pairs_two_threes_and_a_four() -> None:
    spans = [(start, end) for _, start, end in found(FEATURES.occurrences(["红茶"]), 0)]
    assert sorted(spans) == [(0, 1), (0, 1), (0, 2), (0, 2), (0, 2), (0, 2), (1, 2), (1, 2)]


def test_the_shortest_and_longest_n_gram_can_be_chosen() -> None:
    pairs = HashedFeatures(bits=12, shortest=2, longest=2).occurrences(["红茶"])
    assert [(start, end) for _, start, end in sorted(found(pairs, 0), key=lambda each: each[1:])] == [
        (0, 1),
        (0, 2),
        (1, 2),
    ]


def test_the_same_characters_have_the_same_column_wherever_they_stand() -> None:
    columns: dict[int, set[int]] = {}
    for column, start, end in found(HashedFeatures(shortest=2, longest=2).occurrences(["好茶好茶"]), 0):
        if end - start == 2:
            columns.setdefault(start, set()).add(column)
    assert columns[0] == columns[2] != columns[1]


def test_the_order_of_characters_matters() -> None:
    pair = HashedFeatures(shortest=2, longest=2)
    one, other = (pair.occurrences([text]).column for text in ("红茶", "茶红"))
    assert not set(one) & set(other)


def test_a_character_beyond_the_basic_plane_is_one_character() -> None:
    assert FEATURES.occurrences(["😀"]).end.max() == 1


def test_cues_follow_the_n_grams_each_in_its_own_column() -> None:
    cues = [each for each in found(FEATURES.occurrences(["我想死"]), 0) if each[0] >= NGRAMS]
    wish = [(start, end) for column, start, end in cues if CUES[column - NGRAMS].kind == "wish"]
    assert (1, 3) in wish


def test_an_empty_text_still_has_its_edges() -> None:
    assert found(FEATURES.occurrences([""]), 0)
    assert set(FEATURES.occurrences(["", "茶"]).row) == {0, 1}
