"""`shouwang assess`: posts in, ranked risk out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from shouwang import files, scale
from shouwang.columns import posts_from
from shouwang.errors import InputError
from shouwang.language import language, say
from shouwang.posts import Assessment, Post, Skipped
from shouwang.scale import Indicator
from shouwang.triage.batch import Ranked, Summary, assess_records

ALL_WELL, SOME_SKIPPED, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130
SHOWN_CHARACTERS = 80
WIDEST_ID = 16
WIDEST_NAME = 14
RECORDS_PER_STEP = 500  # of the progress bar
STYLES: dict[Indicator, str] = {
    "pain": "magenta",
    "wish": "bold red",
    "plan": "bold yellow",
    "method": "bold cyan",
    "time": "bold blue",
}


def assess(
    posts: Annotated[
        list[str],
        typer.Argument(
            help=say(
                "Files (.jsonl .csv .tsv .parquet .txt, also .gz); - for standard input.",
                "文件（.jsonl .csv .tsv .parquet .txt，可为 .gz）；- 表示标准输入。",
            )
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=say(
                "Write every assessment, in input order: .jsonl, .csv or .parquet. Resumes if interrupted.",
                "按输入顺序写出全部结果：.jsonl、.csv 或 .parquet。中断后可续跑。",
            ),
        ),
    ] = None,
    text_column: Annotated[str | None, typer.Option(help=say("The column of the text.", "正文所在列。"))] = None,
    id_column: Annotated[str | None, typer.Option(help=say("The column of the id.", "编号所在列。"))] = None,
    encoding: Annotated[
        str | None, typer.Option(help=say("Of text files; detected if not given.", "文本文件的编码；不填则自动识别。"))
    ] = None,
    top: Annotated[int, typer.Option(min=0, help=say("Posts to show.", "显示多少条。"))] = 20,
    model: Annotated[
        Path | None,
        typer.Option(help=say("A model folder; the built-in one if not given.", "模型目录；默认为内置模型。")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    """Read, assess, show; the exit code says whether records were skipped."""
    from shouwang.models import store  # takes a third of a second, which the other commands do without

    loaded = store.load(model)
    records = _read(posts, text_column=text_column, id_column=id_column, encoding=encoding)
    basis = (loaded.name, loaded.version, str(model), language(), text_column, id_column, encoding)
    try:
        with _progress(_total(posts)) as progress:
            ranked = assess_records(
                records,
                loaded.stream,
                output=output,
                run=json.dumps((*basis, [(source, _size(source)) for source in posts])),
                top=top,
                progress=progress,
            )
    except KeyboardInterrupt:
        _print_interrupted(output)
        raise typer.Exit(INTERRUPTED) from None
    print_ranked = _print_json if as_json else _print_table
    print_ranked(ranked)
    summary = ranked.summary
    raise typer.Exit(NOTHING_DONE if not summary.assessed else SOME_SKIPPED if summary.skipped else ALL_WELL)


def _read(
    sources: Iterable[str], *, text_column: str | None, id_column: str | None, encoding: str | None
) -> Iterator[Post | Skipped]:
    """The posts of every file; a file that cannot be read is skipped as a whole."""
    for source in sources:
        try:
            rows = files.read_rows(source, encoding=encoding, text_column=text_column)
            yield from posts_from(rows, text_column=text_column, id_column=id_column)
        except InputError as error:
            yield Skipped(source, str(error).removeprefix(f"{source}: "))


def _total(sources: Iterable[str]) -> int | None:
    counts = [files.count_rows(source) for source in sources]
    return None if None in counts else sum(count or 0 for count in counts)


def _size(source: str) -> int | None:
    return Path(source).stat().st_size if Path(source).is_file() else None


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error, and what moves it on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True))
    console = Console(stderr=True)
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    waiting = 0
    with bar:
        task = bar.add_task(say("assessing", "评估中"), total=total)

        def advance(count: int) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= RECORDS_PER_STEP:
                bar.advance(task, waiting)
                waiting = 0

        yield advance


def _print_interrupted(output: Path | None) -> None:
    Console(stderr=True, highlight=False, markup=False).print(
        say(
            "Interrupted: what is done is kept; give the same command again to go on.",
            "已中断：已完成的部分已保留；再次运行同一命令即可继续。",
        )
        if output
        else say("Interrupted. With --output, a run can be resumed.", "已中断。加上 --output 的运行可以续跑。"),
        soft_wrap=True,
    )


def _print_json(ranked: Ranked) -> None:
    summary = ranked.summary
    found = {
        "assessed": summary.assessed,
        "resumed": summary.resumed,
        "high": summary.high,
        "out_of_scope": dict(summary.out_of_scope),
        "skipped": summary.skipped,
        "skips": [{"where": s.where, "reason": s.reason, "fix": s.fix} for s in summary.skips],
        "repeated_ids": summary.repeated_ids,
        "output": summary.output and str(summary.output),
        "skipped_file": summary.skipped_file and str(summary.skipped_file),
        "top": [assessment.to_row() for _, assessment in ranked.top],
    }
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def _print_table(ranked: Ranked) -> None:
    console = Console()
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
            table.add_row(*_cells(assessment), marked(post.text, assessment, styled=styled), Text(_printable(post.id)))
        console.print(table)
    _print_summary(Console(highlight=False, markup=False, soft_wrap=True), ranked.summary)


def _cells(assessment: Assessment) -> tuple[str, str, Text]:
    if assessment.scope != "ok":
        return "–", _scope(assessment.scope), Text("–")
    probability = Text(f"{assessment.p_high:.0%}", style="bold red" if assessment.high else "")
    return str(assessment.level), assessment.level_name, probability


def _legend(*, styled: bool) -> Text:
    legend = Text(say("high: probability of high risk; evidence: ", "高风险：属于高风险的概率；依据："))
    if not styled:
        return legend.append(say("[in brackets]", "[方括号内]"))
    for indicator, style in STYLES.items():
        legend.append(str(scale.INDICATOR_NAMES[indicator]), style).append(" ")
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
