"""A fine-tuned encoder as a reader of posts: windows of tokens, one answer from its heads, evidence by character."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from shouwang.models import reasons
from shouwang.models.batches import Ints, token_ids
from shouwang.models.heads import Task, probabilities, slices
from shouwang.models.mixture import HEADS, HIGH_HEAD, INDICATOR_HEADS
from shouwang.scale import HIGH_FROM, INDICATORS, LEVELS
from shouwang.text import Canonical
from shouwang.text.aligned import align

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TINY = 1e-12
MOST_PIECES = 48
"""Parts of a text that are left out one by one where evidence is by occlusion."""

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]
"""From logits (n, columns) to log-odds (n, targets)."""

_STRENGTHS = np.array([[each.expressed(name) for name in INDICATORS] for each in LEVELS], np.float64)  # None is nan
_SAID = ~np.isnan(_STRENGTHS)
_ON, _OFF = np.where(_SAID, _STRENGTHS, 0.0), np.where(_SAID, 1 - _STRENGTHS, 0.0)
_LONE = re.compile("[\ud800-\udfff]")


class Network(Protocol):
    """The weights, run by torch or by onnxruntime."""

    def __call__(self, posts: Sequence[Ints]) -> NDArray[np.float32]:
        """Logits (n, columns) of n ≥ 1 posts, unpadded; a post's do not depend on the others beyond rounding."""

    def contributions(self, ids: Ints, pieces: Ints, score: Score) -> Floats:
        """What every token of a post adds to every target (targets, tokens).

        `pieces` (tokens,) numbers the parts of the text that belong together, -1 for special tokens.
        """


@dataclass(frozen=True, slots=True)
class Finetuned:
    """`heads` as in `shouwang.models.heads`; `longest` is in tokens, ends included."""

    batch: ClassVar[int] = 128

    tokenizer: Tokenizer
    network: Network
    heads: Mapping[Task, int]
    longest: int

    def form(self, text: str) -> Canonical:
        """The text as it is: that is what the encoder was trained on. Half a surrogate pair becomes U+FFFD."""
        return align(_LONE.sub("\ufffd", text))

    def windows(self, text: str) -> list[tuple[int, int]]:
        """The whole text where it fits, as nearly every post does; else windows that share an eighth of their tokens."""
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.longest, stride=self.longest // 8)
        try:
            first = self.tokenizer.encode(text)
        finally:
            self.tokenizer.no_truncation()
        parts = [[place for place in each.offsets if place[0] < place[1]] for each in (first, *first.overflowing)]
        spans = sorted((part[0][0], part[-1][1]) for part in parts if part)
        if len(spans) < 2:
            return [(0, len(text))]
        return [(0, spans[0][1]), *spans[1:-1], (spans[-1][0], len(text))]

    def logits(self, texts: Sequence[str]) -> Floats:
        """Log-odds (n, `mixture.HEADS`); nan where neither a head nor the levels' table says anything."""
        return log_odds(self.network(token_ids(self.tokenizer, texts, self.longest)).astype(np.float64), self.heads)

    def added(self, texts: Sequence[str], wanted: Sequence[Sequence[int]]) -> list[dict[int, Floats]]:
        """As `Reader.added`: what a token adds is split evenly over its characters."""
        return [self._added(text, heads) for text, heads in zip(texts, wanted, strict=True)]

    def _added(self, text: str, wanted: Sequence[int]) -> dict[int, Floats]:
        self.tokenizer.enable_truncation(self.longest)
        try:
            encoding = self.tokenizer.encode(text)
        finally:
            self.tokenizer.no_truncation()
        starts, ends = (np.array(places, np.int64) for places in zip(*encoding.offsets, strict=True))
        shares = self.network.contributions(
            np.array(encoding.ids, np.int64),
            _pieces(text, starts, ends),
            lambda logits: answers(logits, self.heads)[:, list(wanted)],
        ).astype(np.float32)
        length = len(text) + 1  # one place more, where what reaches the end ends
        return {
            head: np.cumsum(reasons.steps(starts, ends, share, length)[:-1])
            for head, share in zip(wanted, shares, strict=True)
        }


def _pieces(text: str, starts: Ints, ends: Ints) -> Ints:
    """The word that each token begins in; neighbouring words together where there are more than `MOST_PIECES`."""
    firsts = np.array([word.start for word in reasons.words(text)], np.int64)
    words = np.searchsorted(firsts, starts, "right") - 1
    if len(firsts) > MOST_PIECES:
        words = words * MOST_PIECES // len(firsts)
    return np.where(starts < ends, words, -1)


# --- from an encoder's heads to all heads ---------------------------------------------------------------------------


def log_odds(logits: Floats, heads: Mapping[Task, int]) -> Floats:
    """`answers`, but nan for an indicator that the scale leaves open at the levels that hold most of the probability:
    about pain, the scale says nothing from level 4 on."""
    found = answers(logits, heads)
    if "levels" in heads:
        said = _mean(probabilities(logits, heads)["levels"], _SAID)
        found[:, INDICATOR_HEADS] = np.where(said >= 0.5, found[:, INDICATOR_HEADS], np.nan)
    return found


def answers(logits: Floats, heads: Mapping[Task, int]) -> Floats:
    """Log-odds (n, `mixture.HEADS`) from an encoder's logits (n, columns); nan where no head says anything.

    High is what its head says; without one, that the level counts as high (`scale.HIGH_FROM`). An indicator is its
    expected strength by the scale's table, among the levels at which the table says one.
    """
    found = np.full((len(logits), len(HEADS)), np.nan)
    if "levels" in heads:
        p = probabilities(logits, heads)["levels"]
        found[:, :HIGH_HEAD] = np.log(p + TINY)
        found[:, HIGH_HEAD] = _odds(p[:, HIGH_FROM:].sum(axis=1), p[:, :HIGH_FROM].sum(axis=1))
        found[:, INDICATOR_HEADS] = _odds(_mean(p, _ON), _mean(p, _OFF))
    if "high" in heads:
        low, high = logits[:, slices(heads)["high"]].T
        found[:, HIGH_HEAD] = high - low
    return found


def _mean(p: Floats, table: NDArray[np.floating | np.bool_]) -> Floats:
    """(n, indicators) under the probabilities of levels; a matrix product would round by the batch's size."""
    return np.asarray((p[:, :, None] * table).sum(axis=1))


def _odds(for_it: Floats, against: Floats) -> Floats:
    return np.asarray(np.log(for_it + TINY) - np.log(against + TINY))
