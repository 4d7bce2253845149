"""A small linear model of which clauses of a post speak to whoever rates it. Trained by `benchmarks/steering.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from shouwang.text.ngrams import ngrams

FILE = Path(__file__).with_name("steering.safetensors")
BITS = 15
_EDGE = re.compile(  # behind punctuation, and at a blank between Han characters
    "(?<=[，,、:。!?;\n~|\\]】)}])|(?<=[\u4e00-\u9fff] )(?=[\u4e00-\u9fff])|(?<=\\.)(?=[\\s\u4e00-\u9fff])"
)
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """A sparse matrix (clauses × 2**BITS): every distinct n-gram of a clause by its idf, scaled to length 1."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats


@dataclass(frozen=True, slots=True)
class Detector:
    """`weights` [3, 2**BITS] of a clause's own n-grams, of the clause before it and of the one after it.

    A clause that scores above `leave` speaks to the rater, and so do its neighbours above `grow`; a post with a clause
    above `doubt` may do so.
    """

    idf: Floats
    weights: Floats
    bias: float
    leave: float
    grow: float
    doubt: float

    def scores(self, clauses: Sequence[str]) -> Floats:
        """Log-odds for each clause of one canonical post, in its order."""
        found = features(clauses, self.idf)
        own, before, after = (
            np.bincount(found.row, found.value * weight[found.column], len(clauses)) for weight in self.weights
        )
        own[1:] += before[:-1]
        own[:-1] += after[1:]
        return (own + self.bias).astype(np.float32)


@cache
def detector() -> Detector:
    """The one that ships with the project."""
    tensors = load_file(FILE)
    idf, weights = (tensors[name].astype(np.float32) for name in ("idf", "weights"))
    return Detector(idf, weights, *(float(each) for each in tensors["settings"]))


def clauses(canonical: str) -> list[str]:
    """The text in clauses, which together are the text; punctuation alone stays with what it follows."""
    found: list[str] = []
    for piece in _EDGE.split(canonical):
        if found and not any(map(str.isalnum, piece)):
            found[-1] += piece
        elif piece:
            found.append(piece)
    return found


def occurring(clauses: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Clause and n-gram of every single character and pair that stands in a clause, each once."""
    found = ngrams([clause.lower() for clause in clauses], BITS, 1, 2)
    row, column = np.divmod(np.unique((found.row << BITS) + found.column), 1 << BITS)
    return row, column


def features(clauses: Sequence[str], idf: Floats) -> Features:
    """Of single characters and pairs, in lower case."""
    row, column = occurring(clauses)
    length = np.sqrt(np.bincount(row, idf[column] ** 2, len(clauses)))
    return Features(row, column, (idf[column] / length[row]).astype(np.float32))
