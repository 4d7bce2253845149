"""`shouwang train`: fine-tune a pre-trained encoder; one run, one folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from shouwang.cli.options import AsJson, DropLeaks
from shouwang.errors import InputError, MissingExtraError
from shouwang.evaluate import METRICS, TASKS
from shouwang.language import Words, say

if TYPE_CHECKING:
    from shouwang.train.encoders.checkpoint import Epochs
    from shouwang.train.encoders.loop import Report
    from shouwang.train.encoders.run import Run
    from shouwang.train.encoders.splits import Splits

TASK_NAMES = {"levels": Words("levels 0–10", "0–10 级"), "high": Words("high risk", "高风险")}
SHOWN = {"levels": ("weighted_f1", "macro_f1", "mae", "qwk"), "high": ("weighted_f1", "f1", "recall", "auroc")}


def command(
    model: Annotated[
        str,
        typer.Option(
            help=say(
                "An encoder such as macbert, a hub id, or the folder of a checkpoint.",
                "编码器名（如 macbert）、hub 上的名字，或检查点所在的文件夹。",
            )
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help=say("Folder of this run; a run that was cut off goes on there.", "本次训练的文件夹；中断后可续训。")
        ),
    ],
    task: Annotated[
        Literal["levels", "high", "both"],
        typer.Option(help=say("both: one model with two heads.", "both：一个模型、两个输出头。")),
    ] = "both",
    data: Annotated[str, typer.Option(help=say("A data set with published folds.", "公布了分折的数据集。"))] = "sos-1k",
    fold: Annotated[
        int, typer.Option(help=say("The fold for validation; the others train.", "用作验证的一折；其余用于训练。"))
    ] = 1,
    train: Annotated[
        str | None,
        typer.Option(
            help=say("Your own training posts instead: file or data set.", "改用自己的训练帖子：文件或数据集。")
        ),
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(help=say("With --train: the posts that choose the epoch.", "与 --train 同用：用来选轮次的帖子。")),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            help=say("With --train: posts that are only predicted at the end.", "与 --train 同用：只在最后预测的帖子。")
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            help=say(
                "fast, or paper: as published (AdamW 5e-6, batch 16, pad 150, patience 15).",
                "fast，或 paper：按论文（AdamW 5e-6，批 16，补齐到 150，耐心 15）。",
            )
        ),
    ] = "fast",
    revision: Annotated[
        str | None,
        typer.Option(
            help=say("Commit of a hub model, instead of the pinned one.", "hub 模型的提交号，代替固定的版本。")
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help=say("Epochs at most.", "最多训练几轮。"))] = None,
    rate: Annotated[float | None, typer.Option(help=say("Highest learning rate.", "最高学习率。"))] = None,
    batch: Annotated[int | None, typer.Option(help=say("Posts at a time.", "每批帖数。"))] = None,
    accumulate: Annotated[
        int | None, typer.Option(help=say("Batches per step, for less memory.", "每步累积几批，可省内存。"))
    ] = None,
    buckets: Annotated[
        bool | None,
        typer.Option(
            "--buckets/--no-buckets",
            help=say("Batches of posts of similar length, or of any.", "每批取长度相近的帖子，或任意长度。"),
        ),
    ] = None,
    max_length: Annotated[int | None, typer.Option(help=say("Tokens per post at most.", "每帖最多几个词元。"))] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help=say(
                "Of the level head: cross-entropy, soft, expected or coral.",
                "等级头的损失：cross-entropy、soft、expected 或 coral。",
            )
        ),
    ] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help=say("Share of each label spread over all classes.", "标签平滑的比例。"))
    ] = None,
    class_weights: Annotated[
        str | None, typer.Option(help=say("none, sqrt or balanced.", "类别权重：none、sqrt 或 balanced。"))
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help=say("Epochs without a better validation score.", "验证分数几轮不升就停。"))
    ] = None,
    lora: Annotated[
        int | None, typer.Option(help=say("Rank of low-rank updates, for large backbones.", "LoRA 的秩，用于大模型。"))
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help=say("auto, fp32 or bf16.", "精度：auto、fp32 或 bf16。"))
    ] = None,
    device: Annotated[
        str | None, typer.Option(help=say("auto, cpu, cuda or mps.", "设备：auto、cpu、cuda 或 mps。"))
    ] = None,
    seed: Annotated[int | None, typer.Option(help=say("Of every draw.", "随机种子。"))] = None,
    drop_leaks: DropLeaks = False,
    as_json: AsJson = False,
) -> None:
    """Check, fine-tune, predict, save."""
    if not (find_spec("torch") and find_spec("transformers")):
        raise MissingExtraError(say("Training an encoder", "训练编码器"), "train")
    from shouwang.train.encoders import run
    from shouwang.train.encoders.settings import settings_of

    settings = settings_of(
        recipe,
        task=task,
        epochs=epochs,
        rate=rate,
        batch=batch,
        accumulate=accumulate,
        buckets=buckets,
        longest=max_length,
        loss=loss,
        label_smoothing=label_smoothing,
        class_weights=class_weights,
        patience=patience,
        lora=lora,
        precision=precision,
        device=device,
        seed=seed,
    )
    posts = _posts(data, fold, train, validation, test)
    console = Console(stderr=True, highlight=False)
    with _watched(console, quiet=as_json) as (report, finished):
        done = run.train(
            model,
            posts,
            settings,
            output,
            revision=revision,
            drop_leaks=drop_leaks,
            report=report,
            finished=finished,
        )
    if as_json:
        typer.echo(json.dumps({"folder": str(output), **done.result}, ensure_ascii=False, indent=1))
    else:
        _show(Console(), done)


def _posts(data: str, fold: int, train: str | None, validation: str | None, test: str | None) -> Splits:
    from shouwang.train.encoders import splits

    if train and validation:
        return splits.own(train, validation, test)
    if train or validation or test:
        raise InputError(
            say(
                "posts of your own need both --train and --validation; --test may be added",
                "用自己的帖子时，--train 与 --validation 都要给出；可另加 --test",
            )
        )
    return splits.published(data, fold)


@contextmanager
def _watched(console: Console, *, quiet: bool) -> Iterator[tuple[Report, Any]]:
    """A bar over all steps, and a line per finished epoch."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task(say("training", "训练"), total=None)

        def report(done: int, steps: int, loss: float) -> None:
            progress.update(bar, completed=done, total=steps, description=say(f"loss {loss:.3f}", f"损失 {loss:.3f}"))

        def finished(epochs: Epochs) -> None:
            if epochs and not quiet:
                last = epochs[-1]
                progress.console.print(
                    say(
                        f"epoch {last['epoch']}: loss {last['loss']:.3f}, validation weighted F1 "
                        f"{last['weighted_f1']:.3f}, {last['posts_per_second']:.0f} posts/s",
                        f"第 {last['epoch']} 轮：损失 {last['loss']:.3f}，验证集加权 F1 {last['weighted_f1']:.3f}，"
                        f"每秒 {last['posts_per_second']:.0f} 帖",
                    )
                )

        yield report, finished


