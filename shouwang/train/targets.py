"""What each head of the built-in model learns from which post, and how much that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shouwang.posts import LabelledPost
from shouwang.scale import HIGH_FROM, INDICATORS, LEVELS, Indicator

Role = Literal["core", "further", "everyday"]
"""SOS-1K's own training posts; posts of the same scale from elsewhere; ordinary life, which carries no labels."""

ROLES: tuple[Role, ...] = ("core", "further", "everyday")
LEVEL_WEIGHT: dict[Role, float] = {"core": 1.0, "further": 1.0, "everyday": 0.2}
HIGH_WEIGHT: dict[Role, float] = {"core": 1.0, "further": 0.6, "everyday": 0.6}
"""The weight of everyday posts was chosen by the folds' weighted F1 among 0.3, 0.6 and 1.0."""


@dataclass(frozen=True, slots=True)
class Target:
    """Class of each row, and its weight; `rows` says which post each row is."""

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    weights: NDArray[np.float64]


def levels(posts: Sequence[LabelledPost], roles: Sequence[Role]) -> Target:
    """Levels, weighted so that rare levels count more: by the square root of the inverse share within a role.

    Everyday posts count as level 0, lightly: the lowest level is what they most nearly express.
    """
    classes = np.array([0 if role == "everyday" else post.level for post, role in zip(posts, roles, strict=True)])
    weights = np.array([LEVEL_WEIGHT[role] for role in roles])
    for role in ("core", "further"):
        here = np.array([each == role for each in roles])
        counts = np.maximum(np.bincount(classes[here], minlength=len(LEVELS)), 1)
        weights[here] *= np.sqrt(here.sum() / (len(LEVELS) * counts))[classes[here]]
    return Target(np.arange(len(posts)), classes, weights)


def high(posts: Sequence[LabelledPost], roles: Sequence[Role]) -> Target:
    """High or low: the label where there is one, else the level's cut; everyday posts are low."""
    classes = [
        int(role != "everyday" and (post.high if post.high is not None else (post.level or 0) >= HIGH_FROM))
        for post, role in zip(posts, roles, strict=True)
    ]
    return Target(np.arange(len(posts)), np.array(classes), np.array([HIGH_WEIGHT[role] for role in roles]))


def indicator(name: Indicator, posts: Sequence[LabelledPost], roles: Sequence[Role]) -> Target:
    """An indicator as the scale's table has it at the post's level (weak labels: nobody marked indicators in the data).

    A strength s counts as s of a post that expresses it and 1 - s of one that does not; a level that leaves it open
    does not count.
    """
    parts: list[tuple[int, int, float]] = []
    for row, (post, role) in enumerate(zip(posts, roles, strict=True)):
        strength = 0.0 if role == "everyday" else LEVELS[post.level or 0].expressed(name)
        if strength is not None:
            parts += [(row, 1, strength * HIGH_WEIGHT[role]), (row, 0, (1 - strength) * HIGH_WEIGHT[role])]
    rows, classes, weights = zip(*(part for part in parts if part[2] > 0), strict=True)
    return Target(np.array(rows), np.array(classes), np.array(weights))


def all_heads(posts: Sequence[LabelledPost], roles: Sequence[Role]) -> list[Target]:
    """The targets of the level heads (together), the high head and each indicator."""
    return [levels(posts, roles), high(posts, roles), *(indicator(name, posts, roles) for name in INDICATORS)]
