"""The 0–10 scale of expressed suicide risk: the only place where levels are spelled.

After Huang's grading for tree-hole rescue as SOS-1K uses it (Qi et al. 2024, arXiv 2404.12659); the wording is ours.
A level grades what a text *expresses*; it says nothing certain about the person who wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from shouwang.errors import InputError
from shouwang.language import Words, say

Indicator = Literal["pain", "wish", "plan", "method", "time"]
INDICATORS: tuple[Indicator, ...] = get_args(Indicator)

INDICATOR_NAMES: dict[Indicator, Words] = {
    "pain": Words("existential pain", "生存痛苦"),
    "wish": Words("wish to die", "死亡意愿"),
    "plan": Words("plan", "计划"),
    "method": Words("method", "方式"),
    "time": Words("time", "时间"),
}


@dataclass(frozen=True, slots=True)
class Level:
    """One level: how it reads, and how far each indicator is expressed at it.

    An indicator is 0 (not expressed), 0.5 (in part), 1 (clearly expressed) or None (the scale leaves it open).
    """

    value: int
    name: Words
    definition: Words
    pain: float | None
    wish: float | None
    plan: float | None
    method: float | None
    time: float | None

    def expressed(self, indicator: Indicator) -> float | None:
        strength: float | None = getattr(self, indicator)
        return strength


def _level(value: int, name: Words, definition: Words, *strengths: float | None) -> Level:
    return Level(value, name, definition, *strengths)


LEVELS: tuple[Level, ...] = (
    #                                                                          pain  wish  plan  method time
    _level(
        0,
        Words("everyday low mood", "日常负面情绪"),
        Words(
            "Everyday negative mood only; living itself is not in question.",
            "只有日常的负面情绪，没有对活着本身的怀疑。",
        ),
        *(0.0, 0.0, 0.0, 0.0, 0.0),
    ),
    _level(
        1,
        Words("some existential pain", "有生存痛苦"),
        Words(
            "Some pain about existence; a wish to die is not expressed.",
            "流露出一些生存的痛苦，没有表达想死。",
        ),
        *(0.5, 0.0, 0.0, 0.0, 0.0),
    ),
    _level(
        2,
        Words("clear existential pain", "生存痛苦明显"),
        Words(
            "Clear pain about existence; a wish to die is not expressed.",
            "明确表达生存的痛苦，没有表达想死。",
        ),
        *(1.0, 0.0, 0.0, 0.0, 0.0),
    ),
    _level(
        3,
        Words("intense existential pain", "生存痛苦强烈"),
        Words(
            "Intense pain about existence; a wish to die is not expressed.",
            "强烈表达生存的痛苦，没有表达想死。",
        ),
        *(1.0, 0.0, 0.0, 0.0, 0.0),
    ),
    _level(
        4,
        Words("wish to die", "有死亡意愿"),
        Words(
            "A wish to die; plan and method unclear.",
            "表达想死的意愿，计划和方式都不清楚。",
        ),
        *(None, 1.0, 0.0, 0.0, 0.0),
    ),
    _level(
        5,
        Words("strong wish to die", "死亡意愿强烈"),
        Words(
            "A strong wish to die; plan and method unclear.",
            "强烈表达想死的意愿，计划和方式都不清楚。",
        ),
        *(None, 1.0, 0.0, 0.0, 0.0),
    ),
    _level(
        6,
        Words("planning", "正在计划"),
        Words(
            "Planning suicide; the method may be unclear, the date is unknown.",
            "正在计划自杀，方式可能不清楚，时间未知。",
        ),
        *(None, 1.0, 1.0, None, 0.0),
    ),
    _level(
        7,
        Words("method settled", "方式已定"),
        Words(
            "A method is settled; the date is unknown.",
            "自杀方式已经确定，时间未知。",
        ),
        *(None, 1.0, None, 1.0, 0.0),
    ),
    _level(
        8,
        Words("date roughly set", "时间大致已定"),
        Words(
            "Planning suicide with a date roughly set.",
            "正在计划自杀，时间大致已定。",
        ),
        *(None, 1.0, 1.0, None, 0.5),
    ),
    _level(
        9,
        Words("within days", "近日内"),
        Words(
            "A method is settled, to be carried out within days.",
            "自杀方式已经确定，近日内就要实行。",
        ),
        *(None, 1.0, 1.0, 1.0, 1.0),
    ),
    _level(
        10,
        Words("may be happening now", "可能正在进行"),
        Words(
            "An attempt may be under way now.",
            "自杀行为可能正在进行。",
        ),
        *(None, 1.0, None, None, 1.0),
    ),
)


@dataclass(frozen=True, slots=True)
class Grade:
    """One step of an indicator, and what it stands for: a judgement finer than the table's 0, 0.5 and 1."""

    name: str
    words: Words


