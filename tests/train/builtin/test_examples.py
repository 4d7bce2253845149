from __future__ import annotations

import numpy as np

from shouwang.scale import INDICATORS, LEVELS
from shouwang.train.builtin import examples
from shouwang.train.builtin.examples import EVERYDAY_TARGET, TALK_TARGET
from shouwang.train.builtin.sources import Rating, Row

ALL = np.arange(len(LEVELS))
POSTS = [np.array([0, 6, 2]), np.array([0, 7, 8, 2])]
PAIN, WISH, PLAN = (1 + INDICATORS.index(name) for name in ("pain", "wish", "plan"))


def test_soft_levels_sum_to_one_and_peak_at_the_level_evenly_on_both_sides() -> None:
    soft = examples.soft_levels(ALL)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-6)
    assert soft.argmax(1).tolist() == ALL.tolist()
    np.testing.assert_allclose(soft[5, 4], soft[5, 6])
    np.testing.assert_allclose(soft[5, 6] / soft[5, 5], np.exp(-0.5 / 0.6**2), rtol=1e-5)


def test_four_times_as_many_posts_of_a_level_weigh_half_each_and_all_one_on_average() -> None:
    weights = examples.balance(np.array([0, 0, 0, 0, 7]))
    np.testing.assert_allclose(weights.mean(), 1, atol=1e-6)
    np.testing.assert_allclose(weights[:4], weights[4] / 2)


def test_indicator_targets_are_the_scales_table_and_what_it_leaves_open_does_not_count() -> None:
    strength, known = examples.indicator_targets(ALL)
    for level, row, counts in zip(LEVELS, strength, known, strict=True):
        said = [level.expressed(name) for name in INDICATORS]
        assert counts.tolist() == [each is not None for each in said]
        assert row.tolist() == [each or 0 for each in said]


def test_an_annotated_high_counts_fully_and_a_derived_one_less() -> None:
    rows = [Row("a", "", level=4, high=1), Row("b", "", level=8)]
    made = examples.labelled(rows, POSTS, weight=0.5)
    assert made.binary[:, 0].tolist() == [1, 1]
    np.testing.assert_allclose(made.binary_weight[:, 0], [0.5, 0.5 * examples.DERIVED_HIGH])
    np.testing.assert_allclose(made.level_weight, [0.5, 0.5])
    assert (made.binary_weight[0, PAIN], made.binary[1, PLAN]) == (0, 1)


def test_ordinary_posts_express_nothing_and_only_of_counselling_talk_pain_is_unknown() -> None:
    for made, target, weight, pain in (
        (examples.everyday(POSTS), EVERYDAY_TARGET, 0.3, 1),
        (examples.talk(POSTS), TALK_TARGET, 0.2, 0),
    ):
        np.testing.assert_allclose(made.levels.sum(1), 1, atol=1e-6)
        np.testing.assert_allclose(made.levels[0, :4], target)
        np.testing.assert_allclose(made.level_weight, weight)
        assert not made.binary.any()
        assert (made.binary_weight[:, PAIN].tolist(), made.binary_weight.sum(1).tolist()) == (
            [pain] * 2,
            [5 + pain] * 2,
        )


def test_an_intent_is_a_wish_at_middle_levels_and_a_plan_stands_higher() -> None:
    rows = [Row("a", "", note="自杀意图"), Row("b", "", note="自杀意图|自杀计划")]
    made = examples.risky(rows, POSTS)
    assert [np.flatnonzero(row).tolist() for row in made.levels] == [[4, 5, 6, 7], [6, 7, 8]]
    np.testing.assert_allclose(made.levels.sum(1), 1, atol=1e-6)
    assert [np.flatnonzero(row).tolist() for row in made.binary_weight] == [[WISH], [WISH, PLAN]]
    np.testing.assert_array_equal(made.binary, made.binary_weight)


def test_of_an_unlabelled_post_nothing_counts() -> None:
    made = examples.unlabelled(POSTS)
    np.testing.assert_allclose(made.levels.sum(1), 1, atol=1e-6)
    assert not made.level_weight.any()
    assert not made.binary_weight.any()


def test_examples_are_joined_in_order() -> None:
    talk, intent = examples.talk(POSTS), examples.risky([Row("a", "", note="自杀意图")], POSTS[:1])
    both = examples.join([talk, intent])
    assert [len(post) for post in both.posts] == [3, 4, 3]
    for joined, one, other in zip(both.arrays(), talk.arrays(), intent.arrays(), strict=True):
        np.testing.assert_array_equal(joined, np.concatenate([one, other]))


def test_a_rating_says_its_likeliest_level_first_its_second_next_and_indicators_as_those_levels_express_them() -> None:
    rows = [Row("a", "", rating=Rating(0, 1, 0.02)), Row("b", "", rating=Rating(9, 6, 0.9))]
    made = examples.rated(rows, POSTS)
    np.testing.assert_allclose(made.levels.sum(1), 1, atol=1e-6)
    assert np.argsort(made.levels)[:, ::-1][:, :2].tolist() == [[0, 1], [9, 6]]
    np.testing.assert_allclose(made.binary[:, 0], [0.02, 0.9])
    assert ((made.binary >= 0) & (made.binary <= 1)).all()
    assert (made.binary[0, WISH:] < 0.2).all()
    assert (made.binary[1, [WISH, PLAN]] > 0.8).all()
    assert made.binary_weight[:, PAIN].tolist() == [1, 0]
