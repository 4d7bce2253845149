from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pytest

from shouwang.augment.methods import Material, augmenters
from shouwang.augment.plan import Result, augment, goals
from shouwang.augment.records import Augmented, Augmenter, Split, child
from shouwang.benchmark.augmentation import crossfitted, leaking
from shouwang.errors import InputError, ShouwangError
from shouwang.posts import LabelledPost
from tests.augment.invented import HELD_OUT, TRAIN, split

COUNTS = {0: 3, 4: 2, 8: 1}


def numbered(post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
    return [child(post, f"{post.text}，窗外第{rng.integers(10**6)}滴雨", "numbered", rng)]


def go(plan: str = "max", makes: object = numbered, parts: Split | None = None, **options: object) -> Result:
    return augment(parts or split(), plan, {"numbered": Augmenter(makes)}, leaking, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("none", {0: 3, 4: 2, 8: 1}),
        ("mean", {0: 3, 4: 2, 8: 2}),
        ("max", {0: 3, 4: 3, 8: 3}),
        ("max*2", {0: 6, 4: 6, 8: 6}),
        ("8=5, 0=1", {0: 3, 4: 2, 8: 5}),
    ],
)
def test_a_plan_says_up_to_how_many(plan: str, expected: dict[int, int]) -> None:
    assert goals(plan, COUNTS) == expected


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        ("maxx", "Did you mean 'max'"),
        ("max*two", "'two' is not a multiple"),
        ("8=many", "expected LEVEL=POSTS"),
        ("12=5", "level 12 is outside"),
        ("9=5", "no training post of level 9"),
    ],
)
def test_a_plan_that_cannot_be_read_is_named(plan: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        goals(plan, COUNTS)


def test_levels_are_filled_and_a_level_with_one_post_too() -> None:
    result = go()
    assert [post.level for post in result.kept] == [4, 8, 8]
    assert {post.origins[0] for post in result.kept if post.level == 8} == {"c-1"}
    assert (result.goal, result.short) == ({0: 3, 4: 3, 8: 3}, {})


def test_the_same_seed_gives_the_same_posts_and_another_gives_others() -> None:
    assert go(seed=1).kept == go(seed=1).kept
    assert go(seed=1).kept != go(seed=2).kept


def test_what_cannot_be_reached_is_said_by_level_and_reason() -> None:
    result = go(makes=lambda post, rng: [child(post, "窗外一直下着同一场雨", "numbered", rng)])
    assert result.short == {8: 2}
    assert result.filtered["numbered", 8, "repeated"] > 2


def test_a_post_of_emoji_gives_nothing_and_is_counted() -> None:
    parts = split(LabelledPost("e", "😀😀", 9, True))
    result = augment(parts, "max", augmenters(["synonyms"], Material(parts)), leaking)
    assert result.not_made["synonyms", 9, "no word that may be exchanged"] > 0
    assert result.short[9] == 2


def test_a_training_post_that_stands_in_the_held_out_ones_is_no_origin() -> None:
    result = go("8=3", parts=split(held_out=[LabelledPost("v", TRAIN[5].text + "！")]))
    assert (result.held_back, result.kept, result.short) == (("c-1",), [], {8: 2})


def test_a_new_post_that_leaks_is_refused_and_counted() -> None:
    result = go("8=2", makes=lambda post, rng: [child(post, HELD_OUT[0].text, "numbered", rng)])
    assert result.kept == []
    assert result.filtered["numbered", 8, "leak"] > 0


def test_the_audit_at_the_end_trusts_nobody() -> None:
    answers: Iterator[set[str]] = iter([set(), set()])  # the look at origins, the filter; then the truth

    def careless(left: Sequence[LabelledPost], right: Sequence[LabelledPost]) -> set[str]:
        return next(answers, {post.id for post in left})

    with pytest.raises(ShouwangError, match="1 new posts stand among those held out; nothing was written"):
        augment(split(), "4=3", {"numbered": Augmenter(numbered)}, careless)


def test_progress_is_seen_while_a_server_is_still_being_asked() -> None:
    asked: list[int] = []
    seen: list[tuple[int, int]] = []
    augmenter = Augmenter(numbered, lambda tasks: asked.append(len(tasks)))
    augment(split(), "8=40", {"numbered": augmenter}, leaking, progress=lambda n: seen.append((len(asked), n)))
    assert asked == [16, 16, 7]
    assert seen == [(1, 16), (2, 16), (3, 7)]


def test_several_augmenters_share_a_level() -> None:
    both = {"numbered": Augmenter(numbered), "other": Augmenter(partial(_named, "other"))}
    made = augment(split(), "8=5", both, leaking).kept
    assert sorted(post.method for post in made) == ["numbered", "numbered", "other", "other"]


def _named(name: str, post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
    return [child(post, f"雨滴{rng.integers(10**9)}落在湖面上，{post.text}", name, rng)]


@pytest.mark.parametrize(
    ("train", "held_out", "complaint"),
    [
        ((), HELD_OUT, "no training post has a level"),
        (TRAIN, (), "no held-out posts"),
        (TRAIN, TRAIN[:2], "only a training split is augmented"),
    ],
)
def test_only_a_training_split_is_taken(
    train: tuple[LabelledPost, ...], held_out: tuple[LabelledPost, ...], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        Split("x", train, held_out)


def test_a_scorer_does_not_know_the_origin_of_what_it_scores() -> None:
    train = [
        LabelledPost(f"p-{i}", f"{word}第{i}次", level) for level, word in ((0, "下雨"), (8, "刮风")) for i in range(5)
    ]
    odd = LabelledPost("odd", "彩虹彩虹彩虹", 8)
    score = crossfitted([*train, odd])
    of_origin, of_none = score(
        [Augmented("x", odd.text, 8, None, "m", ("odd",)), Augmented("y", odd.text, 8, None, "m")]
    )
    assert of_origin[8] < of_none[8]
