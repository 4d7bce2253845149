from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.augment.protect import protected
from shouwang.augment.records import NothingMadeError
from shouwang.augment.synonyms import drop, swap, synonyms, words
from shouwang.augment.thesaurus import own
from shouwang.posts import LabelledPost
from tests.augment.invented import TRAIN


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def guarded(text: str) -> str:
    return "".join(text[i] for i in sorted(protected(text)))


@settings(deadline=None)  # the segmenter loads its dictionary at the first call
@given(st.text())
def test_the_words_together_are_the_text(text: str) -> None:
    assert "".join(word.text for word in words(text)) == text


@pytest.mark.parametrize("post", TRAIN, ids=lambda post: post.id)
def test_a_post_keeps_labels_origin_and_every_protected_word(post: LabelledPost) -> None:
    for seed in range(10):
        (new,) = synonyms(own(), post, rng(seed))
        assert (new.level, new.high, new.method, new.origins) == (post.level, post.high, "synonyms", (post.id,))
        assert guarded(new.text) == guarded(post.text)
        assert new.text != post.text


def test_the_same_rng_gives_the_same_post() -> None:
    assert synonyms(own(), TRAIN[0], rng(3)) == synonyms(own(), TRAIN[0], rng(3))


def test_only_words_of_the_thesaurus_are_exchanged() -> None:
    (new,) = synonyms({"朋友": ("友人",)}, TRAIN[3], rng())
    assert new.text == "我真的不想活了，友人都不知道"


def test_an_exchange_that_would_make_a_protected_word_at_its_seam_is_left_out() -> None:
    post = LabelledPost("x", "周围一点漂亮", 0)  # 四周 + 一点 would hold 周一
    with pytest.raises(NothingMadeError, match="carries a level"):
        synonyms({"周围": ("四周",)}, post, rng())


def test_swap_moves_free_words_only() -> None:
    post = LabelledPost("x", "邻居院子漂亮，我想死", 4)
    (new,) = swap(post, rng())
    assert sorted(new.text) == sorted(post.text)
    assert new.text.endswith("我想死")


def test_drop_leaves_out_function_words_only() -> None:
    (new,) = drop(LabelledPost("x", "邻居的院子漂亮呀", 0), rng())
    assert new.text in ("邻居院子漂亮呀", "邻居的院子漂亮")


@pytest.mark.parametrize("make", [lambda p, r: synonyms(own(), p, r), swap, drop])
def test_a_post_of_emoji_gives_nothing_and_says_so(make: object) -> None:
    with pytest.raises(NothingMadeError):
        make(LabelledPost("x", "😀😀😭", 0), rng())  # type: ignore[operator]
