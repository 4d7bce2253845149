"""The command line: one file per room. Parse, one call, print."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, NamedTuple

import typer

import shouwang
from shouwang.language import Words, say


class Command(NamedTuple):
    """Where a command stands: a module of this package, and its function; or its group, which says its own help."""

    module: str
    function: str = ""
    help: Words = Words("", "")


COMMANDS = {
    "assess": Command("assess", "assess", Words("Posts in, ranked risk out.", "输入帖子，输出按风险排序的结果。")),
    "operating-points": Command(
        "operating", "operating_points", Words("What each threshold costs and misses.", "各阈值的代价与漏报。")
    ),
    "data": Command("data"),
    "annotate": Command("annotate"),
    "evaluate": Command(
        "evaluate", "command", Words("Predictions against gold, with intervals.", "把预测与标注对照，给出区间。")
    ),
    "probe": Command("probe"),
    "augment": Command(
        "augment", "command", Words("New training posts, planned by level.", "按等级计划生成新的训练帖。")
    ),
    "benchmark": Command(
        "benchmark", "command", Words("Compare models on folds and test.", "在五折和测试集上比较模型。")
    ),
    "train-default": Command(
        "train", "train_default", Words("Build the built-in model from public data.", "用公开数据构建内置模型。")
    ),
    "export": Command(
        "export", "command", Words("A trained encoder as one ONNX file.", "把训练好的编码器导出为一个 ONNX 文件。")
    ),
    "train": Command("train_encoder", "command", Words("Fine-tune a pre-trained encoder.", "微调预训练编码器。")),
    "serve": Command(
        "serve", "command", Words("A watch: posts in, cases for people.", "守望服务：接收帖子，把个案交给人。")
    ),
    "ingest": Command("ingest", "command", Words("Posts from files into a watch.", "把文件中的帖子送入守望服务。")),
    "watch": Command("watch"),
}


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line. Where `arguments` name a command it knows that one alone: to import all of them takes longer
    than to assess a post."""
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
            "If you or someone near you is in danger: in mainland China call 12356, 120 or 110; elsewhere findahelpline.com.",
            "如果您或身边的人有危险：中国大陆请拨打 12356、120 或 110；其他地区见 findahelpline.com。",
        ),
    )
    app.callback()(_options)
    if "--help" in arguments or len(arguments) < 2:  # where help may be shown; what shows it takes long to import
        _fold_help()
    named = next((each for each in arguments if not each.startswith("-")), "")
    for name in [named] if named in COMMANDS else COMMANDS:
        _add(app, name)
    return app


def _add(app: typer.Typer, name: str) -> None:
    command = COMMANDS[name]
    module = import_module(f"{__name__}.{command.module}")
    if command.function:
        app.command(name, help=str(command.help))(getattr(module, command.function))
    else:
        app.add_typer(module.app, name=name)


def _fold_help() -> None:
    """Help that is wrapped within a run of Chinese, which has no blanks, where typer would cut its line short."""
    from rich.text import Text
    from typer import rich_utils

    class Folding(rich_utils.OptionHighlighter):
        def highlight(self, text: Text) -> None:
            text.overflow = "fold"
            super().highlight(text)

    rich_utils.highlighter = Folding()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(shouwang.__version__)
        raise typer.Exit


def _options(
    lang: Annotated[str | None, typer.Option(help=say("Language: zh or en.", "界面语言：zh 或 en。"))] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=say("The version.", "版本号。"))
    ] = False,
) -> None:
    """`--lang` is read in `__main__`, before the help texts are made."""
