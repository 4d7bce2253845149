"""Answers that say how sure they are: sets of levels with a stated coverage, and the posts that are neither high nor low.

Split conformal prediction (Vovk, Gammerman and Shafer 2005), score 1 - p(y), "LAC" (Sadinle, Lei and Wasserman 2019):
of all scores of this kind it gives the smallest sets on average. The coverage is a promise about all posts together,
drawn as the calibrating ones were, and holds for no single level; `cross_conformal` says what each level gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats, Ints
from shouwang.evaluate.intervals import Interval, Share, mean, wilson

Flags = NDArray[np.bool_]

COVERAGE = 0.9


@dataclass(frozen=True, slots=True)
class LevelSets:
    """How sets of levels did on n posts: the share that holds gold, and how many levels a set has (1–K).

    `sizes`: how many sets have 1, 2, … K levels. `by_level`: the share that holds gold, by gold level; SOS-1K has
    only some 30–200 posts of a level, so read each with its interval. `cuts`: one for each fold, smallest first.
    """

    n: int
    held: Share
    mean_size: Interval
    sizes: tuple[int, ...]
    by_level: Mapping[int, Share]
    cuts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Certainty:
    """How the span of uncertainty did on n posts; `wrong` counts among the certain ones, `kept` among all.

    `missed`: high posts that are certainly low, of all high posts; `alarms`: low posts that are certainly high, of all
    low posts. Each is at most 1 minus the coverage, but for chance.
    """

    n: int
    uncertain: Share
    wrong: Share
    missed: Share
    alarms: Share
    spans: tuple[tuple[float, float], ...]


def level_cut(probabilities: ArrayLike, gold: ArrayLike, coverage: float = COVERAGE) -> float:
    """The smallest probability that keeps a level in the set, from posts that did not train the model.

    Probabilities (n, K), gold (n,). 0, which keeps every level, when n is too small to promise the coverage.
    Raises InputError without posts, when shapes differ, when a probability is nan, or when coverage is not between 0 and 1.
    """
    p, levels = _checked(probabilities, gold)
    return _reached_by(p[np.arange(len(levels)), levels], coverage)


def level_sets(probabilities: ArrayLike, cut: float) -> Flags:
    """Which levels are in each post's set (n, K); the most probable one always is."""
    p = np.asarray(probabilities, dtype=np.float64)
    held: Flags = p >= np.minimum(cut, p.max(axis=1, keepdims=True))
    return held


