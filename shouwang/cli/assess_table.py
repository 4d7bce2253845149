"""How `shouwang assess` shows what it found: a ranked table with the evidence marked, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shouwang import scale
from shouwang.language import say
from shouwang.posts import Assessment
from shouwang.triage.batch import Ranked, Summary
from shouwang.triage.identifiers import deidentified

SHOWN_CHARACTERS = 80
WIDEST_ID = 16
WIDEST_NAME = 14
STYLES: dict[str, str] = {
    "pain": "magenta",
    "wish": "bold red",
    "plan": "bold yellow",
    "method": "bold cyan",
    "time": "bold blue",
    "high": "bold red",
}


def print_table(ranked: Ranked, *, hide_identifiers: bool = False) -> None:
    """The posts to look at first, then what became of all of them."""
    console = Console()
    replaced: Counter[str] = Counter()
    if ranked.top:
        styled = console.color_system is not None and not console.no_color
        table = Table(
            title=say("Expressed risk, highest first", "表达出的风险，由高到低"),
            caption=_legend(styled=styled),
            title_justify="left",
            caption_justify="left",
            box=SIMPLE_HEAD,
            leading=1,
            expand=True,
        )
        table.add_column(say("level", "等级"), justify="right")
        table.add_column(say("expressed", "表达"), max_width=WIDEST_NAME)
        table.add_column(say("high", "高风险"), justify="right", no_wrap=True)
        table.add_column(say("text", "正文"), ratio=1, overflow="fold")
        table.add_column(say("id", "编号"), max_width=WIDEST_ID, overflow="ellipsis", no_wrap=True)
        for post, assessment in ranked.top:
            if hide_identifiers:
                post, assessment, counts = deidentified(post, assessment)
                replaced.update(counts)
            table.add_row(*_cells(assessment), marked(post.text, assessment, styled=styled), Text(_printable(post.id)))
        console.print(table)
    plain = Console(highlight=False, markup=False, soft_wrap=True)
    if hide_identifiers:
        found = ", ".join(f"{kind} {count}" for kind, count in replaced.items()) or "0"
        plain.print(say(f"Replaced in the posts shown: {found}.", f"显示的帖子中已替换：{found}。"))
    _print_summary(plain, ranked.summary)


def _cells(assessment: Assessment) -> tuple[str, str, Text]:
    if assessment.scope != "ok":
        return "–", _scope(assessment.scope), Text("–")
    probability = Text(f"{assessment.p_high:.0%}", style="bold red" if assessment.high else "")
    if assessment.uncertain:
        probability.append("\n" + say("uncertain", "不确定"), "not bold dim")
    if assessment.level_name is None:
        return "?", say("level not known", "等级未知"), probability
    return (
        "\n".join(filter(None, (str(assessment.level), levels(assessment.level_set)))),
        assessment.level_name,
        probability,
    )


def levels(level_set: Sequence[int]) -> str:
    """Levels in a row as spans: "4–6, 8"; one level alone, which the level itself says, as nothing."""
    if len(level_set) < 2:
        return ""
    ends = [(level, level - 1 not in level_set, level + 1 not in level_set) for level in level_set]
    firsts, lasts = [n for n, first, _ in ends if first], [n for n, _, last in ends if last]
    return ", ".join(
        f"{first}" if first == last else f"{first}–{last}" for first, last in zip(firsts, lasts, strict=True)
    )


def _legend(*, styled: bool) -> Text:
    legend = Text(
        say(
            "level: the most probable, below it those not ruled out; high: probability of high risk; evidence: ",
            "等级：最可能的等级，其下为未被排除的等级；高风险：属于高风险的概率；依据：",
        )
    )
    if not styled:
        return legend.append(say("[in brackets]", "[方括号内]"))
    for indicator in scale.INDICATORS:
        legend.append(str(scale.INDICATOR_NAMES[indicator]), STYLES[indicator]).append(" ")
    return legend


def marked(text: str, assessment: Assessment, *, styled: bool) -> Text:
    """The text around its heaviest evidence, with the evidence marked: by colour, or [in brackets]."""
    spans = sorted(assessment.evidence, key=lambda span: -span.weight)
    first = max(0, min(spans[0].start - SHOWN_CHARACTERS // 3, len(text) - SHOWN_CHARACTERS)) if spans else 0
    last = first + SHOWN_CHARACTERS
    shown = Text("…" if first else "")
    styles = ["" for _ in text[first:last]]
    for span in reversed(spans):
        for place in range(max(span.start, first), min(span.end, last)):
            styles[place - first] = STYLES[span.indicator]
    for style, pairs in groupby(zip(styles, _printable(text[first:last]), strict=True), key=lambda pair: pair[0]):
        part = "".join(character for _, character in pairs)
        shown.append(f"[{part}]" if style and not styled else part, style if styled else "")
    return shown.append("…" if last < len(text) else "")


def _printable(text: str) -> str:
    """As long as the text, without what could steer a terminal or end a line; emoji sequences stay whole."""
    return "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)


def _scope(scope: str) -> str:
    return say("not Chinese", "非中文") if scope == "no-chinese" else say("no words", "没有文字")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _print_summary(console: Console, summary: Summary) -> None:
    console.print(
        say(
            f"{_count(summary.assessed, 'post')} assessed, {summary.high:,} of them high risk.",
            f"已评估 {summary.assessed:,} 条，其中高风险 {summary.high:,} 条。",
        )
    )
    if summary.uncertain:
        console.print(
            say(
                f"{_count(summary.uncertain, 'post')} uncertain: high and low are both still possible.",
                f"不确定 {summary.uncertain:,} 条：高低风险都仍有可能。",
            )
        )
    if summary.resumed:
        console.print(
            say(f"{summary.resumed:,} of them in an earlier run.", f"其中 {summary.resumed:,} 条为此前运行的结果。")
        )
    for scope, count in summary.out_of_scope.items():
        console.print(
            say(
                f"{count:,} out of scope ({_scope(scope)}): read them yourself.",
                f"{count:,} 条不在适用范围（{_scope(scope)}）：请人工查看。",
            )
        )
    if summary.repeated_ids:
        console.print(
            say(
                f"{_count(summary.repeated_ids, 'id')} seen before; every post was assessed.",
                f"{summary.repeated_ids:,} 条的编号与前面的重复；均已评估。",
            )
        )
    if summary.skipped:
        console.print(say(f"{_count(summary.skipped, 'record')} skipped:", f"跳过 {summary.skipped:,} 条记录："))
        for skip in summary.skips:
            console.print(f"  {_printable(str(skip))}")
        if summary.skipped > len(summary.skips):
            console.print(f"  … {summary.skipped - len(summary.skips):,}")
    if summary.skipped_file:
        console.print(say(f"All skipped records: {summary.skipped_file}", f"全部跳过的记录：{summary.skipped_file}"))
    if summary.output:
        console.print(say(f"All assessments: {summary.output}", f"全部结果：{summary.output}"))
