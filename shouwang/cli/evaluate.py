"""`shouwang evaluate`: predictions against gold, with intervals."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from shouwang import scale
from shouwang.cli.options import AsJson
from shouwang.errors import ALL_WELL, SOME_SKIPPED
from shouwang.evaluate import (
    METRICS,
    TASKS,
    Gold,
    Interval,
    Options,
    Report,
    Task,
    TaskReport,
    evaluate,
    gold_from,
    jsonable,
    read_gold,
    read_predictions,
)
from shouwang.evaluate.intervals import RESAMPLES
from shouwang.evaluate.report import CLASSES, Comparison
from shouwang.language import Words, say

IDS_SHOWN = 20

TASK_NAMES: dict[Task, Words] = {
    "levels": Words("levels 0–10", "0–10 级"),
    "high": Words("high risk", "高风险"),
}


def command(
    predictions: Annotated[
        Path,
        typer.Argument(
            help=say(
                "What a model said, as `shouwang assess --output` writes it.",
                "模型的判断：`shouwang assess --output` 写出的文件。",
            )
        ),
    ],
    gold: Annotated[
        str,
        typer.Option(
            help=say(
                "A labelled file, or a data set such as sos-1k/test.", "已标注的文件，或数据集名，如 sos-1k/test。"
            )
        ),
    ],
    task: Annotated[
        Literal["levels", "high", "both"],
        typer.Option(help=say("Which task; both: whatever the files hold.", "评估哪个任务；both：文件中有的都评。")),
    ] = "both",
    compare: Annotated[
        Path | None,
        typer.Option(help=say("Another prediction file, compared post by post.", "另一个预测文件，逐帖配对比较。")),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(help=say("Draw the confusion matrix to a .png or .svg.", "把混淆矩阵画成 .png 或 .svg。")),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=say("Write the whole report as JSON.", "把完整报告写成 JSON。"))
    ] = None,
    as_json: AsJson = False,
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help=say("High from this p_high on.", "p_high 达到多少算高风险。")),
    ] = 0.5,
    bootstrap: Annotated[int, typer.Option(min=1, help=say("Bootstrap resamples.", "自助法重抽样次数。"))] = RESAMPLES,
    seed: Annotated[int, typer.Option(min=0, help=say("Seed of the bootstrap.", "自助法的随机种子。"))] = 0,
) -> None:
    report = evaluate(
        labelled(gold),
        read_predictions(predictions),
        None if task == "both" else [task],
        read_predictions(compare) if compare else None,
        Options(threshold, bootstrap, seed),
    )
    pictures = _draw(report, confusion) if confusion else []
    details = json.dumps(jsonable(report), ensure_ascii=False, indent=1)
    if output:
        output.write_text(details + "\n", encoding="utf-8")
    if as_json:
        typer.echo(details)
    else:
        _show(Console(), report, output, pictures)
    raise typer.Exit(ALL_WELL if report.complete else SOME_SKIPPED)


def labelled(spec: str) -> Gold:
    """The labelled posts of a file, or of a data set by name, even where a folder has that name, as in a copy of the data."""
    if Path(spec).suffix or (Path(spec).exists() and not Path(spec).is_dir()):
        return read_gold(spec)
    from shouwang.data.load import load

    return gold_from(spec, load(spec))


def _draw(report: Report, path: Path) -> list[Path]:
    """One picture per task; where there are two, the task's name joins the file's."""
    import numpy as np

    from shouwang.evaluate.confusion import save_picture

    drawn = []
    for task, each in report.tasks.items():
        target = path.with_stem(f"{path.stem}-{task}") if len(report.tasks) > 1 else path
        save_picture(
            np.array(each.confusion, dtype=float), CLASSES[task], target, f"{TASK_NAMES[task].en}, n = {each.n}"
        )
        drawn.append(target)
    return drawn


# --- for people -----------------------------------------------------------------------------------------------------


def _show(console: Console, report: Report, output: Path | None, pictures: list[Path]) -> None:
    for task in TASKS:
        if task in report.tasks:
            _show_task(console, task, report.tasks[task])
    for source, skipped in report.skipped.items():
        console.print(say(f"{source}: {len(skipped)} records skipped:", f"{source}：跳过 {len(skipped)} 条："))
        _list(console, skipped)
    for path in pictures:
        console.print(say(f"Picture: {path}", f"图：{path}"), soft_wrap=True)
    if output:
        console.print(say(f"All details: {output}", f"全部细节：{output}"), soft_wrap=True)
    else:
        console.print(
            say(
                "Calibration bins, slices and all ids: --output REPORT.json",
                "校准分箱、分片与全部 id：用 --output REPORT.json 写出",
            )
        )


def _show_task(console: Console, task: Task, report: TaskReport) -> None:
    import numpy as np

    from shouwang.evaluate.confusion import as_text

    console.print(_metrics_table(task, report))
    if report.comparison:
        console.print(_comparison_table(task, report.comparison))
    console.print(_class_table(task, report))
    console.print(say("Confusion matrix, gold by row, predicted by column:", "混淆矩阵，行为标注，列为预测："))
    console.print(as_text(np.array(report.confusion, dtype=float), CLASSES[task]), highlight=False, markup=False)
    console.print()
    if report.gold_high_from_level:
        console.print(
            say(
                f"Gold has no high/low label: levels from {scale.HIGH_FROM} on count as high.",
                f"标注中没有高/低标签：{scale.HIGH_FROM} 级及以上算作高风险。",
            )
        )
    _note(console, report.unlabelled, Words("posts without a gold label", "条帖子没有标注"))
    _note(console, report.only_gold, Words("labelled posts without a prediction", "条有标注的帖子没有预测"))
    _note(console, report.only_predicted, Words("predictions without a gold post", "条预测没有对应的标注"))
    if report.comparison:
        left_out = Words("posts that only one of the two files answers", "条帖子只有一个文件给出预测")
        _note(console, report.comparison.left_out, left_out)


def _metrics_table(task: Task, report: TaskReport) -> Table:
    table = Table(title=f"{TASK_NAMES[task]} (n = {report.n})", title_justify="left")
    table.add_column(say("metric", "指标"))
    table.add_column(say("value", "值"), justify="right", no_wrap=True)
    table.add_column(say("95% interval", "95% 区间"), no_wrap=True)
    for name, interval in report.metrics.items():
        table.add_row(_metric_name(task, name), _number(interval.value), _range(interval))
    table.caption = say("↓ lower is better", "↓ 越低越好")
    return table


def _comparison_table(task: Task, comparison: Comparison) -> Table:
    title = say(
        f"compared with {comparison.other} (n = {comparison.n})", f"与 {comparison.other} 比较 (n = {comparison.n})"
    )
    table = Table(title=title, title_justify="left")
    table.add_column(say("metric", "指标"))
    for heading in (say("this", "本文件"), say("other", "另一个"), say("difference", "差值")):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(say("95% interval", "95% 区间"), no_wrap=True)
    table.add_column(say("wrong side", "反侧"), justify="right")
    for name, each in comparison.metrics.items():
        scores = (
            _number(each.first),
            _number(each.second),
            _signed(each.value),
            _range(each),
            _number(each.wrong_side),
        )
        table.add_row(_metric_name(task, name), *scores)
    table.caption = say(
        "difference: this file minus the other; wrong side: share of resamples where it is 0 or has the other sign",
        "差值：本文件减另一个；反侧：差值为 0 或变号的重抽样比例",
    )
    return table


def _metric_name(task: Task, name: str) -> str:
    metric = METRICS[task][name]
    return f"{metric.name} ↓" if metric.lower_is_better else str(metric.name)


def _class_table(task: Task, report: TaskReport) -> Table:
    table = Table(title=say("each class", "各类别"), title_justify="left")
    for heading in (
        say("class", "类别"),
        say("n", "条数"),
        say("predicted", "预测数"),
        say("precision", "精确率"),
        say("recall", "召回率"),
        "F1",
    ):
        table.add_column(heading, justify="right")
    table.add_column(say("95% interval of F1", "F1 的 95% 区间"))
    for name, each in report.per_class.items():
        scores = (_number(score.value) for score in (each.precision, each.recall, each.f1))
        label = name if task == "levels" else str(scale.HIGH_NAMES[name == "high"])
        table.add_row(label, str(each.support), str(each.predicted), *scores, _range(each.f1))
    return table


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _range(interval: Interval) -> str:
    return "–" if math.isnan(interval.low) else f"{interval.low:.3f}…{interval.high:.3f}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.3f}"


def _note(console: Console, ids: tuple[str, ...], what: Words) -> None:
    if ids:
        console.print(f"{len(ids)} {what}" + say(":", "："))
        _list(console, ids)


def _list(console: Console, lines: tuple[str, ...]) -> None:
    for line in lines[:IDS_SHOWN]:
        console.print(f"  {line}", highlight=False, markup=False)
    if len(lines) > IDS_SHOWN:
        console.print(
            say(
                f"  and {len(lines) - IDS_SHOWN} more (see --output)",
                f"  另有 {len(lines) - IDS_SHOWN} 条（见 --output）",
            )
        )
