"""`shouwang benchmark`: models side by side on the same folds and test set."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shouwang import lookup
from shouwang.cli.options import AsJson, DropLeaks
from shouwang.errors import SOME_SKIPPED, InputError
from shouwang.evaluate import TASKS, Task, jsonable
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.benchmark import Done, Job, Report, Study

SEEDS = range(2**32)  # what NumPy and scikit-learn take
REPORT, TABLE, PAGE = "report.json", "report.md", "report.html"


def command(
    models: Annotated[
        str,
        typer.Option(
            help=say(
                "Separated by commas: baselines; encoders by name (macbert), id@commit or folder; macbert:paper for "
                "the published recipe.",
                "用逗号分隔：基线；编码器的名字（macbert）、id@提交号或文件夹；macbert:paper 表示用论文的训练方法。",
            )
        ),
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
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help=say(
                "One setting of the encoders, such as epochs=2; repeatable.",
                "编码器的一项设置，如 epochs=2；可多次给出。",
            ),
        ),
    ] = None,
    augment: Annotated[
        str,
        typer.Option(
            help=say(
                "Each model once more with these, separated by commas: synonyms:max, synonyms+drop:mean, a file of "
                "posts, invented.",
                "每个模型再各加一次增强，用逗号分隔：synonyms:max、synonyms+drop:mean、帖子文件、invented。",
            )
        ),
    ] = "",
    drop_leaks: DropLeaks = False,
    processes: Annotated[
        int, typer.Option(min=1, help=say("Cells run at once, one thread each.", "同时运行的格数，每格一个线程。"))
    ] = 1,
    engine: Annotated[
        str,
        typer.Option(
            help=say(
                "local, or ray: the cluster in RAY_ADDRESS, else Ray on this machine.",
                "local，或 ray：RAY_ADDRESS 所指的集群，否则在本机。",
            )
        ),
    ] = "local",
    keep_weights: Annotated[
        bool,
        typer.Option("--keep-weights", help=say("Keep every trained encoder.", "保留每个训练好的编码器。")),
    ] = False,
    output: Annotated[
        Path, typer.Option(help=say("Folder for results; a run goes on there.", "结果文件夹；可续跑。"))
    ] = Path("runs/benchmark"),
    as_json: AsJson = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help=say("Only say what would be run, and for how long.", "只列出将要运行的内容与预计时间。")
        ),
    ] = False,
    report_only: Annotated[
        bool,
        typer.Option("--report-only", help=say("Only the report, from finished cells.", "只用已完成的格生成报告。")),
    ] = False,
) -> None:
    from shouwang.benchmark import cells, changes_of, contenders, jobs, load_study, with_augmentation

    if report_only:
        return _report(output, as_json)
    chosen_models = contenders(_listed(models), changes_of(settings or []))  # a wrong name is met here, before any work
    chosen_models = with_augmentation(chosen_models, _listed(augment) if augment else [])
    known: dict[str, Task] = {task: task for task in TASKS}
    chosen = [lookup.get(known, task, "task") for task in _listed(tasks)]
    numbers = _seeds(seeds)
    study = load_study(data, test, drop_leaks=drop_leaks)
    grid = jobs(
        study, cells(study, chosen, list(chosen_models), numbers), chosen_models, output, keep_weights=keep_weights
    )
    if dry_run:
        return _plan(study, grid, output, processes, as_json)
    failed = _run(study, grid, processes, engine, quiet=as_json)
    _report(output, as_json)
    if failed:
        raise typer.Exit(SOME_SKIPPED)
    return None


def _listed(text: str) -> list[str]:
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise InputError(
            say(
                f"'{text}' names nothing; expected names separated by commas", f"“{text}”没有名字；应为用逗号分隔的名字"
            )
        )
    return found


def _seeds(text: str) -> list[int]:
    try:
        found = list(dict.fromkeys(int(part) for part in _listed(text)))
    except ValueError:
        found = [-1]
    if not all(seed in SEEDS for seed in found):
        raise InputError(
            say(
                f"--seeds '{text}' is not a list of whole numbers from 0 on, such as 0,1,2",
                f"--seeds “{text}”不是从 0 起的整数列表，应如 0,1,2",
            )
        )
    return found


# --- the plan -------------------------------------------------------------------------------------------------------


def _plan(study: Study, grid: list[Job], output: Path, processes: int, as_json: bool) -> None:
    from shouwang.benchmark import estimate, state

    plan = [(job, state(job).finished) for job in grid]
    todo = [job for job, done in plan if not done]
    expected = estimate(todo, output)
    if as_json:
        rows = [cast(dict[str, object], jsonable(job.cell)) | {"finished": done} for job, done in plan]
        typer.echo(json.dumps({"cells": rows, "estimate": jsonable(expected)}, ensure_ascii=False))
        return
    table = Table(
        say("round", "轮次"), say("training posts", "训练帖"), say("held out", "被评帖"), say("left out", "去掉")
    )
    for name, each in study.rounds.items():
        table.add_row(name, str(len(each.train)), str(len(each.held_out)), ", ".join(each.dropped) or "–")
    console = Console(highlight=False)
    console.print(table)
    for job, done in plan:
        console.print(f"{job.cell}" + (say("  finished", "  已完成") if done else ""), markup=False)
    console.print(say(f"{len(todo)} of {len(plan)} cells to run.", f"共 {len(plan)} 格，待运行 {len(todo)} 格。"))
    if expected.known:
        took = _minutes(expected.seconds / processes)
        console.print(
            say(
                f"About {took} for {expected.known} of them, judged by finished cells, {processes} at a time.",
                f"其中 {expected.known} 格约需 {took}（依据已完成的格，每次 {processes} 格）。",
            )
        )
    if expected.unknown:
        names = ", ".join(expected.unknown)
        console.print(
            say(
                f"No estimate for {names}: none of their cells is finished yet.",
                f"无法估计：{names}，还没有完成的格。",
            )
        )


def _minutes(seconds: float) -> str:
    if seconds < 90:
        return say(f"{math.ceil(seconds)} s", f"{math.ceil(seconds)} 秒")
    if seconds < 5_400:
        return say(f"{seconds / 60:.0f} min", f"{seconds / 60:.0f} 分钟")
    return say(f"{seconds / 3600:.1f} h", f"{seconds / 3600:.1f} 小时")


# --- the run --------------------------------------------------------------------------------------------------------


def _run(study: Study, grid: list[Job], processes: int, engine: str, quiet: bool) -> int:
    """How many cells could not be finished; each is named with its reason."""
    from shouwang.benchmark import run

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True, highlight=False)
    failed = 0
    with Progress(*columns, console=console, disable=quiet) as progress:
        bar = progress.add_task(study.name, total=len(grid))
        for done in run(grid, processes=processes, engine=engine):
            failed += done.problem is not None
            for line in _told(done):
                console.print(line, markup=False, soft_wrap=True)
            progress.update(bar, advance=1, description=str(done.cell))
    return failed


def _told(done: Done) -> list[str]:
    lines = []
    if done.broken:
        lines.append(say(f"{done.cell}: run again: {done.broken}", f"{done.cell}：重新运行：{done.broken}"))
    if done.problem:
        lines.append(say(f"{done.cell}: not finished: {done.problem}", f"{done.cell}：未完成：{done.problem}"))
    return lines


# --- the report -----------------------------------------------------------------------------------------------------


def _report(output: Path, as_json: bool) -> None:
    from shouwang.benchmark import markdown, page, report

    found = report(output)
    details = json.dumps(jsonable(found), ensure_ascii=False, indent=1)
    for name, text in ((REPORT, details + "\n"), (TABLE, markdown(found)), (PAGE, page(found))):
        (output / name).write_text(text, encoding="utf-8")
    if as_json:
        typer.echo(details)
    else:
        _show(found, output)


def _show(found: Report, output: Path) -> None:
    from shouwang.benchmark.report import HEADLINE
    from shouwang.benchmark.tables import bracketed, notes, plus_minus

    table = Table(title=say("weighted F1", "加权 F1"), title_justify="left")
    for heading in (
        say("task", "任务"),
        say("model", "模型"),
        say("folds, mean ± sd", "各折 均值 ± 标准差"),
        say("test [95%]", "测试 [95%]"),
        say(f"minus {found.reference}, folds", f"减 {found.reference}，各折"),
    ):
        table.add_column(heading)
    for row in found.rows:
        scores = (plus_minus(row.folds.get(HEADLINE)), bracketed(row.test.get(HEADLINE)))
        table.add_row(row.task, row.model, *scores, bracketed(row.fold_difference, sign="+"))
    console = Console(highlight=False, markup=False)
    console.print(table)
    for note in notes(found):
        console.print(note, soft_wrap=True)
    console.print(
        say(
            f"Tables: {output / TABLE}; with pictures: {output / PAGE}; every metric: {output / REPORT}",
            f"表：{output / TABLE}；附图：{output / PAGE}；全部指标：{output / REPORT}",
        ),
        soft_wrap=True,
    )
