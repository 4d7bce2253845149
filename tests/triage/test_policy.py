from __future__ import annotations

from dataclasses import replace

import pytest

from shouwang.errors import InputError
from shouwang.language import use_language
from shouwang.triage.policy import Policy, Priority, decide, for_capacity, preview
from tests.triage.invented import POLICY, assessed


@pytest.mark.parametrize(
    ("level", "p_high", "priority", "reasons"),
    [
        (0, 0.1, None, []),
        (4, 0.1, Priority.WATCH, ["wish"]),
        (3, 0.6, Priority.TODAY, ["high"]),
        (7, 0.5, Priority.TODAY, ["high", "wish"]),
        (8, 0.1, Priority.NOW, ["imminent", "wish"]),
        (10, 0.9, Priority.NOW, ["imminent", "high", "wish"]),
    ],
)
def test_the_most_urgent_rule_that_is_met_decides(
    level: int, p_high: float, priority: Priority | None, reasons: list[str]
) -> None:
    found = decide(assessed(level, p_high), POLICY)
    assert found.priority == priority
    assert [reason.name for reason in found.reasons] == reasons


def test_a_post_that_the_model_cannot_read_is_a_case_where_the_policy_says_so() -> None:
    foreign = assessed(9, 0.9, scope="no-chinese")
    assert decide(foreign, POLICY).priority is None
    assert decide(foreign, replace(POLICY, unreadable=True)).priority is Priority.WATCH


def test_a_model_without_levels_is_judged_by_high_alone() -> None:
    found = decide(replace(assessed(0, 0.7), level=None, probabilities=()), POLICY)
    assert (found.priority, [reason.name for reason in found.reasons]) == (Priority.TODAY, ["high"])


def test_spot_checks_are_drawn_from_what_is_not_a_case() -> None:
    policy = replace(POLICY, spot_check=0.1)
    assert decide(assessed(0), policy, draw=0.09).reasons[0].name == "spot-check"
    assert decide(assessed(0), policy, draw=0.1).priority is None
    assert decide(assessed(7, 0.9), policy, draw=0.0).reasons[0].name == "high"


@pytest.mark.parametrize(("per_day", "cases"), [(1, 2), (3, 3), (5, 5), (100, 9)])
def test_capacity_takes_the_highest_scores_that_can_be_read_and_whatever_is_imminent(per_day: int, cases: int) -> None:
    recent = [assessed(3, n / 10) for n in range(7)] + [assessed(9, 0.1), assessed(10, 0.2)]
    policy = for_capacity(Policy(basis="capacity", per_day=per_day), recent, days=1.0)
    assert sum(decide(each, policy).priority is not None for each in recent) == cases


def test_capacity_leaves_out_a_tie_that_it_could_not_read_whole() -> None:
    recent = [assessed(3, p) for p in (0.9, 0.5, 0.5, 0.5)]
    policy = for_capacity(Policy(basis="capacity", per_day=2), recent, days=1.0)
    assert policy.high == 0.9


def test_capacity_without_recent_posts_leaves_the_policy_as_it_is() -> None:
    policy = Policy(basis="capacity", per_day=200, high=0.4)
    assert for_capacity(policy, [], days=0.0) is policy


def test_a_preview_counts_what_a_change_would_do() -> None:
    recent = [(n, assessed(level, 0.9 if level >= 6 else 0.1), 1.0) for n, level in enumerate((0, 4, 7, 9))]
    found = preview(recent, 2.0, POLICY, replace(POLICY, wish=None))
    assert (found.posts, found.changed, found.per_day(found.before), found.per_day(found.after)) == (4, 1, 1.5, 1.0)
    assert found.changes == ((1, Priority.WATCH, None),)
    assert "1.0 cases a day instead of 1.5" in str(found)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"high": 1.5}, "high is 1.5"),
        ({"wish": True, "imminent_level": 11}, "imminent_level is 11"),
        ({"per_day": 5}, '"per_day"'),
        ({"basis": "capacity"}, '"per_day"'),
        ({"hihg": 0.5}, "no setting 'hihg'"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(setting: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Policy.from_json(setting)


def test_what_is_wrong_is_said_in_the_language_in_use() -> None:
    use_language("zh")
    try:
        with pytest.raises(InputError, match=r"high 为 1\.5；应是"):
            Policy.from_json({"high": 1.5})
    finally:
        use_language(None)


def test_a_policy_survives_json() -> None:
    assert Policy.from_json(POLICY.to_json()) == POLICY
