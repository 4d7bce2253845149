"""Metrics within parts of the posts: where a model is good and where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang import scale
from shouwang.evaluate.answers import Answers
from shouwang.evaluate.metrics import measure
from shouwang.posts import LabelledPost

LENGTH_BANDS = ((0, 15), (16, 30), (31, 60), (61, 120), (121, None))  # characters, both ends included


@dataclass(frozen=True, slots=True)
class Slice:
    """Every metric of the task on n posts; no interval: parts are small, read them with n in mind."""

    n: int
    metrics: Mapping[str, float]


def slices(answers: Answers, posts: Sequence[LabelledPost]) -> dict[str, Slice]:
    """By length ("length 16–30") and by gold level ("level 7"), parts without posts left out; posts as in answers."""
    groups = {**_by_length(posts), **_by_level(posts)}
    return {
        name: Slice(int(chosen.sum()), measure(answers.where(chosen)))
        for name, chosen in groups.items()
        if chosen.any()
    }


def _by_length(posts: Sequence[LabelledPost]) -> dict[str, NDArray[np.bool_]]:
    lengths = np.array([len(post.text) for post in posts])
    return {
        f"length {low}+" if high is None else f"length {low}–{high}": (lengths >= low)
        & (lengths <= (np.inf if high is None else high))
        for low, high in LENGTH_BANDS
    }


def _by_level(posts: Sequence[LabelledPost]) -> dict[str, NDArray[np.bool_]]:
    return {f"level {each.value}": np.array([post.level == each.value for post in posts]) for each in scale.LEVELS}
