"""`shouwang benchmark`: models side by side on the same folds and test set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shouwang import lookup
from shouwang.cli.options import AsJson, DropLeaks
from shouwang.errors import InputError
from shouwang.evaluate import TASKS, Task, jsonable
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.benchmark import Cell, Report, Study

REPORT, TABLE = "report.json", "report.md"


def command(
    models: Annotated[
        str, typer.Option(help=say("Names, separated by commas.", "模型名，用逗号分隔。"))
    ] = "majority,tfidf-lr,tfidf-svm,usem3-lr",
    tasks: Annotated[str, typer.Option(help=say("levels, high, or both.", "levels、high，或两者。"))] = "levels,high",
    data: Annotated[
        str,
        typer.Option(
            help=say("A data set with published folds, or a labelled file.", "公布了分折的数据集，或已标注的文件。")
        ),
    ] = "sos-1k",
    test: Annotated[
        str | None, typer.Option(help=say("A test set of your own: data set or file.", "另用的测试集：数据集或文件。"))
    ] = None,
    seeds: Annotated[str, typer.Option(help=say("Numbers, separated by commas.", "随机种子，用逗号分隔。"))] = "0",
    drop_leaks: DropLeaks = False,
    output: Annotated[
        Path, typer.Option(help=say("Folder for results; a run goes on there.", "结果文件夹；可续跑。"))
    ] = Path("runs/benchmark"),
    as_json: AsJson = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=say("Only say what would be run.", "只列出将要运行的内容。"))
    ] = False,
) -> None:
    from shouwang.benchmark import cells, load_study
    from shouwang.models import baselines

    names = _listed(models)
    known: dict[str, Task] = {task: task for task in TASKS}
    for name in names:
        baselines.new(name, classes=2)  # an unknown name or a missing package is met here, before any work
    chosen = [lookup.get(known, task, "task") for task in _listed(tasks)]
    study = load_study(data, test, drop_leaks=drop_leaks)
    grid = cells(study, chosen, names, _seeds(seeds))
    if dry_run:
        return _plan(study, grid, output, as_json)
    _run(study, grid, output, quiet=as_json)
    return _report(output, as_json)


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in _listed(text)]
    except ValueError:
        raise InputError(f"--seeds '{text}' is not a list of whole numbers such as 0,1,2") from None


def _plan(study: Study, grid: list[Cell], output: Path, as_json: bool) -> None:
    from shouwang.benchmark import finished

    plan = [(cell, finished(cell, study, output)) for cell in grid]
    if as_json:
        typer.echo(json.dumps([cast(dict[str, object], jsonable(cell)) | {"finished": done} for cell, done in plan]))
        return
    table = Table(
        say("round", "轮次"), say("training posts", "训练帖"), say("held out", "被评帖"), say("left out", "去掉")
    )
    for name, each in study.rounds.items():
        table.add_row(name, str(len(each.train)), str(len(each.held_out)), ", ".join(each.dropped) or "–")
    console = Console(highlight=False)
    console.print(table)
    for cell, done in plan:
        console.print(f"{cell}" + (say("  finished", "  已完成") if done else ""), markup=False)
    todo = sum(not done for _, done in plan)
    console.print(say(f"{todo} of {len(plan)} cells to run.", f"共 {len(plan)} 格，待运行 {todo} 格。"))


def _run(study: Study, grid: list[Cell], output: Path, quiet: bool) -> None:
    from shouwang.benchmark import run

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task(study.name, total=len(grid))
        for cell, _ in run(study, grid, output):
            progress.update(bar, advance=1, description=str(cell))


def _report(output: Path, as_json: bool) -> None:
    from shouwang.benchmark import markdown, report

    found = report(output)
    details = json.dumps(jsonable(found), ensure_ascii=False, indent=1)
    (output / REPORT).write_text(details + "\n", encoding="utf-8")
    (output / TABLE).write_text(markdown(found), encoding="utf-8")
    if as_json:
        typer.echo(details)
    else:
        _show(found, output)


def _show(found: Report, output: Path) -> None:
    from shouwang.benchmark.report import HEADLINE, bracketed, plus_minus

    table = Table(title=say("weighted F1", "加权 F1"), title_justify="left")
    for heading in (
        say("task", "任务"),
        say("model", "模型"),
        say("folds, mean ± sd", "各折 均值 ± 标准差"),
        say("test [95%]", "测试 [95%]"),
        say(f"minus {found.reference}", f"减 {found.reference}"),
    ):
        table.add_column(heading)
    for row in found.rows:
        scores = (plus_minus(row.folds.get(HEADLINE)), bracketed(row.test.get(HEADLINE)))
        table.add_row(row.task, row.model, *scores, bracketed(row.difference, sign="+"))
    console = Console(highlight=False, markup=False)
    console.print(table)
    for study, task, folds, test in dict.fromkeys((r.study, r.task, r.fold_posts, r.test_posts) for r in found.rows):
        console.print(
            say(
                f"n of {study}, {task}: folds {folds}, test {test}",
                f"{study}，{task}：各折合计 n = {folds}，测试 n = {test}",
            )
        )
    console.print(
        say(
            f"Table: {output / TABLE}; every metric: {output / REPORT}",
            f"表：{output / TABLE}；全部指标：{output / REPORT}",
        ),
        soft_wrap=True,
    )
