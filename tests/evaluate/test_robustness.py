from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.robustness import TEXTS_AT_ONCE, Robustness, Scorer, disguises, readings
from shouwang.evaluate.robustness import robustness as together

HIGH = ["今天跳楼", "明天跳楼", "今晚上吊", "再见了"]
EVERYDAY = ["今天吃饭", "他说崩溃"]


def robustness(
    high: Sequence[str], everyday: Sequence[str], scorer: Scorer, threshold: float, kinds: Sequence[str]
) -> Robustness:
    return together([readings(high, everyday, scorer, kinds=kinds)], threshold)


class Finds:
    """1 for a text that holds one of the words, else 0."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.asked: list[int] = []

    def __call__(self, texts: Sequence[str]) -> Floats:
        self.asked.append(len(texts))
        return np.array([float(any(word in text for word in self.words)) for text in texts])


def test_a_disguised_word_is_lost_and_a_disguise_that_looks_like_risk_is_gained() -> None:
    found = robustness(HIGH, EVERYDAY, Finds("跳楼", "上吊", "bengkui"), 0.5, kinds=["pinyin", "zero-width"])
    pinyin = found.kinds["pinyin"]
    assert (pinyin.loss.first, pinyin.loss.second, pinyin.loss.value) == (0.75, 0, 0.75)
    assert (pinyin.rise.first, pinyin.rise.second, pinyin.rise.value) == (0.5, 0, 0.5)
    assert (pinyin.changed, pinyin.everyday_changed) == (3, 1)
    assert (found.kinds["zero-width"].changed, found.kinds["zero-width"].everyday_changed) == (4, 2)
    assert (found.high_posts, found.everyday_posts, found.threshold) == (4, 2, 0.5)


def test_kinds_are_averaged_and_the_worst_is_named() -> None:
    found = robustness(
        HIGH, EVERYDAY, Finds("跳楼", "上吊", "\u200b", "bengkui"), 0.5, kinds=["pinyin", "html-entities"]
    )
    reads_html = robustness(HIGH, EVERYDAY, Finds("跳楼", "上吊", "#x"), 0.5, kinds=["pinyin", "html-entities"])
    assert found.loss.value == 0.75
    assert reads_html.kinds["html-entities"].loss.value == -0.25  # flagged: 再见了, too
    assert reads_html.loss.value == pytest.approx((0.75 - 0.25) / 2)
    assert (reads_html.worst_loss, reads_html.worst_rise) == ("pinyin", "html-entities")
    assert reads_html.kinds["html-entities"].rise.value == 1


def test_a_scorer_that_sees_through_everything_loses_nothing() -> None:
    found = robustness(HIGH, EVERYDAY, lambda texts: np.ones(len(texts)), 0.5, kinds=["pinyin"])
    assert (found.loss.value, found.loss.low, found.loss.high, found.rise.value) == (0, 0, 0, 0)


def test_a_kind_draws_the_same_whatever_stands_beside_it() -> None:
    assert disguises(HIGH, "homophones", 3)[1:] == disguises(HIGH[1:], "homophones", 3)
    assert disguises(HIGH * 3, "homophones", 3) != disguises(HIGH * 3, "homophones", 4)
    scorer = Finds("跳")
    both = robustness(HIGH, [], scorer, 0.5, kinds=["pinyin", "one-homophone"]).kinds["one-homophone"]
    assert robustness(HIGH, [], scorer, 0.5, kinds=["one-homophone"]).kinds["one-homophone"].loss == both.loss


def test_texts_are_scored_in_batches_and_progress_is_told() -> None:
    scorer = Finds("跳楼")
    told: list[int] = []
    readings(HIGH * 100, EVERYDAY, scorer, kinds=["pinyin"], progress=told.append)
    assert told == scorer.asked == [TEXTS_AT_ONCE, 402 - TEXTS_AT_ONCE] * 2


def test_no_everyday_posts_leave_the_false_flags_undefined() -> None:
    found = robustness(HIGH, [], Finds("跳楼"), 0.5, kinds=["pinyin"])
    assert math.isnan(found.rise.value)
    assert found.loss.value == 0.5
    assert (found.worst_loss, found.worst_rise) == ("pinyin", None)


def test_an_unknown_kind_names_the_closest() -> None:
    with pytest.raises(InputError, match="Did you mean 'pinyin'"):
        robustness(HIGH, EVERYDAY, Finds("跳楼"), 0.5, kinds=["pinyim"])


def test_no_kind_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no kind of obfuscation"):
        robustness(HIGH, EVERYDAY, Finds("跳楼"), 0.5, kinds=[])


def test_parts_read_by_different_models_count_as_one_set() -> None:
    scorer = Finds("跳楼", "上吊", "bengkui")
    whole = together([readings(HIGH, EVERYDAY, scorer)], 0.5)
    parts = together([readings(HIGH[:1], EVERYDAY[:1], scorer), readings(HIGH[1:], EVERYDAY[1:], scorer)], 0.5)
    assert (parts.loss.value, parts.rise.value) == (whole.loss.value, whole.rise.value)
    assert (parts.high_posts, parts.everyday_posts) == (4, 2)
    assert list(together([readings(HIGH, [], scorer)], 0.5, kinds=["pinyin"]).kinds) == ["pinyin"]
