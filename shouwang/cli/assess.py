"""`shouwang assess`: posts in, ranked risk out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from shouwang import files
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.models import store
from shouwang.posts import Assessment, Post, Skipped
from shouwang.triage.batch import Ranked, Summary, assess_records

ALL_WELL, SOME_SKIPPED, NOTHING_DONE = 0, 1, 2
SHOWN_CHARACTERS = 60
STYLES = {"pain": "magenta", "wish": "bold red", "plan": "bold yellow", "method": "bold cyan", "time": "bold blue"}


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
    loaded = store.load(model)
    records = _read(posts, text_column=text_column, id_column=id_column, encoding=encoding)
    with _progress() as progress:
        task = progress.add_task(say("assessing", "评估中"), total=_total(posts))
        ranked = assess_records(
            records, loaded.stream, output=output, top=top, progress=lambda n: progress.advance(task, n)
        )
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
            rows = files.read_rows(source, encoding=encoding)
            yield from files.posts_from(rows, text_column=text_column, id_column=id_column)
        except InputError as error:
            yield Skipped(source, str(error))


def _total(sources: Iterable[str]) -> int | None:
    counts = [files.count_rows(source) for source in sources]
    return None if None in counts else sum(count or 0 for count in counts)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True))
    console = Console(stderr=True)
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)


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
        table = Table(title=say("Expressed risk, highest first", "表达出的风险，由高到低"), title_justify="left")
        table.add_column(say("level", "等级"), justify="right")
        table.add_column(say("expressed", "表达"), no_wrap=True)
        table.add_column(say("high risk", "高风险概率"), justify="right")
        table.add_column(say("text, evidence marked", "正文（标出依据）"), ratio=1)
        table.add_column(say("id", "编号"), overflow="fold")
        for post, assessment in ranked.top:
            in_scope = assessment.scope == "ok"
            table.add_row(
                str(assessment.level) if in_scope else "–",
                assessment.level_name if in_scope else _scope(assessment.scope),
                Text(f"{assessment.p_high:.0%}", style="bold red" if assessment.high else ""),
                marked(post.text, assessment, styled=console.is_terminal),
                post.id,
            )
        console.print(table)
    _print_summary(Console(highlight=False, markup=False), ranked.summary)


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
    before = ""
    for character, style in zip(text[first:last], styles, strict=True):
        if not styled and bool(style) != bool(before):
            shown.append("[" if style else "]")
        shown.append(character if character.isprintable() else " ", style)
        before = style
    if before and not styled:
        shown.append("]")
    return shown.append("…" if last < len(text) else "")


def _scope(scope: str) -> str:
    return say("not Chinese", "非中文") if scope == "no-chinese" else say("no words", "没有文字")


def _print_summary(console: Console, summary: Summary) -> None:
    console.print(
        say(
            f"{summary.assessed:,} posts assessed, {summary.high:,} of them high risk.",
            f"已评估 {summary.assessed:,} 条，其中高风险 {summary.high:,} 条。",
        )
    )
    if summary.resumed:
        console.print(
            say(f"{summary.resumed:,} were done in an earlier run.", f"其中 {summary.resumed:,} 条为此前运行的结果。")
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
                f"{summary.repeated_ids:,} posts repeat an earlier id; all were assessed.",
                f"{summary.repeated_ids:,} 条的编号与前面的重复；均已评估。",
            )
        )
    if summary.skipped:
        console.print(say(f"{summary.skipped:,} records skipped:", f"跳过 {summary.skipped:,} 条记录："))
        for skip in summary.skips:
            console.print(f"  {skip}")
        if summary.skipped > len(summary.skips):
            console.print(f"  … {summary.skipped - len(summary.skips):,}")
    if summary.skipped_file:
        console.print(say(f"All skipped records: {summary.skipped_file}", f"全部跳过的记录：{summary.skipped_file}"))
    if summary.output:
        console.print(say(f"All assessments: {summary.output}", f"全部结果：{summary.output}"))
