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
    somewhat too high. None where there are no such posts.
    """

    threshold: float
    high_posts: int
    everyday_posts: int
    kinds: Mapping[str, Disguised]
    loss: Difference
    rise: Difference

    @property
    def worst_loss(self) -> str | None:
        return max(self.kinds, key=lambda kind: self.kinds[kind].loss.value) if self.high_posts else None

    @property
    def worst_rise(self) -> str | None:
        return max(self.kinds, key=lambda kind: self.kinds[kind].rise.value) if self.everyday_posts else None


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Scores of n texts, high ones first: clean (n,) and by kind (n,), and by kind which texts it changes (n,)."""

    high: int
    clean: Floats
    disguised: Mapping[str, Floats]
    changed: Mapping[str, Flags]


def readings(
    high: Sequence[str],
    everyday: Sequence[str],
    scorer: Scorer,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    seed: int = 0,
    progress: Callable[[int], None] = lambda texts: None,
) -> Readings:
    """Texts of high and of everyday posts scored clean and in every kind.

    The scorer maps at most 256 texts at a time to scores (n,); `progress` is told how many were scored since the last
    time, of (1 + kinds) · (high + everyday) in all. A kind draws the same disguises whatever other kinds are asked for.
    Raises InputError for an unknown kind or none, MissingExtraError where pypinyin is not installed.
    """
    if not kinds:
        raise InputError(f"no kind of obfuscation named; known: {', '.join(KINDS)}")
    texts = [*high, *everyday]
    clean = _scores(texts, scorer, progress)
    disguised, changed = {}, {}
    for kind in kinds:
        said = disguises(texts, kind, seed)
        disguised[kind] = _scores(said, scorer, progress)
        changed[kind] = np.array([before != after for before, after in zip(texts, said, strict=True)], dtype=bool)
    return Readings(len(high), clean, disguised, changed)


def robustness(
    parts: Sequence[Readings], threshold: float, *, kinds: Sequence[str] | None = None, seed: int = 0
) -> Robustness:
    """What the readings of one or more parts (such as folds, each with its own model) say together, of some kinds or
    of all that were read; flagged from `threshold` on."""
    kinds = kinds or list(parts[0].disguised)
    is_high = np.concatenate([np.arange(len(part.clean)) < part.high for part in parts])
    clean = np.concatenate([part.clean for part in parts]) >= threshold
    flags = {kind: np.concatenate([part.disguised[kind] for part in parts]) >= threshold for kind in kinds}
    changed = {kind: np.concatenate([part.changed[kind] for part in parts]) for kind in kinds}
    found = {
        kind: Disguised(
            *_moved(clean, flags[kind], is_high, seed),
            int(changed[kind][is_high].sum()),
            int(changed[kind][~is_high].sum()),
        )
        for kind in kinds
    }
    loss, rise = _moved(clean, np.mean(list(flags.values()), axis=0), is_high, seed)
    return Robustness(threshold, int(is_high.sum()), int((~is_high).sum()), found, loss, rise)


def disguises(texts: Sequence[str], kind: str, seed: int) -> list[str]:
    """Every text with all that the kind can disguise disguised; a text alone gets what it gets among others."""
    return [obfuscate(text, kind, np.random.default_rng([seed, *text.encode()])) for text in texts]


def _moved(clean: Flags, flags: Flags | Floats, is_high: Flags, seed: int) -> tuple[Difference, Difference]:
    rng = np.random.default_rng(seed)
    return (
        mean_difference(clean[is_high], flags[is_high], rng),
        mean_difference(flags[~is_high], clean[~is_high], rng),
    )


def _scores(texts: Sequence[str], scorer: Scorer, progress: Callable[[int], None]) -> Floats:
    scores = np.zeros(len(texts))
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = texts[start : start + TEXTS_AT_ONCE]
        scores[start : start + len(some)] = scorer(some)
        progress(len(some))
    return scores
