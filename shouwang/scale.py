"""The 0–10 scale of expressed suicide risk: the only place where levels are spelled.

After Huang's grading for tree-hole rescue as SOS-1K uses it (Qi et al. 2024, arXiv 2404.12659); the wording is ours.
A level grades what a text *expresses*; it says nothing certain about the person who wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from shouwang.errors import InputError
from shouwang.language import Words

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

HIGH_FROM = 6
"""The level from which a post counts as high where no separate high/low label exists.

SOS-1K's high/low labels were annotated separately: this cut agrees with them on 89.8% of its 1,249 posts.
"""

HIGH_NAMES: dict[bool, Words] = {True: Words("high", "高"), False: Words("low", "低")}


def level(value: int) -> Level:
    """The level of that number; raises InputError outside 0–10."""
    if 0 <= value < len(LEVELS):
        return LEVELS[value]
    raise InputError(f"level {value} is outside 0–{len(LEVELS) - 1}")


def expected_level(probabilities: Sequence[float]) -> float:
    """The mean level under 11 probabilities that sum to 1."""
    return sum(each.value * p for each, p in zip(LEVELS, probabilities, strict=True))
