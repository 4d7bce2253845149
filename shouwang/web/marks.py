"""A text cut at the edges of its evidence, so that a page can mark every piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from shouwang.language import Words
from shouwang.posts import Evidence
from shouwang.scale import INDICATOR_NAMES

LEGEND: dict[str, Words] = {str(name): words for name, words in INDICATOR_NAMES.items()}
LEGEND["high"] = Words("high risk", "高风险")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters under the same indicators, which are in the scale's order; none where nothing is marked."""

    text: str
    kinds: tuple[str, ...]


def pieces(text: str, evidence: Iterable[Evidence]) -> Iterator[Piece]:
    """The whole text in order; offsets outside it are ignored."""
    spans = [(max(0, e.start), min(len(text), e.end), str(e.indicator)) for e in evidence]
    spans = [span for span in spans if span[0] < span[1]]
    edges = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    for start, end in pairwise(edges):
        kinds = {kind for first, last, kind in spans if first <= start and end <= last}
        yield Piece(text[start:end], tuple(kind for kind in LEGEND if kind in kinds))
