"""Hashed character n-grams, each with the characters it stands on.

Hashing keeps no vocabulary, so a file of weights spells nobody's post out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGE = "\x02"  # stands before and after every text, so that first and last characters are features
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every feature at every place: arrays of equal length.

    `row` is the text's index, `column` the feature, `start`/`end` the characters of that text (EDGE clipped away).
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def ngrams(texts: Sequence[str], bits: int, shortest: int, longest: int) -> Occurrences:
    """Character n-grams of `shortest` to `longest`, hashed into 2**bits columns."""
    lengths = np.array([len(text) + 2 for text in texts], dtype=np.int64)
    joined = "".join(f"{EDGE}{text}{EDGE}" for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    row = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths) - 1
    parts = []
    hashed = np.zeros_like(codes)
    for n in range(1, longest + 1):
        hashed = hashed[: len(codes) - n + 1] * _MULTIPLIER + codes[n - 1 :] + np.uint64(n)
        whole = np.flatnonzero(row[: len(hashed)] == row[n - 1 :])
        if n == 1:
            whole = whole[codes[whole] != ord(EDGE)]
        if n >= shortest:
            start = np.maximum(place[whole], 0)
            end = np.minimum(place[whole] + n, lengths[row[whole]] - 2)
            parts.append((row[whole], _mix(hashed[whole]) >> np.uint64(64 - bits), start, end))
    return Occurrences(*(np.concatenate(arrays).astype(np.int64) for arrays in zip(*parts, strict=True)))


def _mix(hashed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3 (Appleby), so that the high bits depend on every character."""
    hashed = (hashed ^ (hashed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    hashed = (hashed ^ (hashed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return hashed ^ (hashed >> np.uint64(33))
