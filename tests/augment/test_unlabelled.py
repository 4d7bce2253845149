from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from shouwang.augment.filters import DEFAULT, Context
from shouwang.augment.methods import Material, augmenters
from shouwang.augment.plan import Result, augment
from shouwang.augment.unlabelled import Pool, Taught, admitted, taught
from shouwang.benchmark.augmentation import leaking
from shouwang.data.duplicates import canonical
from shouwang.errors import InputError
from shouwang.posts import Post
from tests.augment.invented import split

WEATHER = "雨 雪 风 雾 霜 云 雷 虹".split()  # noqa: SIM905
POSTS = [
    Taught(Post(f"p-{i}", f"窗外有{one}，心里空得很，什么都不想做"), 8, True, 0.7) for i, one in enumerate(WEATHER)
]


def dealt(plan: str, posts: list[Taught] = POSTS, seed: int = 0) -> Result:
    parts = split()
    material = Material(parts, pool=Pool(posts, "ngrams", parts.name))
    return augment(parts, plan, augmenters(["unlabelled"], material), leaking, seed=seed, filters=DEFAULT)


def test_each_post_of_the_pool_is_dealt_once_and_the_rest_is_said_to_be_short() -> None:
    result = dealt("8=20")
    assert sorted(str(post.notes["pool"]) for post in result.kept) == [f"p-{i}" for i in range(8)]
    assert result.short == {8: 11}
    assert result.not_made["unlabelled", 8, "the pool has no more posts of this level"] > 0


def test_a_dealt_post_carries_where_it_comes_from_and_who_labelled_it() -> None:
    post = dealt("8=2").kept[0]
    assert (post.level, post.high, post.origins) == (8, True, ())
    assert {**post.notes, "pool": ""} == {"pool": "", "teacher": "ngrams", "probability": 0.7, "round": "invented"}


def test_which_posts_are_dealt_depends_on_the_seed_alone() -> None:
    assert dealt("8=4", seed=1).kept == dealt("8=4", seed=1).kept
    assert dealt("8=4", seed=1).kept != dealt("8=4", seed=2).kept


def test_a_post_of_the_pool_that_nearly_equals_one_of_another_level_is_refused() -> None:
    near = Taught(Post("p-9", "今天朋友约我去公园散步，天气很好。"), 8, True, 0.9)
    assert dealt("8=2", [near]).filtered["unlabelled", 8, "far"] == 1


def test_the_door_refuses_what_leaks_what_is_known_what_is_repeated_and_what_is_no_post() -> None:
    texts = {
        "held out": "图书馆里面没有座位，只好回宿舍复习！",
        "training": "今天朋友约我去公园散步，天气很好呀",
        "English": "nobody would notice if I was gone",
        "blank": "  \u200b ",
        "long": "下雨了" * 300,
        "good": "下班以后一个人坐到末班车，不想回家",
        "again": "下班以后一个人坐到末班车， 不想回家",
    }
    posts = [Post(id, text) for id, text in texts.items()]
    kept, gone = admitted(posts, Context(split(), leaking), DEFAULT, canonical)
    assert [post.id for post in kept] == ["good"]
    assert gone == Counter({"leak": 1, "known": 1, "language": 1, "no text": 1, "length": 1, "repeated": 1})


def test_a_filter_that_was_not_chosen_refuses_nothing_but_a_leak_always_goes() -> None:
    posts = [Post("e", "nobody would notice"), Post("h", "图书馆里面没有座位，只好回宿舍复习")]
    kept, gone = admitted(posts, Context(split(), leaking), (), canonical)
    assert ([post.id for post in kept], gone) == (["e"], Counter({"leak": 1}))


def test_the_likeliest_level_is_taught_and_high_from_a_half_on() -> None:
    levels = np.eye(11)[[3, 9]] * 0.6 + 0.4 / 11
    first, second = taught([Post("a", "x"), Post("b", "y")], levels, np.array([0.49, 0.5]))
    assert (first.level, first.high, second.level, second.high) == (3, False, 9, True)
    assert second.probability == pytest.approx(0.6 + 0.4 / 11)
    assert taught([Post("a", "x")], levels[:1], None)[0].high is None


def test_without_a_pool_the_method_says_what_it_lacks() -> None:
    with pytest.raises(InputError, match="Name a file with --pool"):
        augmenters(["unlabelled"], Material(split()))
