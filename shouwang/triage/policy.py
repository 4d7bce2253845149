"""Which assessments become cases, and how urgent: a pure function of an assessment and a policy, which is data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import IntEnum
from typing import Any, NamedTuple

from shouwang.errors import InputError
from shouwang.language import Words, say
from shouwang.posts import Assessment
from shouwang.scale import LEVELS

DAY = 86_400.0
SHOWN_CHANGES = 50
Priorities = Mapping["Priority | None", int]


class Priority(IntEnum):
    """How soon a person should look; higher is sooner."""

    WATCH = 1
    TODAY = 2
    NOW = 3


PRIORITY_NAMES: dict[Priority, Words] = {
    Priority.NOW: Words("now", "立即"),
    Priority.TODAY: Words("today", "今天"),
    Priority.WATCH: Words("watch", "关注"),
}

REASON_NAMES: dict[str, Words] = {
    "imminent": Words("a date may be set", "可能已定时间"),
    "high": Words("high risk", "高风险"),
    "wish": Words("a wish to die", "有死亡意愿"),
    "unreadable": Words("the model cannot read it", "模型无法判断"),
    "not-assessed": Words("could not be assessed", "评估失败"),
    "spot-check": Words("spot check of what is not flagged", "抽查未标出的帖子"),
    "by-hand": Words("opened by a person", "人工开启"),
}


class Reason(NamedTuple):
    """Why there is a case: a key of `REASON_NAMES`, and the number it rests on (a probability, or 0)."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds on what a model says. A post becomes a case by the most urgent rule that it meets:

    now: the probability of `imminent_level` or above is at least `imminent`;
    today: p_high is at least `high`;
    watch: the probability of `wish_level` or above is at least `wish` (None: nothing is watched), or the model cannot
    read the post and `unreadable` says that people should, or it is drawn for a spot check (a share of the rest, 0–1,
    by which alone one learns what is missed).
    `basis` says where `high` comes from: an operating point's name, "threshold", or "capacity": then `per_day` is how
    many cases people can read a day, and `high` is set by `for_capacity` time and again.
    """

    basis: str = "threshold"
    high: float = 0.5
    per_day: int | None = None
    imminent_level: int = 8
    imminent: float = 0.3
    wish_level: int = 4
    wish: float | None = 0.5
    unreadable: bool = False
    spot_check: float = 0.0

    def __post_init__(self) -> None:
        for name in ("high", "imminent", "wish", "spot_check"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
                raise InputError(
                    say(
                        f"policy: {name} is {value!r}; a probability from 0 to 1 is expected",
                        f"策略：{name} 为 {value!r}；应是 0–1 的概率",
                    )
                )
        for name in ("imminent_level", "wish_level"):
            if getattr(self, name) not in range(1, len(LEVELS)):
                found = getattr(self, name)
                raise InputError(
                    say(
                        f"policy: {name} is {found!r}; a level from 1 to 10 is expected",
                        f"策略：{name} 为 {found!r}；应是 1–10 的等级",
                    )
                )
        if (self.basis == "capacity") != (self.per_day is not None) or (self.per_day or 1) < 1:
            raise InputError(
                say(
                    'policy: "basis" is "capacity" and "per_day" a number from 1 on, or neither',
                    "策略：按每天个案数设定时，须填写每天个案数（至少为 1）；否则不填",
                )
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Policy:
        """What `to_json` laid out, or part of it; raises InputError for a setting that does not exist."""
        known = {each.name for each in fields(cls)}
        if unknown := sorted(found.keys() - known):
            there = ", ".join(sorted(known))
            raise InputError(
                say(
                    f"policy: no setting '{unknown[0]}'; there are: {there}",
                    f"策略：没有设置项“{unknown[0]}”；可用的有：{there}",
                )
            )
        return cls(**found)


class Decision(NamedTuple):
    """What becomes of a post: None for no case, and why."""

    priority: Priority | None
    reasons: tuple[Reason, ...]


def decide(assessment: Assessment, policy: Policy, draw: float = 1.0) -> Decision:
    """What the policy makes of an assessment; `draw` (0–1) is the post's lot for spot checks."""
    met: list[tuple[Priority, Reason]] = []
    if assessment.scope != "ok":
        if policy.unreadable:
            met.append((Priority.WATCH, Reason("unreadable", 0.0)))
    else:
        imminent = math.fsum(assessment.probabilities[policy.imminent_level :])
        wish = math.fsum(assessment.probabilities[policy.wish_level :])
        if assessment.probabilities and imminent >= policy.imminent:
            met.append((Priority.NOW, Reason("imminent", round(imminent, 4))))
        if assessment.p_high >= policy.high:
            met.append((Priority.TODAY, Reason("high", round(assessment.p_high, 4))))
        if assessment.probabilities and policy.wish is not None and wish >= policy.wish:
            met.append((Priority.WATCH, Reason("wish", round(wish, 4))))
    if not met and draw < policy.spot_check:
        met.append((Priority.WATCH, Reason("spot-check", 0.0)))
    return Decision(max((priority for priority, _ in met), default=None), tuple(reason for _, reason in met))


