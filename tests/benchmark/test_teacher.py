from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from shouwang.benchmark.teacher import Teacher
from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from tests.augment.test_command import PEOPLE, PLACES, WORDS

POSTS = [
    LabelledPost(f"{level}-{i}", words.format(PEOPLE[i], PLACES[i]), level, level > 5)
    for level, words in WORDS.items()
    for i in range(8)
]
NEW = [words.format(PEOPLE[9], PLACES[9]) for words in WORDS.values()]


def test_a_teacher_gives_posts_like_those_it_learned_from_their_labels() -> None:
    levels, high = Teacher([]).learn(POSTS)(NEW)
    assert levels.argmax(axis=1).tolist() == [0, 4, 8]
    assert levels.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert high is not None
    assert (high >= 0.5).tolist() == [False, False, True]


def test_what_an_encoder_sees_is_learned_too() -> None:
    seen: list[int] = []

    def exclamations(texts: Sequence[str]) -> NDArray[np.float32]:
        seen.append(len(texts))
        return np.array([[text.count("！"), len(text)] for text in texts], np.float32)

    marked = [LabelledPost(f"{i}", f"{place}里有人" + "！" * (i % 2), i % 2 * 10) for i, place in enumerate(PLACES)]
    levels, high = Teacher([exclamations]).learn(marked)(["山坡上有花", "山坡上有花！"])
    assert levels.argmax(axis=1).tolist() == [0, 10]
    assert high is None
    assert seen == [10, 2]


def test_posts_without_a_level_teach_high_alone() -> None:
    more = [*POSTS, LabelledPost("n", "完全另一种话", None, True)]
    first, second = (Teacher([]).learn(posts)(["完全另一种话"])[1] for posts in (POSTS, more))
    assert first is not None
    assert second is not None
    assert second[0] > first[0]


def test_one_level_alone_cannot_be_taught() -> None:
    with pytest.raises(InputError, match="two levels or more"):
        Teacher([]).learn(POSTS[:8])
