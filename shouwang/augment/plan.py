"""How many new posts each level gets, and their making: nothing leaves here that stands in what models are judged on."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from shouwang import lookup, scale
from shouwang.augment.filters import Context, refused
from shouwang.augment.records import Augmented, Augmenter, Leaking, NothingMadeError, Split, Task, in_parts
from shouwang.errors import InputError, ShouwangError
from shouwang.language import say
from shouwang.posts import LabelledPost

ROUNDS = 6
"""Attempts at a level that stays short; what it then lacks is reported."""

ASKED_AT_ONCE = 16
"""Posts that a server is asked for before progress is told again."""

PLANS: dict[str, Callable[[Mapping[int, int]], float]] = {
    "none": lambda counts: 0,
    "mean": lambda counts: sum(counts.values()) / len(counts),
    "max": lambda counts: max(counts.values()),
}
"""Up to how many posts each level is filled; `mean` and `max` are the paper's sets 1 and 2, `max*2` its set 3."""


def goals(plan: str, counts: Mapping[int, int]) -> dict[int, int]:
    """How many posts each level of `counts` should have: by a name ("max"), a multiple ("max*2") or a table ("8=60,10=60").

    Never fewer than there are. Raises InputError for anything else, and for a level without a post.
    """
    if "=" in plan:
        return {**counts, **_table(plan, counts)}
    name, _, times = plan.partition("*")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", times or "1"):
        raise InputError(
            say(
                f"plan '{plan}': '{times}' is not a multiple; write it as in max*2",
                f"计划“{plan}”：“{times}”不是倍数；写法如 max*2",
            )
        )
    aim = lookup.get(PLANS, name, "plan")(counts) * float(times or 1)
    return {level: max(here, math.ceil(aim)) for level, here in counts.items()}


def _table(plan: str, counts: Mapping[int, int]) -> dict[int, int]:
    found = {}
    for each in plan.split(","):
        match = re.fullmatch(r"\s*([0-9]+)\s*=\s*([0-9]+)\s*", each)
        if not match:
            raise InputError(
                say(f"plan '{each}': expected LEVEL=POSTS, such as 8=60", f"计划“{each}”：应写成 等级=帖数，如 8=60")
            )
        level = scale.level(int(match[1])).value
        if level not in counts:
            raise InputError(
                say(
                    f"plan '{each}': no training post of level {level} to start from",
                    f"计划“{each}”：没有 {level} 级的训练帖可作起点",
                )
            )
        found[level] = max(counts[level], int(match[2]))
    return found


def levels_of(split: Split) -> dict[int, int]:
    """How many training posts each level has, lowest level first; a level with none is missing."""
    counts = Counter(post.level for post in split.train if post.level is not None)
    return {level: counts[level] for level in sorted(counts)}


def wanted(split: Split, plan: str) -> int:
    """How many new posts the plan asks for."""
    before = levels_of(split)
    return sum(goals(plan, before).values()) - sum(before.values())


@dataclass(slots=True)
class Result:
    """`kept` are the new posts. Counts are by (method, level, reason): filtered, not made; `short` by level.

    `held_back` are training posts that stand among the held-out ones, and were no origin.
    """

    kept: list[Augmented] = field(default_factory=list)
    filtered: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    not_made: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    before: dict[int, int] = field(default_factory=dict)
    goal: dict[int, int] = field(default_factory=dict)
    short: dict[int, int] = field(default_factory=dict)
    held_back: tuple[str, ...] = ()


def augment(
    split: Split,
    plan: str,
    augmenters: Mapping[str, Augmenter],
    leaking: Leaking,
    *,
    seed: int = 0,
    filters: Sequence[str] = (),
    context: Context | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Result:
    """Fill the levels of a training split as planned, each with the augmenters in turn and all its posts in turn.

    The same arguments give the same posts, so an interrupted run is simply begun again: what a server answered is in
    its cache. `progress` is called with the number of posts that were kept.
    Raises ShouwangError when, against all filters, a kept post stands among the held-out ones.
    """
    back = frozenset(leaking(split.train, split.held_out))
    before = levels_of(split)
    result = Result(before=before, goal=goals(plan, before), held_back=tuple(sorted(back)))
    context = context or Context(split, leaking)
    turns = {level: _turns(split, level, back, seed) for level in before}
    seen = {post.text for post in split.train}
    for _ in range(ROUNDS):
        missing = _missing(result)
        tasks = {name: _tasks(name, turns, missing, augmenters, seed) for name in augmenters}
        if not any(tasks.values()):
            break
        for name, mine in tasks.items():
            for part in in_parts(mine, ASKED_AT_ONCE if augmenters[name].ahead else max(1, len(mine))):
                made = _made(name, augmenters[name], part, result)
                progress(_keep(made, filters, context, seen, result))
    result.short = {level: n for level, n in _missing(result).items() if n}
    _audit(result.kept, split, leaking)
    return result


@dataclass(slots=True)
class _Turns:
    posts: list[LabelledPost]
    taken: int = 0


def _turns(split: Split, level: int, back: frozenset[str], seed: int) -> _Turns:
    posts = [post for post in split.train if post.level == level and post.id not in back]
    return _Turns([posts[i] for i in np.random.default_rng([seed, level]).permutation(len(posts))])


def _missing(result: Result) -> dict[int, int]:
    have = Counter(post.level for post in result.kept)
    return {level: goal - result.before[level] - have[level] for level, goal in result.goal.items()}


def _tasks(
    name: str, turns: Mapping[int, _Turns], missing: Mapping[int, int], augmenters: Mapping[str, Augmenter], seed: int
) -> list[Task]:
    """This augmenter's share of what each level misses; every task has an rng of its own."""
    place, found = list(augmenters).index(name), []
    for level, turn in turns.items():
        if not turn.posts:
            continue
        share = (missing[level] - place + len(augmenters) - 1) // len(augmenters)
        for _ in range(math.ceil(share / augmenters[name].each)):
            post = turn.posts[turn.taken % len(turn.posts)]
            found.append((post, np.random.default_rng([seed, level, turn.taken])))
            turn.taken += 1
    return found


def _made(name: str, augmenter: Augmenter, tasks: Sequence[Task], result: Result) -> list[Augmented]:
    if augmenter.ahead:
        augmenter.ahead(tasks)
    made: list[Augmented] = []
    for post, rng in tasks:
        try:
            made += augmenter.make(post, rng)
        except NothingMadeError as nothing:
            result.not_made[name, post.level or 0, str(nothing)] += 1
    return made


def _keep(made: Sequence[Augmented], filters: Sequence[str], context: Context, seen: set[str], result: Result) -> int:
    missing, kept = _missing(result), 0
    for post, why in zip(made, refused(made, filters, context), strict=True):
        level = post.level or 0
        reason = why or ("repeated" if post.text in seen else "not needed" if missing[level] < 1 else None)
        if reason:
            result.filtered[post.method, level, reason] += 1
            continue
        seen.add(post.text)
        missing[level] -= 1
        result.kept.append(post)
        kept += 1
    return kept


def _audit(kept: Sequence[Augmented], split: Split, leaking: Leaking) -> None:
    left = leaking(kept, split.held_out)
    if left:
        raise ShouwangError(
            say(
                f"{split.name}: {len(left)} new posts stand among those held out; nothing was written",
                f"{split.name}：{len(left)} 条新帖出现在留出帖子之中；没有写入任何内容",
            )
        )