def for_capacity(policy: Policy, recent: Sequence[Assessment], days: float) -> Policy:
    """The policy with the lowest `high` at which posts like the recent ones make no more than `per_day` cases a day.

    `recent` are all posts of `days` days, or a fair draw of them. Nothing is watched, which would take capacity from
    what is high. What is imminent becomes a case in any event, even where that alone is more than `per_day`. Without
    recent posts the policy is given back as it is.
    """
    if policy.per_day is None or not recent or days <= 0:
        return policy
    alone = replace(policy, high=1.0, wish=None)
    rest = [a for a in recent if a.scope == "ok" and decide(a, alone).priority is None]
    others = sum(decide(a, alone).priority is not None for a in recent)
    room = max(0, int(policy.per_day * days) - others)
    scores = sorted((a.p_high for a in rest), reverse=True)
    if room >= len(scores):
        return replace(policy, high=0.0, wish=None)
    above = next((score for score in reversed(scores[:room]) if score > scores[room]), None)
    return replace(policy, high=1.0 if above is None else above, wish=None)


class Change(NamedTuple):
    """A post whose lot changes, by its number."""

    post: int
    before: Priority | None
    after: Priority | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What another policy would have made of `posts` posts of the last `days` days.

    `before` and `after` count them by priority (None: no case); `changes` holds the first of the `changed` posts, the
    ones that become most urgent first.
    """

    posts: int
    days: float
    before: Priorities
    after: Priorities
    changed: int
    changes: tuple[Change, ...]

    def per_day(self, counts: Priorities) -> float:
        """Cases a day."""
        return sum(n for priority, n in counts.items() if priority is not None) / self.days if self.days else math.nan

    def __str__(self) -> str:
        before, after = self.per_day(self.before), self.per_day(self.after)
        return say(
            f"Of {self.posts} posts of the last {self.days:.1f} days, {self.changed} would have another priority: "
            f"{after:.1f} cases a day instead of {before:.1f}.",
            f"近 {self.days:.1f} 天的 {self.posts} 条帖子中，{self.changed} 条的优先级会改变："
            f"每天 {after:.1f} 个个案，原为 {before:.1f} 个。",
        )


def preview(recent: Sequence[tuple[int, Assessment, float]], days: float, before: Policy, after: Policy) -> Preview:
    """What a change of policy would do to recent posts, given as (number, assessment, draw)."""
    lots = [
        Change(post, decide(assessment, before, draw).priority, decide(assessment, after, draw).priority)
        for post, assessment, draw in recent
    ]
    changes = sorted((lot for lot in lots if lot.before != lot.after), key=lambda lot: -(lot.after or 0))
    return Preview(
        len(lots),
        days,
        Counter(lot.before for lot in lots),
        Counter(lot.after for lot in lots),
        len(changes),
        tuple(changes[:SHOWN_CHANGES]),
    )