GRADES: dict[Indicator, tuple[Grade, ...]] = {
    "pain": (
        Grade("none", Words("everyday low mood at most", "至多是日常的低落")),
        Grade("some", Words("some pain about existence", "流露出一些生存的痛苦")),
        Grade("clear", Words("clear pain about existence", "明确表达生存的痛苦")),
        Grade("intense", Words("intense pain about existence", "强烈表达生存的痛苦")),
    ),
    "wish": (
        Grade("none", Words("no wish to die", "没有表达想死")),
        Grade("present", Words("a wish to die", "表达想死的意愿")),
        Grade("strong", Words("a strong wish to die", "强烈表达想死的意愿")),
    ),
    "plan": (
        Grade("none", Words("no plan, or an unclear one", "没有计划，或不清楚")),
        Grade("planning", Words("is planning or preparing", "正在计划或准备")),
    ),
    "method": (
        Grade("none", Words("no method", "没有提到方式")),
        Grade("unclear", Words("a method is touched on, not settled", "提到方式，尚未确定")),
        Grade("settled", Words("a method is settled", "方式已经确定")),
    ),
    "time": (
        Grade("none", Words("no date", "没有时间")),
        Grade("roughly", Words("a date roughly set", "时间大致已定")),
        Grade("days", Words("within days", "近日内")),
        Grade("now", Words("may be happening now", "可能正在进行")),
    ),
}
"""How far each indicator can be expressed, lowest first; all but pain are about dying."""


def level_from(grades: Mapping[Indicator, str]) -> int:
    """The level that follows from the indicators' grades; one that is missing counts as "none".

    The highest row of the table whose conditions are met. A method that is settled counts as planning where a date is
    set, and a date within days without a settled method as one roughly set. A date alone is nothing: it needs a wish,
    a plan or a method, except "now".
    """

    def at_least(indicator: Indicator, name: str) -> bool:
        names = [grade.name for grade in GRADES[indicator]]
        return names.index(grades.get(indicator, "none")) >= names.index(name)

    planning = at_least("plan", "planning") or at_least("method", "settled")
    dated = at_least("time", "roughly") and (planning or at_least("wish", "present"))
    conditions = (
        (10, at_least("time", "now")),
        (9, at_least("method", "settled") and at_least("time", "days")),
        (8, dated),
        (7, at_least("method", "settled")),
        (6, planning),
        (5, at_least("wish", "strong")),
        (4, at_least("wish", "present") or at_least("method", "unclear")),
        (3, at_least("pain", "intense")),
        (2, at_least("pain", "clear")),
        (1, at_least("pain", "some")),
    )
    return next((value for value, met in conditions if met), 0)


HIGH_FROM = 6
"""The level from which a post counts as high where no separate high/low label exists.

SOS-1K's high/low labels were annotated separately: this cut agrees with them on 89.8% of its 1,249 posts.
"""

HIGH_NAMES: dict[bool, Words] = {True: Words("high", "高"), False: Words("low", "低")}


def level(value: int) -> Level:
    """The level of that number; raises InputError outside 0–10."""
    if 0 <= value < len(LEVELS):
        return LEVELS[value]
    last = len(LEVELS) - 1
    raise InputError(say(f"level {value} is outside 0–{last}", f"等级 {value} 超出 0–{last}"))


def expected_level(probabilities: Sequence[float]) -> float:
    """The mean level under 11 probabilities that sum to 1."""
    return sum(each.value * p for each, p in zip(LEVELS, probabilities, strict=True))
