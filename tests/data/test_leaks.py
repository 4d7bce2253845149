from __future__ import annotations

import pytest

from shouwang.data.leaks import Leak, leaks, refuse_leaks
from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from tests.data.invented import FAR, NEAR, TEXT

TRAIN = [LabelledPost("a", "好累"), LabelledPost("b", NEAR), LabelledPost("c", FAR), LabelledPost("d", " ")]
TEST = [LabelledPost("x", "好 累"), LabelledPost("y", TEXT), LabelledPost("z", "")]


def test_equal_and_near_posts_leak_and_empty_ones_do_not() -> None:
    first, second = leaks(TRAIN, TEST)
    assert first == Leak("a", "x", 1.0)
    assert (second.train_id, second.test_id) == ("b", "y")
    assert 0.7 <= second.similarity < 1


def test_a_post_is_paired_with_the_test_post_most_like_it() -> None:
    test = [LabelledPost("near", NEAR), LabelledPost("same", TEXT)]
    assert leaks([LabelledPost("a", TEXT)], test) == [Leak("a", "same", 1.0)]


def test_leaks_are_refused_by_id_with_the_way_out() -> None:
    with pytest.raises(InputError, match=r"2 of 4 training posts.*a = x; b = y\. .*--drop-leaks") as refused:
        refuse_leaks(TRAIN, TEST, drop_leaks=False)
    assert "累" not in str(refused.value)


def test_a_long_list_is_cut_in_the_message_only() -> None:
    many = [LabelledPost(f"t{number}", "好累") for number in range(25)]
    with pytest.raises(InputError, match="and 5 more"):
        refuse_leaks(many, TEST, drop_leaks=False)
    assert len(refuse_leaks(many, TEST, drop_leaks=True).dropped) == 25


def test_dropped_leaks_come_back_beside_the_rest() -> None:
    result = refuse_leaks(TRAIN, TEST, drop_leaks=True)
    assert [post.id for post in result.kept] == ["c", "d"]
    assert [post.id for post in result.dropped] == ["a", "b"]


def test_clean_data_passes() -> None:
    assert refuse_leaks(TRAIN[2:], TEST, drop_leaks=False).dropped == ()
