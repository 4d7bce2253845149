from __future__ import annotations

import numpy as np

from shouwang.scale import INDICATORS, LEVELS
from shouwang.train.builtin import examples
from shouwang.train.builtin.examples import EVERYDAY_TARGET, TALK_TARGET
from shouwang.train.builtin.sources import Row

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
    made = examples.labelled(rows, POSTS, {"b": np.array([1, 2], np.float32)}, 2, weight=0.5)
    assert made.binary[:, 0].tolist() == [1, 1]
    np.testing.assert_allclose(made.binary_weight[:, 0], [0.5, 0.5 * examples.DERIVED_HIGH])
    np.testing.assert_allclose(made.level_weight, [0.5, 0.5])
    assert (made.binary_weight[0, PAIN], made.binary[1, PLAN]) == (0, 1)
    assert (made.explain.tolist(), made.explain_weight.tolist()) == ([[0, 0], [1, 2]], [0, 1])


def test_ordinary_posts_express_nothing_and_only_of_counselling_talk_pain_is_unknown() -> None:
    for target, pain in ((EVERYDAY_TARGET, 1), (TALK_TARGET, 0)):
        made = examples.quiet(POSTS, target, 0.3, 2, painless=bool(pain))
        np.testing.assert_allclose(made.levels.sum(1), 1, atol=1e-6)
        np.testing.assert_allclose(made.levels[0, :4], target)
        np.testing.assert_allclose(made.level_weight, 0.3)
        assert not made.binary.any()
        assert (made.binary_weight[:, PAIN].tolist(), made.binary_weight.sum(1).tolist()) == (
            [pain] * 2,
            [5 + pain] * 2,
        )
        assert not made.explain_weight.any()


def test_an_intent_is_a_wish_at_middle_levels_and_a_plan_stands_higher() -> None:
    rows = [Row("a", "", note="自杀意图"), Row("b", "", note="自杀意图|自杀计划")]
    made = examples.risky(rows, POSTS, 0.3, 2)
    assert [np.flatnonzero(row).tolist() for row in made.levels] == [[4, 5, 6, 7], [6, 7, 8]]
    np.testing.assert_allclose(made.levels.sum(1), 1, atol=1e-6)
    assert [np.flatnonzero(row).tolist() for row in made.binary_weight] == [[WISH], [WISH, PLAN]]
    np.testing.assert_array_equal(made.binary, made.binary_weight)


def test_examples_are_joined_in_order_and_taken_by_row() -> None:
    quiet = examples.quiet(POSTS, TALK_TARGET, 0.3, 2, painless=False)
    intent = examples.risky([Row("a", "", note="自杀意图")], POSTS[:1], 0.3, 2)
    both = examples.join([quiet, intent])
    taken = both.take(np.array([2, 1]))
    assert [len(post) for post in taken.posts] == [3, 4]
    np.testing.assert_array_equal(taken.levels, [intent.levels[0], quiet.levels[1]])
