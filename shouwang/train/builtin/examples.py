"""Posts as the encoder learns from them: ids, soft targets, and how much each target counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shouwang.scale import HIGH_FROM, INDICATORS, LEVELS

if TYPE_CHECKING:
    from shouwang.train.builtin.sources import Row

BINARY = 1 + len(INDICATORS)
"""High, then each indicator."""

DERIVED_HIGH = 0.3
"""Weight of a high/low label that is only the level's cut."""

SPREAD = 0.46
RATED = (0.55, 0.24, 0.21)
"""Shares of a rating's likeliest level, of its second and of doubt, and how far a level spreads: the likeliest for SOS-4K's
labels, given ratings of 2,297 of its posts."""

DOUBT = 2.5
"""How far doubt spreads about the likeliest level."""

EVERYDAY_TARGET = (0.8, 0.12, 0.05, 0.03)
TALK_TARGET = (0.4, 0.25, 0.2, 0.15)
"""Soft levels, from 0 up, of ordinary posts and of counselling talk without words of risk."""

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """n posts as ids; targets and weights by row. A weight of 0 leaves a target out."""

    posts: list[Ids]
    levels: Floats  # [n, 11], rows sum to 1
    level_weight: Floats  # [n]
    binary: Floats  # [n, BINARY], 0..1
    binary_weight: Floats  # [n, BINARY]

    def arrays(self) -> list[Floats]:
        return [getattr(self, each.name) for each in fields(self)[1:]]


def join(parts: Sequence[Examples]) -> Examples:
    arrays = (np.concatenate(same) for same in zip(*(part.arrays() for part in parts), strict=True))
    return Examples([post for part in parts for post in part.posts], *arrays)


def soft_levels(levels: NDArray[np.int64], spread: float = 0.6) -> Floats:
    """Gaussian neighbours of each level, rows sum to 1: [n, 11]."""
    distance = np.arange(len(LEVELS))[None] - levels[:, None]
    soft = np.exp(-0.5 * (distance / spread) ** 2)
    return np.asarray(soft / soft.sum(1, keepdims=True), np.float32)


def balance(levels: NDArray[np.int64]) -> Floats:
    """Square-root-balanced weight of each row, mean 1."""
    weights = 1 / np.sqrt(np.bincount(levels, minlength=len(LEVELS))[levels])
    return np.asarray(weights / weights.mean(), np.float32)


def indicator_targets(levels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How far each level expresses each indicator, and 1 where the scale's table says it, else 0: [n, 5] each."""
    table = [[level.expressed(name) for name in INDICATORS] for level in LEVELS]
    strength = np.array([[0.0 if s is None else s for s in row] for row in table], np.float32)
    known = np.array([[s is not None for s in row] for row in table], np.float32)
    return strength[levels], known[levels]


def labelled(rows: Sequence[Row], posts: Sequence[Ids], weight: float = 1.0) -> Examples:
    """Posts with a level. High/low counts fully where annotated, else it is derived and counts DERIVED_HIGH."""
    levels = np.array([r.level for r in rows])
    annotated = np.array([r.high >= 0 for r in rows])
    high = np.where(annotated, [r.high for r in rows], levels >= HIGH_FROM)
    strength, known = indicator_targets(levels)
    return Examples(
        list(posts),
        soft_levels(levels),
        balance(levels) * np.float32(weight),
        np.column_stack([high, strength]).astype(np.float32),
        np.column_stack([np.where(annotated, 1, DERIVED_HIGH), known]).astype(np.float32) * np.float32(weight),
    )


def everyday(posts: Sequence[Ids]) -> Examples:
    """Ordinary posts: low, no indicator, a soft target on the bottom levels."""
    return _quiet(posts, EVERYDAY_TARGET, 0.3, painless=True)


def talk(posts: Sequence[Ids]) -> Examples:
    """Counselling talk without words of risk: low, and of pain it is not said."""
    return _quiet(posts, TALK_TARGET, 0.2, painless=False)


def rated(rows: Sequence[Row], posts: Sequence[Ids]) -> Examples:
    """Posts with a rating: levels by RATED, high as it was said, indicators as those levels express them."""
    given = [row.rating for row in rows if row.rating is not None]
    first, second = (np.array([getattr(each, name) for each in given], np.int64) for name in ("level", "second"))
    levels = sum(
        share * soft_levels(of, spread)
        for share, of, spread in zip(RATED, (first, second, first), (SPREAD, SPREAD, DOUBT), strict=True)
    )
    strength, known = indicator_targets(np.arange(len(LEVELS)))
    said = levels @ known
    high = np.array([each.high for each in given])
    return Examples(
        list(posts),
        np.asarray(levels, np.float32),
        np.ones(len(rows), np.float32),
        np.column_stack([high, levels @ strength / said]).astype(np.float32),
        np.column_stack([np.ones(len(rows)), said > 0.5]).astype(np.float32),
    )


def _quiet(posts: Sequence[Ids], target: Sequence[float], level_weight: float, *, painless: bool) -> Examples:
    n = len(posts)
    levels = np.zeros((n, len(LEVELS)), np.float32)
    levels[:, : len(target)] = target
    known = np.ones((n, BINARY), np.float32)
    known[:, 1 + INDICATORS.index("pain")] = painless
    return Examples(list(posts), levels, np.full(n, level_weight, np.float32), np.zeros((n, BINARY), np.float32), known)


def risky(rows: Sequence[Row], posts: Sequence[Ids]) -> Examples:
    """PsyGUARD's intent posts: levels 4–7 and a wish (6–8 and a plan too); high/low unknown."""
    n = len(rows)
    planned = np.array(["计划" in row.note for row in rows])
    levels = np.zeros((n, len(LEVELS)), np.float32)
    levels[planned, 6:9] = 1 / 3
    levels[~planned, 4:8] = 1 / 4
    known = np.zeros((n, BINARY), np.float32)
    known[:, 1 + INDICATORS.index("wish")] = 1
    known[planned, 1 + INDICATORS.index("plan")] = 1
    return Examples(list(posts), levels, np.full(n, 0.3, np.float32), known.copy(), known)


def unlabelled(posts: Sequence[Ids]) -> Examples:
    """Posts of which nothing is known."""
    n = len(posts)
    nothing = np.zeros((n, BINARY), np.float32)
    levels = np.full((n, len(LEVELS)), 1 / len(LEVELS), np.float32)
    return Examples(list(posts), levels, np.zeros(n, np.float32), nothing, nothing.copy())
