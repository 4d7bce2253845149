"""A linear model over hashed features: several heads, exact reasons, a few megabytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shouwang.models.features import HashedFeatures
from shouwang.text.ngrams import Occurrences

CUE_WEIGHT = 0.15
"""A cue's value where it is found; all n-grams of a text together have length 1."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entries:
    """A sparse matrix (texts × columns), sorted by row; `of` gives the entry that each occurrence went into."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats
    of: NDArray[np.int64]


def counts(occurrences: Occurrences, columns: int) -> Entries:
    """How often each feature stands in each text."""
    keys, of, number = np.unique(
        occurrences.row * columns + occurrences.column, return_inverse=True, return_counts=True
    )
    return Entries(keys // columns, keys % columns, number.astype(np.float32), of)


def weighted(entries: Entries, idf: Floats, first_cue: int) -> Entries:
    """Sublinear TF-IDF, scaled to length 1 over a text's n-grams; cues count as found or not.

    (1 + ln tf) · idf, as scikit-learn's TfidfVectorizer with sublinear_tf.
    """
    is_cue = entries.column >= first_cue
    ngrams = np.where(is_cue, 0.0, (1 + np.log(entries.value.astype(np.float64))) * idf[entries.column])
    length = np.sqrt(np.bincount(entries.row, ngrams**2))
    value = np.where(is_cue, CUE_WEIGHT, ngrams / np.maximum(length, 1e-9)[entries.row])
    return Entries(entries.row, entries.column, value.astype(np.float32), entries.of)


@dataclass(frozen=True, slots=True)
class HashedLinear:
    """`weights` (columns × heads), `idf` (columns), `bias` (heads): log-odds of each head for a text.

    `batch` texts are read at once.
    """

    batch: ClassVar[int] = 256

    features: HashedFeatures
    idf: Floats
    weights: Floats
    bias: Floats

    def logits(self, texts: Sequence[str]) -> Floats:
        """Log-odds, one row per text and one column per head."""
        return self.explained(texts)[0]

    def explained(self, texts: Sequence[str]) -> tuple[Floats, Occurrences, Entries]:
        """The log-odds, and the occurrences and entries that they are the sum of."""
        occurrences = self.features.occurrences(texts)
        entries = weighted(counts(occurrences, self.features.columns), self.idf, 1 << self.features.bits)
        first = np.searchsorted(entries.row, np.arange(len(texts)))  # every text has an entry: its edges
        sums = np.add.reduceat(entries.value[:, None] * self.weights[entries.column], first, axis=0)
        return (sums + self.bias).astype(np.float32), occurrences, entries

    def shares(self, occurrences: Occurrences, entries: Entries, head: int) -> Floats:
        """What each occurrence adds to the head's log-odds: an entry's part is split evenly over its occurrences."""
        part = entries.value * self.weights[entries.column, head]
        return np.asarray((part / np.bincount(entries.of))[entries.of], dtype=np.float32)
