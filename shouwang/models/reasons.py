"""Why a score is what it is: the words that add most to an indicator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import rjieba
from numpy.typing import NDArray

MOST = 3
"""Spans that are shown for one indicator."""

LEAST = 0.15
"""Log-odds that a span must add to be shown."""


class Span(NamedTuple):
    """Characters `start` up to `end` of the text and the log-odds that they add."""

    start: int
    end: int
    weight: float


def spread(
    starts: NDArray[np.int64], ends: NDArray[np.int64], shares: NDArray[np.float32], length: int
) -> NDArray[np.float64]:
    """What each of `length` characters adds, when every share is split evenly over its characters."""
    steps = np.zeros(length + 1)
    each = shares / np.maximum(ends - starts, 1)
    np.add.at(steps, starts, each)
    np.add.at(steps, ends, -each)
    return np.cumsum(steps)[:length]


def strongest(text: str, added: Sequence[float] | NDArray[np.float64]) -> list[Span]:
    """The runs of words that add most, heaviest first; `added` has one number per character of the text."""
    runs = [
        Span(group[0].start, group[-1].end, sum(span.weight for span in group))
        for positive, spans in groupby(_words(text, np.asarray(added)), key=lambda span: span.weight > 0)
        if positive and (group := list(spans))
    ]
    return sorted((run for run in runs if run.weight >= LEAST), key=lambda run: -run.weight)[:MOST]


def _words(text: str, added: NDArray[np.float64]) -> Iterator[Span]:
    start = 0
    for word in rjieba.cut(text):
        end = start + len(word)
        yield Span(start, end, float(added[start:end].sum()) if any(map(str.isalnum, word)) else 0.0)
        start = end
