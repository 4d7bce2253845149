from __future__ import annotations

import pytest

from shouwang.errors import InputError
from shouwang.scale import HIGH_FROM, HIGH_NAMES, INDICATOR_NAMES, INDICATORS, LEVELS, expected_level, level


def test_levels_are_numbered_0_to_10_in_order() -> None:
    assert [each.value for each in LEVELS] == list(range(11))
    assert level(7) is LEVELS[7]


def test_every_name_and_definition_is_in_both_languages_and_said_once() -> None:
    said = [words for each in LEVELS for words in (each.name, each.definition)]
    for language in ("en", "zh"):
        texts = [getattr(words, language) for words in said]
        assert all(texts)
        assert len(set(texts)) == len(texts)
    assert all(words.en and words.zh for words in (*INDICATOR_NAMES.values(), *HIGH_NAMES.values()))


@pytest.mark.parametrize(
    ("indicator", "from_0_to_10"),
    [
        ("wish", [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]),
        ("plan", [0, 0, 0, 0, 0, 0, 1, None, 1, 1, None]),
        ("method", [0, 0, 0, 0, 0, 0, None, 1, None, 1, None]),
        ("time", [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 1, 1]),
    ],
)
def test_indicators_follow_the_published_table(indicator: str, from_0_to_10: list[float | None]) -> None:
    assert [getattr(each, indicator) for each in LEVELS] == from_0_to_10


def test_below_the_wish_only_pain_grows() -> None:
    assert [each.pain for each in LEVELS[:4]] == [0, 0.5, 1, 1]
    assert {each.expressed(name) for each in LEVELS[:4] for name in INDICATORS if name != "pain"} == {0.0}


def test_high_starts_where_planning_does() -> None:
    assert LEVELS[HIGH_FROM].name.en == "planning"


@pytest.mark.parametrize("value", [-1, 11])
def test_a_level_outside_is_refused(value: int) -> None:
    with pytest.raises(InputError, match=f"level {value} is outside 0–10"):
        level(value)


def test_the_expected_level_is_the_mean() -> None:
    assert expected_level([0.5, *[0.0] * 9, 0.5]) == 5
    with pytest.raises(ValueError, match="shorter"):
        expected_level([1.0])
