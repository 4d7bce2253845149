"""What `shouwang augment` prints: its plan beforehand, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.augment.records import Split


REASONS = {
    "leak": "与留出的帖子相同或几乎相同",
    "harm": "写出了伤害自己的做法",
    "language": "不是中文",
    "length": "过长或过短",
    "close": "与原帖或示例几乎相同",
    "far": "几乎是另一等级的训练帖",
    "label": "等级与分类器的判断相差太远",
    "known": "与训练帖相同或几乎相同",
    "repeated": "重复",
    "not needed": "已够数",
    "no text": "没有正文",
    "unreadable": "无法读取",
    "no word that may be exchanged": "没有可以替换的词",
    "no two words that may change places": "没有可以互换位置的相邻词语",
    "no function word that may be left out": "没有可以略去的虚词",
    "every change would have touched a word that carries a level": "任何改动都会触及决定等级的词",
    "no Chinese words": "没有中文",
    "no translation": "没有译文",
    "the pool has no more posts of this level": "帖子池中没有更多这一等级的帖子",
    "invalid": "回答不合要求",
    "refused": "模型拒绝回答",
    "rejected": "服务器拒绝了请求",
    "unreachable": "连不上服务器",
}
"""The reasons of a report, as the screen shows them in Chinese."""


def reason_in_words(reason: str) -> str:
    """As the screen shows it."""
    return say(reason, REASONS.get(reason, reason))


def pool_in_words(told: Mapping[str, Any]) -> str:
    """One line for the screen."""
    gone = counted(told["refused"]) or "0"
    by_level = ", ".join(f"{level}: {n}" for level, n in told["levels"].items())
    return say(
        f"pool: {told['offered']} posts; refused: {gone}; taught by {told['teacher']}: {told['taught']} ({by_level})",
        f"帖子池：{told['offered']} 条；筛除：{gone}；由 {told['teacher']} 标注：{told['taught']} 条（{by_level}）",
    )


def counted(gone: Mapping[str, int]) -> str:
    """Reasons as the screen shows them, each with its number."""
    return ", ".join(f"{reason_in_words(reason)} {n}" for reason, n in gone.items())


def foretell(split: Split, names: tuple[str, ...], plan: str, price_in: float, price_out: float) -> None:
    """What a run would make and cost; nothing is made."""
    from shouwang.augment.plan import goals, levels_of, wanted

    before = levels_of(split)
    table = Table(say("level", "等级"), say("posts", "帖数"), say("goal", "目标"))
    for level, goal in goals(plan, before).items():
        table.add_row(str(level), str(before[level]), str(goal))
    Console(highlight=False).print(table)
    if "generated" in names:
        from shouwang.augment.generated import estimate

        calls, tokens_in, tokens_out = estimate(-(-wanted(split, plan) // len(names)), split.train)
        cost = (tokens_in * price_in + tokens_out * price_out) / 1e6
        typer.echo(
            say(
                f"generated: about {calls} calls, {tokens_in:,} tokens in, {tokens_out:,} out, cost {cost:.2f} at the "
                "prices given; refused posts are asked for again and cost more.",
                f"generated：约 {calls} 次调用，输入 {tokens_in:,}、输出 {tokens_out:,} 词元，按所给价格约 {cost:.2f}；"
                "被筛除的会重新生成，花费更多。",
            )
        )


def show(found: dict[str, Any], new: Path, training: Path) -> None:
    """What a run made, what was refused and why, and where all of it is."""
    table = Table(
        say("level", "等级"), say("before", "原有"), say("goal", "目标"), say("new", "新增"), say("short", "不足")
    )
    for row in found["levels"]:
        made = ", ".join(f"{name} {n}" for name, n in row["new"].items()) or "0"
        table.add_row(str(row["level"]), str(row["before"]), str(row["goal"]), made, str(row["short"]))
    console = Console(highlight=False, markup=False)
    console.print(table)
    if "pool" in found:
        console.print(pool_in_words(found["pool"]), soft_wrap=True)
    for heading, rows in (
        (say("refused", "筛除"), found["filtered"]),
        (say("not made", "未能生成"), found["not_made"]),
    ):
        counts: Counter[tuple[str, str]] = Counter()
        for row in rows:
            counts[row["method"], row["reason"]] += row["posts"]
        for (method, reason), n in counts.items():
            console.print(f"{heading}: {method}, {reason_in_words(reason)}: {n}", soft_wrap=True)
    for name, each in found["methods"].items():
        edit = "–" if each["edit"] is None else each["edit"]  # written anew, from no one post
        console.print(
            f"{name}: {each['posts']} · edit {edit} · distinct-2 {each['distinct']['2']} · self-BLEU {each['self_bleu']}",
            soft_wrap=True,
        )
    if found["held_back"]:
        ids = ", ".join(found["held_back"])
        console.print(say(f"No origin, since they leak: {ids}", f"因泄漏而不作原帖：{ids}"), soft_wrap=True)
    console.print(
        say(
            f"Written: {new}; with the originals: {training}",
            f"已写入：{new}；连同原帖：{training}",
        ),
        soft_wrap=True,
    )
