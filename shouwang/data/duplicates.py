"""Texts that are the same, or nearly: an exact set-similarity join over character pairs.

Near duplicates are found by prefix filtering (Bayardo et al., WWW 2007; Xiao et al., WWW 2008): two sets with Jaccard
similarity t share at least one of their rarest elements, so only posts that do are compared, and every comparison is
exact. Unlike MinHash or SimHash nothing is missed, nothing is random, and there is nothing to tune but the threshold.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

THRESHOLD = 0.7
"""Jaccard similarity of character pairs from which two texts are near duplicates.

At 30 characters, the median of SOS-1K, two changed characters still count (25/33 = 0.76) and three do not (0.66).
"""

SHORTEST = 8
"""Texts with fewer characters are only ever exact duplicates: one character changes too much of them."""

SHINGLE = 2
ROWS_AT_ONCE = 1_000
PAIRS_AT_ONCE = 100_000
ROUNDING = 1e-9  # 0.7 · 30 may come out above 21


@dataclass(frozen=True, slots=True)
class Match:
    """Positions in the left and the right sequence, and the Jaccard similarity of their character pairs, 0–1."""

    left: int
    right: int
    similarity: float


def canonical(text: str) -> str:
    """What makes two texts the same: no white space or invisible characters, one width (NFKC), one case."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def similarity(left: str, right: str) -> float:
    """Jaccard similarity of the sets of character pairs of two canonical texts, 0–1."""
    a, b = _shingles(left), _shingles(right)
    return len(a & b) / len(a | b) if a | b else float(left == right)


def similar_within(texts: Sequence[str], threshold: float = THRESHOLD) -> list[Match]:
    """Every pair among canonical texts at or above the threshold, left < right; texts under 8 characters never pair.

    Equal texts pair too (similarity 1): pass distinct ones when there may be many equal.
    """
    positions = _long_enough(texts)
    sets = _incidence([texts[i] for i in positions])
    return _matches(sets, sets, positions, positions, threshold, above_diagonal=True)


def similar_between(left: Sequence[str], right: Sequence[str], threshold: float = THRESHOLD) -> list[Match]:
    """Every pair of a left and a right canonical text at or above the threshold; see `similar_within`."""
    rows, columns = _long_enough(left), _long_enough(right)
    sets = _incidence([left[i] for i in rows] + [right[i] for i in columns])
    return _matches(sets[: len(rows)], sets[len(rows) :], rows, columns, threshold)


def _shingles(text: str) -> set[str]:
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}


def _long_enough(texts: Sequence[str]) -> list[int]:
    return [i for i, text in enumerate(texts) if len(text) >= SHORTEST]


def _incidence(texts: Sequence[str]) -> Any:
    """Texts × character pairs, 0 or 1; columns from the rarest pair to the most common."""
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import CountVectorizer

    if not texts:
        return csr_array((0, 1), dtype=np.int32)
    counted = CountVectorizer(analyzer=_shingles, dtype=np.int32).fit_transform(texts)
    frequency = np.bincount(counted.indices, minlength=counted.shape[1])
    rank = np.empty_like(frequency)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
    sets = csr_array((counted.data, rank[counted.indices], counted.indptr), shape=counted.shape)
    sets.sort_indices()
    return sets


def _matches(
    left: Any, right: Any, rows: list[int], columns: list[int], threshold: float, *, above_diagonal: bool = False
) -> list[Match]:
    found: list[Match] = []
    sizes_left, sizes_right = np.diff(left.indptr), np.diff(right.indptr)
    for i, j in _candidates(_prefixes(left, threshold), _prefixes(right, threshold)):
        smaller, larger = np.minimum(sizes_left[i], sizes_right[j]), np.maximum(sizes_left[i], sizes_right[j])
        keep = smaller >= threshold * larger - ROUNDING
        keep &= (i < j) if above_diagonal else True
        i, j = i[keep], j[keep]
        shared = left[i].multiply(right[j]).sum(axis=1)
        jaccard = shared / (sizes_left[i] + sizes_right[j] - shared)
        found += [
            Match(rows[a], columns[b], float(value))
            for a, b, value in zip(i, j, jaccard, strict=True)
            if value >= threshold
        ]
    return found


def _prefixes(sets: Any, threshold: float) -> Any:
    """Of each set the rarest elements, so many that a similar set must hold one of them: |A| − ⌈t·|A|⌉ + 1."""
    from scipy.sparse import csr_array

    sizes = np.diff(sets.indptr)
    lengths = sizes - np.ceil(threshold * sizes - ROUNDING).astype(int) + 1
    place = np.arange(sets.nnz) - np.repeat(sets.indptr[:-1], sizes)
    kept = place < np.repeat(lengths, sizes)
    starts = np.concatenate([[0], np.cumsum(np.minimum(lengths, sizes))])
    return csr_array((sets.data[kept], sets.indices[kept], starts), shape=sets.shape)


def _candidates(left: Any, right: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of the pairs that share an element, in blocks of bounded size."""
    if not left.nnz or not right.nnz:
        return
    columns = right.T.tocsc()
    for start in range(0, left.shape[0], ROWS_AT_ONCE):
        i, j = (left[start : start + ROWS_AT_ONCE] @ columns).nonzero()
        for at in range(0, len(i), PAIRS_AT_ONCE):
            yield i[at : at + PAIRS_AT_ONCE] + start, j[at : at + PAIRS_AT_ONCE]
