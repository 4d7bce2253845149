from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.errors import InputError
from shouwang.scale import (
    GRADES,
    HIGH_FROM,
    HIGH_NAMES,
    INDICATOR_NAMES,
    INDICATORS,
    LEVELS,
    Indicator,
    expected_level,
    level,
    level_from,
)


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


TYPICAL: tuple[dict[Indicator, str], ...] = (  # what a post of each level expresses, level by level
    {},
    {"pain": "some"},
    {"pain": "clear"},
    {"pain": "intense"},
    {"pain": "intense", "wish": "present"},
    {"wish": "strong"},
    {"wish": "present", "plan": "planning", "method": "unclear"},
    {"wish": "present", "method": "settled"},
    {"wish": "present", "plan": "planning", "time": "roughly"},
    {"wish": "present", "plan": "planning", "method": "settled", "time": "days"},
    {"wish": "present", "time": "now"},
)
REACHED = {"none": 0.0, "some": 0.5, "unclear": 0.0, "roughly": 0.5}


@pytest.mark.parametrize("value", range(11))
def test_the_level_follows_from_the_indicators_and_its_row_of_the_table_agrees(value: int) -> None:
    grades = TYPICAL[value]
    assert level_from(grades) == value
    for indicator in INDICATORS:
        if (wanted := LEVELS[value].expressed(indicator)) is not None:
            assert REACHED.get(grades.get(indicator, "none"), 1.0) == wanted, indicator


@settings(deadline=None, max_examples=40)
@given(st.fixed_dictionaries({name: st.sampled_from([g.name for g in GRADES[name]]) for name in INDICATORS}))
def test_more_of_an_indicator_never_lowers_the_level(grades: dict[Indicator, str]) -> None:
    for indicator in INDICATORS:
        names = [grade.name for grade in GRADES[indicator]]
        raised = [level_from({**grades, indicator: name}) for name in names]
        assert raised == sorted(raised)


def test_a_date_alone_is_no_risk() -> None:
    assert level_from({"time": "days"}) == 0