def _show(console: Console, run: Run) -> None:
    parts = {"validation": say("validation", "验证集"), "test": say("test", "测试集")}
    there = [part for part in parts if part in run.result]
    table = Table(title=say("95% intervals in brackets", "括号内为 95% 区间"), title_justify="left")
    table.add_column(say("task", "任务"))
    table.add_column(say("metric", "指标"))
    for part in there:
        table.add_column(parts[part], no_wrap=True)
    for task in TASKS:
        for name in SHOWN[task]:
            scores = [run.result[part].get(task, {}).get(name) for part in there]
            if any(scores):
                table.add_row(str(TASK_NAMES[task]), str(METRICS[task][name].name), *map(_cell, scores))
    console.print(table)
    left_out = run.settings["data"]["leaked"]
    if left_out:
        console.print(
            say(
                f"{len(left_out)} posts left out that also stand in what is scored; ids in settings.json.",
                f"剔除 {len(left_out)} 条同时出现在被评部分的帖子；编号见 settings.json。",
            )
        )
    best, epochs = run.result["best_epoch"], run.result["epochs"]
    console.print(
        say(
            f"Best epoch {best} of {epochs}. All of it: {run.folder}",
            f"最佳为第 {best} 轮，共 {epochs} 轮。全部结果：{run.folder}",
        ),
        soft_wrap=True,
    )


def _cell(interval: dict[str, float | None] | None) -> str:
    if not interval or interval["value"] is None:
        return "–"
    value, low, high = ("–" if interval[key] is None else f"{interval[key]:.3f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
