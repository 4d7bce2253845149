from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.models.reasons import LEAST, MOST, Span, Word, steps, strongest, words


def single(length: int, silent: tuple[int, ...] = ()) -> list[Word]:
    """One word per character."""
    return [Word(place, place + 1, place not in silent) for place in range(length)]


@settings(max_examples=50, deadline=None)
@given(st.text("今天想喝茶，。😀 a1\n", max_size=20))
def test_words_follow_one_another_without_gaps(text: str) -> None:
    found = words(text)
    assert "".join(text[word.start : word.end] for word in found) == text
    assert all(one.end == other.start for one, other in pairwise(found))


def test_punctuation_and_emoji_are_not_spoken() -> None:
    text = "喝茶，😀"
    assert [text[word.start : word.end] for word in words(text) if word.spoken] == ["喝茶"]


def test_a_share_is_split_evenly_over_its_characters() -> None:
    starts, ends = np.array([0, 1, 1]), np.array([2, 2, 4])
    added = np.cumsum(steps(starts, ends, np.array([2, 5, 3], np.float32), 5))
    assert added.tolist() == [1, 1 + 5 + 1, 1, 1, 0]


def test_words_in_a_row_that_add_are_one_span() -> None:
    added = np.array([1.0, 2.0, -1.0, 4.0])
    assert strongest(single(4), added) == [Span(3, 4, 4.0), Span(0, 2, 3.0)]


def test_a_word_counts_whole() -> None:
    assert strongest([Word(0, 2, True)], np.array([3.0, -1.0])) == [Span(0, 2, 2.0)]
    assert strongest([Word(0, 2, True)], np.array([1.0, -3.0])) == []


def test_what_is_not_spoken_is_no_evidence_and_parts_spans() -> None:
    spans = strongest(single(3, silent=(1,)), np.array([1.0, 9.0, 2.0]))
    assert spans == [Span(2, 3, 2.0), Span(0, 1, 1.0)]


def test_only_the_heaviest_spans_are_shown_and_none_that_adds_little() -> None:
    added = np.array([each for weight in (1, 2, 3, 4) for each in (float(weight), -1.0)])
    assert [span.weight for span in strongest(single(8), added)] == pytest.approx([4, 3, 2])
    assert MOST == 3
    assert strongest(single(1), np.array([LEAST * 0.9])) == []


def test_no_text_no_spans() -> None:
    assert strongest([], np.array([])) == []
