"""Hashed character n-grams and cues, each with the characters it stands on.

Hashing keeps no vocabulary, so a model file spells nobody's post out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang import cues

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


@dataclass(frozen=True, slots=True)
class HashedFeatures:
    """Character n-grams of `shortest` to `longest`, hashed into 2**bits columns; each cue follows as one column."""

    bits: int = 18
    shortest: int = 1
    longest: int = 4

    @property
    def columns(self) -> int:
        return (1 << self.bits) + len(cues.CUES)

    def occurrences(self, texts: Sequence[str]) -> Occurrences:
        """The features of canonical texts."""
        parts = [self._ngrams(texts), _cues(texts, 1 << self.bits)]
        return Occurrences(*(np.concatenate([getattr(part, name) for part in parts]) for name in Occurrences.__slots__))

    def _ngrams(self, texts: Sequence[str]) -> Occurrences:
        lengths = np.array([len(text) + 2 for text in texts], dtype=np.int64)
        joined = "".join(f"{EDGE}{text}{EDGE}" for text in texts)
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
        row = np.repeat(np.arange(len(texts)), lengths)
        place = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths) - 1
        parts = []
        hashed = np.zeros_like(codes)
        for n in range(1, self.longest + 1):
            hashed = hashed[: len(codes) - n + 1] * _MULTIPLIER + codes[n - 1 :] + np.uint64(n)
            whole = np.flatnonzero(row[: len(hashed)] == row[n - 1 :])
            if n == 1:
                whole = whole[codes[whole] != ord(EDGE)]
            if n >= self.shortest:
                start = np.maximum(place[whole], 0)
                end = np.minimum(place[whole] + n, lengths[row[whole]] - 2)
                parts.append((row[whole], _mix(hashed[whole]) >> np.uint64(64 - self.bits), start, end))
        return Occurrences(*(np.concatenate(arrays).astype(np.int64) for arrays in zip(*parts, strict=True)))


def _mix(hashed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3 (Appleby), so that the high bits depend on every character."""
    hashed = (hashed ^ (hashed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    hashed = (hashed ^ (hashed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return hashed ^ (hashed >> np.uint64(33))


def _cues(texts: Sequence[str], first_column: int) -> Occurrences:
    found = [
        (row, first_column + cue, start, end) for row, text in enumerate(texts) for cue, start, end in cues.find(text)
    ]
    return Occurrences(*np.array(found, dtype=np.int64).reshape(-1, 4).T)
