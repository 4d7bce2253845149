from __future__ import annotations

from math import sqrt

import pytest

from shouwang.posts import LabelledPost
from shouwang.scale import HIGH_FROM, INDICATORS, LEVELS, Indicator
from shouwang.train import targets
from shouwang.train.targets import HIGH_WEIGHT, LEVEL_WEIGHT, Role, Target


def post(level: int | None = None, high: bool | None = None) -> LabelledPost:
    return LabelledPost("p", "一条编造的帖子", level, high)


def rows(target: Target) -> list[tuple[int, int, float]]:
    return list(zip(target.rows.tolist(), target.classes.tolist(), target.weights.tolist(), strict=True))


def test_rare_levels_count_more_within_their_role() -> None:
    posts = [post(0), post(0), post(7), post(7)]
    found = targets.levels(posts, ["core", "core", "core", "further"])
    assert found.classes.tolist() == [0, 0, 7, 7]
    common, rare = sqrt(3 / (11 * 2)), sqrt(3 / (11 * 1))
    further = LEVEL_WEIGHT["further"] * sqrt(1 / 11)
    assert found.weights.tolist() == pytest.approx([common, common, rare, further])


def test_everyday_posts_count_lightly_as_level_0() -> None:
    found = targets.levels([post(4), post()], ["core", "everyday"])
    assert found.classes.tolist() == [4, 0]
    assert found.weights[1] == LEVEL_WEIGHT["everyday"] < LEVEL_WEIGHT["core"]


def test_high_is_the_label_else_the_levels_cut_and_everyday_is_low() -> None:
    posts = [post(9, False), post(1, True), post(HIGH_FROM), post(HIGH_FROM - 1), post(), post(10, True)]
    roles: list[Role] = ["core", "core", "further", "further", "further", "everyday"]
    found = targets.high(posts, roles)
    assert found.classes.tolist() == [0, 1, 1, 0, 0, 0]
    assert found.weights.tolist() == [HIGH_WEIGHT[role] for role in roles]


@pytest.mark.parametrize(
    ("indicator", "level", "expected"),
    [
        ("time", 9, [(0, 1, 1.0)]),
        ("time", 0, [(0, 0, 1.0)]),
        ("time", 8, [(0, 1, 0.5), (0, 0, 0.5)]),
        ("pain", 1, [(0, 1, 0.5), (0, 0, 0.5)]),
        ("wish", 4, [(0, 1, 1.0)]),
    ],
)
def test_a_strength_counts_for_and_its_rest_against(
    indicator: Indicator, level: int, expected: list[tuple[int, int, float]]
) -> None:
    assert rows(targets.indicator(indicator, [post(level)], ["core"])) == expected


def test_a_level_that_leaves_an_indicator_open_does_not_count() -> None:
    assert LEVELS[7].plan is None
    found = targets.indicator("plan", [post(7), post(6), post(0)], ["core"] * 3)
    assert rows(found) == [(1, 1, 1.0), (2, 0, 1.0)]


def test_indicators_weigh_by_role_and_everyday_posts_express_none() -> None:
    found = targets.indicator("time", [post(9), post(8), post(10)], ["further", "further", "everyday"])
    further, everyday = HIGH_WEIGHT["further"], HIGH_WEIGHT["everyday"]
    assert rows(found) == [(0, 1, further), (1, 1, further / 2), (1, 0, further / 2), (2, 0, everyday)]


def test_all_heads_are_the_levels_high_and_every_indicator() -> None:
    assert len(targets.all_heads([post(0), post(9)], ["core", "core"])) == 2 + len(INDICATORS)
