"""How a model reads a post: which form of its text, in which windows, and what every character adds to a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shouwang.models import reasons
from shouwang.models.blend import Blend
from shouwang.models.linear import HashedLinear
from shouwang.text import Canonical, canonical

WINDOW = 400
"""Canonical characters that the built-in model reads at once."""

STRIDE = 350
Logits = NDArray[np.floating]
Floats = NDArray[np.float64]


class Reader(Protocol):
    """`batch` texts are read at once."""

    @property
    def batch(self) -> int: ...

    def form(self, text: str) -> Canonical:
        """The text as the model was trained to see it, and where each of its characters came from."""

    def windows(self, text: str) -> list[tuple[int, int]]:
        """The parts of such a text that are read one by one, from character to character; one at least."""

    def logits(self, texts: Sequence[str]) -> Logits:
        """Log-odds (n, `mixture.HEADS`) of parts; nan where the model cannot say."""

    def added(self, texts: Sequence[str], wanted: Sequence[Sequence[int]]) -> list[dict[int, Floats]]:
        """For each part and each of its wanted heads, the log-odds that each character adds to it."""


@dataclass(frozen=True, slots=True)
class CanonicalReader:
    """Of the built-in models: canonical text in windows of characters; evidence is exact in the linear member."""

    heads: HashedLinear | Blend

    @property
    def batch(self) -> int:
        return self.heads.batch

    def form(self, text: str) -> Canonical:
        return canonical(text)

    def windows(self, text: str) -> list[tuple[int, int]]:
        starts = range(0, max(len(text) - WINDOW + STRIDE, 1), STRIDE)
        return [(start, min(start + WINDOW, len(text))) for start in starts]

    def logits(self, texts: Sequence[str]) -> Logits:
        return self.heads.logits(texts)

    def added(self, texts: Sequence[str], wanted: Sequence[Sequence[int]]) -> list[dict[int, Floats]]:
        _, occurrences, entries = self.heads.explained(texts)
        # one place more for each, where what reaches its end ends
        before = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])])
        starts, ends = (places + before[occurrences.row] for places in (occurrences.start, occurrences.end))
        found: list[dict[int, Floats]] = [{} for _ in texts]
        for head in sorted({head for heads in wanted for head in heads}):
            shares = self.heads.shares(occurrences, entries, head)
            steps = reasons.steps(starts, ends, shares, before[-1])
            for row, heads in enumerate(wanted):
                if head in heads:
                    found[row][head] = np.cumsum(steps[before[row] : before[row + 1] - 1])
        return found
