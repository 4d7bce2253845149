"""Whether the evidence shown is what the score rests on: deletion tests.

Comprehensiveness and sufficiency (ERASER, DeYoung et al. 2020, arXiv 1911.03429), each against chance: as many
characters, in runs of the same lengths, at random places outside the evidence. Evidence never falls on punctuation or
blanks, a random run may; and a text with holes is like nothing the model has read. So the difference says that the
evidence matters more than other places do, not how much it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.intervals import Difference, Share, mean_difference, wilson

Scorer = Callable[[Sequence[str]], Floats]
Mask = NDArray[np.bool_]

DRAWS = 10
POSTS_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Drops:
    """How far the scores of n posts with evidence fall (n,): when it is removed, when it alone is left, and the mean
    of both over random places. `crowded` (n,): evidence fills more than half of the text, and these may lie on it."""

    removed: Floats
    removed_at_random: Floats
    kept: Floats
    kept_at_random: Floats
    crowded: Mask
    without_evidence: int


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """`comprehensiveness`: mean drop without the evidence (first) and without random places (second); above 0 is good.

    `with_room`: the same over posts that are not crowded, where random places never touch the evidence.
    `sufficiency`: mean drop with nothing but random places (first) and nothing but the evidence (second); above 0 is
    good. `larger`: share of posts that lose more without their evidence than without random places.
    """

    n: int
    without_evidence: int
    crowded: int
    comprehensiveness: Difference
    with_room: Difference
    sufficiency: Difference
    larger: Share


def drops(
    texts: Sequence[str],
    spans: Sequence[Sequence[tuple[int, int]]],
    scorer: Scorer,
    rng: np.random.Generator,
    draws: int = DRAWS,
    progress: Callable[[int], None] = lambda posts: None,
) -> Drops:
    """What each text's score loses; `spans` are characters from start up to end, texts without any are only counted.

    The scorer maps texts to scores (n,) of any unit; `progress` is told how many posts were done since the last time.
    Raises InputError when the lengths differ, or when a span lies outside its text.
    """
    if len(texts) != len(spans):
        raise InputError(f"{len(texts)} texts but evidence for {len(spans)}: one list of spans per text is needed")
    evidence = [_mask(text, each) for text, each in zip(texts, spans, strict=True)]
    found = [(text, mask) for text, mask in zip(texts, evidence, strict=True) if mask.any()]
    rows = []
    for start in range(0, len(found), POSTS_AT_ONCE):
        some = found[start : start + POSTS_AT_ONCE]
        rows.append(_lost(some, [[elsewhere(mask, rng) for _ in range(draws)] for _, mask in some], scorer))
        progress(len(some))
    removed, kept, removed_at_random, kept_at_random = np.concatenate([np.zeros((4, 0)), *rows], axis=1)
    crowded = np.array([2 * mask.sum() > len(mask) for _, mask in found], dtype=bool)
    return Drops(removed, removed_at_random, kept, kept_at_random, crowded, len(texts) - len(found))


def faithfulness(parts: Sequence[Drops], rng: np.random.Generator) -> Faithfulness:
    """What the drops of one or more parts (such as folds, each with its own model) say together."""
    removed, removed_at_random, kept, kept_at_random = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("removed", "removed_at_random", "kept", "kept_at_random")
    )
    roomy = ~np.concatenate([part.crowded for part in parts])
    return Faithfulness(
        len(removed),
        sum(part.without_evidence for part in parts),
        int((~roomy).sum()),
        mean_difference(removed, removed_at_random, rng),
        mean_difference(removed[roomy], removed_at_random[roomy], rng),
        mean_difference(kept_at_random, kept, rng),
        wilson(int((removed > removed_at_random).sum()), len(removed)),
    )


def elsewhere(evidence: Mask, rng: np.random.Generator) -> Mask:
    """As many characters outside the evidence, in runs of the same lengths; a run that no place can hold is halved.

    Evidence that fills more than half of the text leaves too little: then they lie anywhere.
    """
    lengths = sorted(_runs(evidence), reverse=True)
    if 2 * sum(lengths) > len(evidence):
        return _anywhere(len(evidence), lengths, rng)
    chosen = np.zeros_like(evidence)
    while lengths:
        length = lengths.pop(0)
        taken = np.convolve(evidence | chosen, np.ones(length), "valid")
        free = np.flatnonzero(taken < 0.5)
        if len(free):
            start = rng.choice(free)
            chosen[start : start + length] = True
        else:
            lengths = sorted([*lengths, length // 2, length - length // 2], reverse=True)
    return chosen


def _anywhere(size: int, lengths: Sequence[int], rng: np.random.Generator) -> Mask:
    """Runs in random order with random gaps."""
    chosen = np.zeros(size, dtype=bool)
    before = np.sort(rng.integers(0, size - sum(lengths) + 1, len(lengths)))
    shuffled = rng.permutation(lengths)
    for start, length in zip(before + np.cumsum(shuffled) - shuffled, shuffled, strict=True):
        chosen[start : start + length] = True
    return chosen


def _lost(some: Sequence[tuple[str, Mask]], chance: Sequence[Sequence[Mask]], scorer: Scorer) -> Floats:
    """Drops (4, posts): evidence removed, evidence kept, and the means of random places removed and kept."""
    readings = [
        [text, *(_only(text, ~mask) for mask in (here, *drawn)), *(_only(text, mask) for mask in (here, *drawn))]
        for (text, here), drawn in zip(some, chance, strict=True)
    ]
    scores = np.asarray(scorer([reading for each in readings for reading in each]), dtype=np.float64)
    table = scores.reshape(len(some), -1)
    without, alone = np.split(table[:, :1] - table[:, 1:], 2, axis=1)
    return np.stack([without[:, 0], alone[:, 0], without[:, 1:].mean(axis=1), alone[:, 1:].mean(axis=1)])


def _only(text: str, mask: Mask) -> str:
    return "".join(character for character, here in zip(text, mask, strict=True) if here)


def _mask(text: str, spans: Sequence[tuple[int, int]]) -> Mask:
    mask = np.zeros(len(text), dtype=bool)
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise InputError(f"evidence from {start} to {end} in a text of {len(text)} characters: it lies outside")
        mask[start:end] = True
    return mask


def _runs(mask: Mask) -> list[int]:
    """Lengths of the runs of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [int(length) for length in edges[1::2] - edges[::2]]
