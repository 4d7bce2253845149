"""What a model still sees of disguised posts: recall lost and false flags gained, for every kind of obfuscation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.intervals import Difference, mean_difference
from shouwang.evaluate.obfuscate import KINDS, obfuscate

Scorer = Callable[[Sequence[str]], Floats]
Flags = NDArray[np.bool_]

TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Disguised:
    """One kind of obfuscation, all posts disguised. Shares lie in 0–1, of all posts, also those that it left unchanged.

    `loss`: recall of high posts clean (first) minus disguised (second). `rise`: share of everyday posts flagged
    disguised (first) minus clean (second). `changed`, `everyday_changed`: posts that the kind does change.
    """

    loss: Difference
    rise: Difference
    changed: int
    everyday_changed: int


@dataclass(frozen=True, slots=True)
class Robustness:
    """`loss` and `rise` as in `Disguised`, a post counting with its mean over kinds; nan where there are no posts.

    `worst_loss` and `worst_rise` name the kind with the highest value: the highest of many noisy numbers, hence
    somewhat too high.
    """

    threshold: float
    high_posts: int
    everyday_posts: int
    kinds: Mapping[str, Disguised]
    loss: Difference
    rise: Difference

    @property
    def worst_loss(self) -> str:
        return max(self.kinds, key=lambda kind: self.kinds[kind].loss.value)

    @property
    def worst_rise(self) -> str:
        return max(self.kinds, key=lambda kind: self.kinds[kind].rise.value)


def robustness(
    high: Sequence[str],
    everyday: Sequence[str],
    scorer: Scorer,
    threshold: float,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    seed: int = 0,
    progress: Callable[[int], None] = lambda texts: None,
) -> Robustness:
    """Texts of high and of everyday posts scored clean and in every kind; flagged from `threshold` on.

    The scorer maps at most 256 texts at a time to scores (n,); `progress` is told how many were scored since the last
    time, of (1 + kinds) · (high + everyday) in all. A kind draws the same disguises whatever other kinds are asked for.
    Raises InputError for an unknown kind or none, MissingExtraError where pypinyin is not installed.
    """
    if not kinds:
        raise InputError(f"no kind of obfuscation named; known: {', '.join(KINDS)}")
    texts = [*high, *everyday]
    clean = _flags(texts, scorer, threshold, progress)
    found, seen = {}, []
    for kind in kinds:
        disguised = disguises(texts, kind, seed)
        flags = _flags(disguised, scorer, threshold, progress)
        changed = np.array([before != after for before, after in zip(texts, disguised, strict=True)], dtype=bool)
        loss, rise = _moved(clean, flags, len(high), seed)
        found[kind] = Disguised(loss, rise, int(changed[: len(high)].sum()), int(changed[len(high) :].sum()))
        seen.append(flags)
    loss, rise = _moved(clean, np.mean(seen, axis=0), len(high), seed)
    return Robustness(threshold, len(high), len(everyday), found, loss, rise)


def disguises(texts: Sequence[str], kind: str, seed: int) -> list[str]:
    """Every text with all that the kind can disguise disguised; a text alone gets what it gets among others."""
    return [obfuscate(text, kind, np.random.default_rng([seed, *text.encode()])) for text in texts]


def _moved(clean: Flags, flags: Flags | Floats, high: int, seed: int) -> tuple[Difference, Difference]:
    rng = np.random.default_rng(seed)
    return mean_difference(clean[:high], flags[:high], rng), mean_difference(flags[high:], clean[high:], rng)


def _flags(texts: Sequence[str], scorer: Scorer, threshold: float, progress: Callable[[int], None]) -> Flags:
    flags = np.zeros(len(texts), dtype=bool)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = texts[start : start + TEXTS_AT_ONCE]
        flags[start : start + len(some)] = np.asarray(scorer(some)) >= threshold
        progress(len(some))
    return flags
