from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from shouwang.augment.filters import DEFAULT, FILTERS, Context, refused
from shouwang.augment.harm import explains_harm
from shouwang.augment.records import Augmented
from shouwang.benchmark.augmentation import leaking
from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from tests.augment.invented import HELD_OUT, TRAIN, split

CONTEXT = Context(split(), leaking)


def new(text: str, level: int = 0, *origins: str) -> Augmented:
    return Augmented(f"new-{text}", text, level, None, "synonyms", origins)


def why(post: Augmented, context: Context = CONTEXT, names: Sequence[str] = DEFAULT) -> str | None:
    return refused([post], names, context)[0]


def test_a_post_that_is_well_is_kept() -> None:
    assert why(new("今天友人约我去园子散步，天气很好", 0, "a-1")) is None


@pytest.mark.parametrize("text", [HELD_OUT[0].text, HELD_OUT[0].text.replace("只好", "只得"), HELD_OUT[0].text + "!"])
def test_a_held_out_post_is_refused_word_for_word_or_nearly_and_without_being_asked(text: str) -> None:
    assert why(new(text), names=()) == "leak"


def test_a_copy_of_its_origin_is_too_close() -> None:
    assert why(new(TRAIN[0].text, 0, "a-1")) == "close"


def test_what_was_written_anew_may_not_copy_an_example() -> None:
    assert why(new(TRAIN[0].text.replace("今天", "昨天"), 0, "a-1", "a-2")) == "close"
    assert why(new("下了一整天雨，地铁里人人都带着伞", 0, "a-1", "a-2")) is None


def test_nearly_a_post_of_another_level_is_too_far() -> None:
    assert why(new(TRAIN[5].text + "。", 4)) == "far"


@pytest.mark.parametrize("text", ["I am so tired of everything", "😀😀", "qwerty 你"])
def test_another_language_is_refused(text: str) -> None:
    assert why(new(text)) == "language"


@pytest.mark.parametrize(
    ("text", "origins"), [("好", ("a-1",)), ("很长" * 300, ()), ("太长" * 40, ("b-2",)), ("嗯", ())]
)
def test_odd_lengths_are_refused(text: str, origins: tuple[str, ...]) -> None:
    assert why(new(text, 0, *origins)) == "length"


@pytest.mark.parametrize(
    "text", ["把药的剂量告诉大家", "死的步骤是这样", "哪种死法最不疼的方法是", "首先买一把刀，然后走进房间"]
)
def test_what_explains_how_to_do_harm_is_refused_without_being_asked(text: str) -> None:
    assert why(new(text, 7), names=()) == "harm"


def test_naming_a_method_or_giving_a_recipe_for_soup_is_not_explaining() -> None:
    assert not explains_harm("我想好了，就从楼上跳下去")
    assert not explains_harm("首先切番茄，然后煮汤，放两瓶水")


def test_a_level_far_from_what_the_scorer_expects_is_refused() -> None:
    def low(posts: Sequence[Augmented]) -> np.ndarray:
        return np.eye(11)[[1] * len(posts)]

    context = Context(split(), leaking, low)
    assert why(new("窗外的雨下了很久很久", 8), context, ["label"]) == "label"
    assert why(new("窗外的雨下了很久很久", 3), context, ["label"]) is None
    assert why(new("窗外的雨下了很久很久", 8), names=["label"]) is None


def test_an_unknown_filter_is_named() -> None:
    with pytest.raises(InputError, match=r"Did you mean .length."):
        refused([new("雨")], ["lenght"], CONTEXT)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_takes_an_empty_batch(name: str) -> None:
    assert FILTERS[name]([], CONTEXT) == []


def test_posts_without_a_level_are_no_other_level() -> None:
    context = Context(split(LabelledPost("n", "没有等级的一个帖子说下雨")), leaking)
    assert why(new("没有等级的一个帖子说下雨。", 4), context) is None
