from __future__ import annotations

import pytest

from shouwang.data.splits import drop, grouped_folds, rotate
from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from tests.data.invented import FAR, NEAR, TEXT


def test_dropping_keeps_what_was_dropped() -> None:
    posts = [LabelledPost("a", "一"), LabelledPost("b", "二")]
    result = drop(posts, {"b", "unknown"})
    assert (result.kept, result.dropped) == ((posts[0],), (posts[1],))


def test_each_part_is_validated_on_by_a_model_of_the_others() -> None:
    a, b, c = (LabelledPost(name, name) for name in "abc")
    second = rotate({"one": [a], "two": [b], "three": [c]})[1]
    assert (second.name, second.train, second.validation) == ("two", (a, c), (b,))


def test_near_duplicates_stay_together() -> None:
    texts = [TEXT, NEAR, FAR, "好累", "好 累", "好困", "好饿", "好冷", "好热"]
    posts = [LabelledPost(str(number), text, level=number % 2) for number, text in enumerate(texts)]
    for seed in range(5):
        folds = grouped_folds(posts, 3, seed=seed)
        homes = {post.id: fold.name for fold in folds for post in fold.validation}
        assert len(homes) == len(posts)
        assert homes["0"] == homes["1"]
        assert homes["3"] == homes["4"]
        assert all(len(fold.train) + len(fold.validation) == len(posts) for fold in folds)


def test_the_same_seed_gives_the_same_folds() -> None:
    posts = [LabelledPost(str(number), f"第{number}条", level=number % 3) for number in range(30)]
    assert grouped_folds(posts, seed=3) == grouped_folds(posts, seed=3)


def test_posts_with_high_or_low_alone_are_balanced_by_that() -> None:
    posts = [LabelledPost(str(number), f"第{number}条", high=number < 10) for number in range(100)]
    for seed in range(5):
        folds = grouped_folds(posts, seed=seed)
        assert [sum(bool(post.high) for post in fold.validation) for fold in folds] == [2] * 5


def test_too_few_posts_are_refused() -> None:
    with pytest.raises(InputError, match="1 different posts cannot make 5 folds"):
        grouped_folds([LabelledPost("a", "好累"), LabelledPost("b", "好累")])


def test_levels_too_rare_to_balance_still_make_folds() -> None:
    posts = [LabelledPost(f"p-{i}", character * 9, i % 4, False) for i, character in enumerate("天雨茶书山海云风")]
    folds = grouped_folds(posts, 5)
    assert sorted(p.id for fold in folds for p in fold.validation) == [p.id for p in posts]
    assert all(fold.validation for fold in folds)
