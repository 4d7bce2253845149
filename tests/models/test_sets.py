from __future__ import annotations

import pytest

from shouwang.models.sets import Sets

SETS = Sets(coverage=0.9, level_cut=0.2, high_span=(0.3, 0.6))


def test_levels_from_the_cut_on_are_not_ruled_out() -> None:
    assert SETS.levels([0.1, 0.2, 0.4, 0.3]) == (1, 2, 3)


def test_the_most_probable_level_is_always_in() -> None:
    assert SETS.levels([0.15, 0.15, 0.19, 0.1]) == (2,)


@pytest.mark.parametrize(("p_high", "uncertain"), [(0.29, False), (0.3, True), (0.6, True), (0.61, False)])
def test_a_post_is_uncertain_inside_the_span_ends_included(p_high: float, uncertain: bool) -> None:
    assert SETS.uncertain(p_high) is uncertain


def test_json_brings_it_back() -> None:
    assert Sets.from_json(SETS.to_json()) == SETS
