"""Hashed character n-grams and cues, each with the characters it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shouwang import cues
from shouwang.text.ngrams import Occurrences, ngrams


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
        parts = [ngrams(texts, self.bits, self.shortest, self.longest), _cues(texts, 1 << self.bits)]
        return Occurrences(*(np.concatenate([getattr(part, name) for part in parts]) for name in Occurrences.__slots__))


def _cues(texts: Sequence[str], first_column: int) -> Occurrences:
    found = [
        (row, first_column + cue, start, end) for row, text in enumerate(texts) for cue, start, end in cues.find(text)
    ]
    return Occurrences(*np.array(found, dtype=np.int64).reshape(-1, 4).T)
