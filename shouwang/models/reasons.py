"""Why a score is what it is: the words that add most to an indicator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 3
"""Spans that are shown for one indicator."""

LEAST = 0.4
"""Log-odds that a span must add to be shown."""

Places = NDArray[np.int64]
Floats = NDArray[np.float64]


class Word(NamedTuple):
    """Characters `start` up to `end`; a word that is not `spoken` (punctuation, blanks, emoji) is no evidence."""

    start: int
    end: int
    spoken: bool


class Span(NamedTuple):
    """Characters `start` up to `end` of the text and the log-odds that they add."""

    start: int
    end: int
    weight: float


def steps(starts: Places, ends: Places, shares: NDArray[np.float32], length: int) -> Floats:
    """How much more each of `length` characters adds than the one before it, when every share is split evenly over
    its characters. Sum them within one text: a sum over several would round differently beside other texts."""
    each = shares / np.maximum(ends - starts, 1)
    return np.asarray(np.bincount(starts, each, length) - np.bincount(ends, each, length))


def words(text: str) -> list[Word]:
    """The text cut into words, which follow one another without gaps."""
    import rjieba

    found: list[Word] = []
    start = 0
    for word in rjieba.cut(text):
        found.append(Word(start, start + len(word), any(map(str.isalnum, word))))
        start += len(word)
    return found


def strongest(text_words: Sequence[Word], added: Floats) -> list[Span]:
    """The runs of words that add most, heaviest first; `added` has one number per character of the text."""
    before = np.concatenate([[0.0], np.cumsum(added)])
    spans = [Span(start, end, float(before[end] - before[start]) * spoken) for start, end, spoken in text_words]
    runs = [
        Span(run[0].start, run[-1].end, sum(span.weight for span in run))
        for adds, group in groupby(spans, key=lambda span: span.weight > 0)
        if adds and (run := list(group))
    ]
    return sorted((run for run in runs if run.weight >= LEAST), key=lambda run: -run.weight)[:MOST]