def contiguous(probabilities: ArrayLike) -> Floats:
    """Scores (n, K) that never rise away from the most probable level: with them, sets have no gaps ("4 to 6").

    A level gets the highest probability at or beyond it, seen from the most probable one. They go where probabilities
    go, in `level_cut` and the others. Sets grow by the levels that close the gaps.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    from_below = np.maximum.accumulate(p, axis=1)
    from_above = np.maximum.accumulate(p[:, ::-1], axis=1)[:, ::-1]
    scores: Floats = np.minimum(from_below, from_above)
    return scores


def cross_conformal(
    probabilities: ArrayLike, gold: ArrayLike, fold: ArrayLike, rng: np.random.Generator, coverage: float = COVERAGE
) -> LevelSets:
    """Sets for each fold's posts, cut by the posts of the other folds; probabilities (n, K) must be out of fold too.

    Raises InputError as `level_cut` does, and when there is only one fold.
    """
    p, levels = _checked(probabilities, gold)
    sets, cuts = np.zeros(p.shape, dtype=bool), []
    for here in _folds(fold, len(levels)):
        cuts.append(level_cut(p[~here], levels[~here], coverage))
        sets[here] = level_sets(p[here], cuts[-1])
    held, sizes = sets[np.arange(len(levels)), levels], sets.sum(axis=1)
    return LevelSets(
        len(levels),
        _share(held),
        mean(sizes, rng),
        tuple(np.bincount(sizes, minlength=p.shape[1] + 1)[1:].tolist()),
        {int(level): _share(held[levels == level]) for level in np.unique(levels)},
        tuple(sorted(cuts)),
    )


def uncertain_span(p_high: ArrayLike, gold_high: ArrayLike, coverage: float = COVERAGE) -> tuple[float, float]:
    """The lowest and highest `p_high` at which a post may be either: below it is low, above it high, within it unsure.

    Label-conditional ("Mondrian") conformal prediction (Vovk 2012, arXiv 1209.2673): of the high posts to come at least
    `coverage` lie at or above the first number, of the low ones as many at or below the second. A model so good that
    the two cross would be sure of nothing in between; those posts count as unsure too. 0 or 1 when there are too few
    posts to promise the coverage. Raises InputError when high or low posts are missing, or shapes differ.
    """
    p, high = _checked(p_high, gold_high)
    of_high, of_low = p[high == 1], p[high == 0]
    if not (len(of_high) and len(of_low)):
        raise InputError(f"{len(of_high)} high and {len(of_low)} low posts: some of both are needed")
    first, last = sorted((_reached_by(of_high, coverage), -_reached_by(-of_low, coverage, otherwise=-1.0)))
    return first, last


def certainty(p_high: ArrayLike, gold_high: ArrayLike, fold: ArrayLike, coverage: float = COVERAGE) -> Certainty:
    """What the span leaves open and how often it is wrong; each fold's posts meet the span of the other folds' posts.

    Raises InputError as `uncertain_span` does, and when there is only one fold.
    """
    p, gold = _checked(p_high, gold_high)
    high = gold == 1
    low_said, high_said = np.zeros(len(p), dtype=bool), np.zeros(len(p), dtype=bool)
    spans = []
    for here in _folds(fold, len(p)):
        lowest, highest = uncertain_span(p[~here], gold[~here], coverage)
        low_said[here], high_said[here] = p[here] < lowest, p[here] > highest
        spans.append((lowest, highest))
    certain, wrong = low_said | high_said, (low_said & high) | (high_said & ~high)
    return Certainty(
        len(p), _share(~certain), _share(wrong[certain]), _share(low_said[high]), _share(high_said[~high]), tuple(spans)
    )


def _reached_by(scores: Floats, coverage: float, otherwise: float = 0.0) -> float:
    """The score that ⌈(n + 1) · coverage⌉ of the n scores reach; `otherwise` when that is more than n."""
    if not 0 < coverage < 1:
        raise InputError(f"coverage {coverage} is not between 0 and 1; 0.9 is usual")
    needed = int(np.ceil(round((len(scores) + 1) * coverage, 9)))
    return float(np.sort(scores)[len(scores) - needed]) if needed <= len(scores) else otherwise


def _share(flags: Flags) -> Share:
    return wilson(int(flags.sum()), len(flags))


def _folds(fold: ArrayLike, n: int) -> Iterator[Flags]:
    """For each fold, which posts are in it."""
    folds = np.asarray(fold)
    names = np.unique(folds)
    if len(folds) != n or len(names) < 2:
        raise InputError(
            f"{len(folds)} fold numbers of {len(names)} folds for {n} posts: one each, of at least 2 folds"
        )
    yield from (folds == name for name in names)


def _checked(probabilities: ArrayLike, gold: ArrayLike) -> tuple[Floats, Ints]:
    p, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(gold, dtype=np.int64)
    if not len(labels) or len(p) != len(labels):
        raise InputError(f"{len(p)} rows of probabilities and {len(labels)} gold labels: one each, and at least one")
    if np.isnan(p).any():
        raise InputError(f"{int(np.isnan(p).sum())} probabilities are not numbers; no cut can be fitted to them")
    if p.ndim == 2 and not np.all((labels >= 0) & (labels < p.shape[1])):
        raise InputError(f"gold holds a level outside 0–{p.shape[1] - 1}")
    return p, labels
