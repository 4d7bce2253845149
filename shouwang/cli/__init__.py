"""The command line: one file per room. Parse, one call, print."""

from __future__ import annotations

from typing import Annotated

import typer

import shouwang
from shouwang.cli import (
    annotate,
    assess,
    augment,
    benchmark,
    data,
    evaluate,
    export,
    ingest,
    operating,
    probe,
    serve,
    train,
    train_encoder,
    watch,
)
from shouwang.language import say

app = typer.Typer(
    name="shouwang",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=say(
        "How much suicide risk Chinese posts express, 0-10, and why. It ranks text for people who decide.",
        "评估中文帖子所表达的自杀风险（0–10），并说明依据。它为做决定的人排序文字，不替人做决定。",
    ),
    epilog=say(
        "If you or someone near you is in danger: in mainland China call 12356 or 120; elsewhere findahelpline.com.",
        "如果你或身边的人有危险：中国大陆请拨打 12356 或 120；其他地区见 findahelpline.com。",
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(shouwang.__version__)
        raise typer.Exit


@app.callback()
def options(
    lang: Annotated[str | None, typer.Option(help=say("Language: zh or en.", "界面语言：zh 或 en。"))] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=say("The version.", "版本号。"))
    ] = False,
) -> None:
    """`--lang` is read in `__main__`, before the help texts are made."""


app.command(help=say("Posts in, ranked risk out.", "输入帖子，输出按风险排序的结果。"))(assess.assess)
app.command("operating-points", help=say("What each threshold costs and misses.", "各阈值的代价与漏报。"))(
    operating.operating_points
)
app.add_typer(data.app, name="data")
app.add_typer(annotate.app, name="annotate")
app.command("evaluate", help=say("Predictions against gold, with intervals.", "把预测与标注对照，给出区间。"))(
    evaluate.command
)
app.add_typer(probe.app, name="probe")
app.command("augment", help=say("New training posts, planned by level.", "按等级计划生成新的训练帖。"))(augment.command)
app.command("benchmark", help=say("Compare models on folds and test.", "在五折和测试集上比较模型。"))(benchmark.command)
app.command(help=say("Build the built-in model from public data.", "用公开数据构建内置模型。"))(train.train_default)
app.command("export", help=say("A trained encoder as one ONNX file.", "把训练好的编码器导出为一个 ONNX 文件。"))(
    export.command
)
app.command("train", help=say("Fine-tune a pre-trained encoder.", "微调预训练编码器。"))(train_encoder.command)
app.command("serve", help=say("A watch: posts in, cases for people.", "守望服务：接收帖子，把个案交给人。"))(
    serve.command
)
app.command("ingest", help=say("Posts from files into a watch.", "把文件中的帖子送入守望服务。"))(ingest.command)
app.add_typer(watch.app, name="watch")
