"""A short data-set card in Markdown: what it is, where it comes from, what an audit found."""

from __future__ import annotations

from shouwang.data.audit import Audit
from shouwang.data.sources import Source
from shouwang.language import say


def card(source: Source, found: Audit) -> str:
    """The card of a source and an audit of its parts, in the language in use; it holds counts and no text."""
    return "\n".join([*_origin(source), *_counts(found), *_findings(found), *_care()])


def _origin(source: Source) -> list[str]:
    return [
        f"# {source.title}",
        "",
        f"{source.task}",
        "",
        f"- {say('Origin', '来源')}: https://github.com/{source.repository} @ {source.commit}",
        f"- {say('Licence stated there', '其声明的许可')}: {licence(source)}",
        f"- {say('Cite', '引用')}: {source.citation}",
        f"- {say('Note', '说明')}: {source.note}",
        "",
    ]


def _counts(found: Audit) -> list[str]:
    levels = [str(level) for level in range(11)]
    head = [say("part", "部分"), say("posts", "帖子"), *levels, say("high", "高"), say("low", "低")]
    rows: list[list[str | int]] = [
        [name, part.posts, *(count or "–" for count in part.levels), part.high or "–", part.low or "–"]
        for name, part in found.parts.items()
    ]
    lines: list[list[str | int]] = [[*head], ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines] + [""]


def _findings(found: Audit) -> list[str]:
    return [
        f"- {say('texts that stand more than once', '重复出现的文本')}: {len(found.same)}",
        f"- {say('pairs of near duplicates', '近似重复的文本对')} (≥ {found.threshold:g}): {len(found.near)}",
        f"- {say('texts with contradicting labels', '标签互相矛盾的文本')}: {len(found.contradictions)}",
        f"- {say('empty posts', '空帖')}: {sum(len(part.empty) for part in found.parts.values())}",
        f"- {say('over-long posts', '过长的帖子')}: {sum(len(part.over_long) for part in found.parts.values())}",
        "",
    ]


def _care() -> list[str]:
    return [
        say(
            "These are the words of people in distress. Do not quote them, do not search for them, do not redistribute "
            "them. Labels grade what a text expresses and say nothing certain about its writer.",
            "这些是处于痛苦中的人写下的话。不要引用，不要检索其作者，不要再分发。标签只评定文字所表达的内容，"
            "不能断定作者本人。",
        ),
        "",
    ]


def licence(source: Source) -> str:
    """The licence as stated upstream, in the language in use."""
    return say("none stated", "未声明") if source.licence == "none stated" else source.licence
