"""`shouwang export`: a run's encoder as an ONNX graph, which needs no torch."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from shouwang.cli.options import AsJson
from shouwang.errors import MissingExtraError
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.train.encoders.export import Exported


def command(
    run: Annotated[Path, typer.Argument(help=say("The folder of a finished run.", "已完成训练的文件夹。"))],
    to: Annotated[Literal["onnx"], typer.Option(help=say("The format.", "格式。"))] = "onnx",
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help=say(
                "Smaller and faster; refused unless it answers nearly the same on the validation posts.",
                "更小更快；若在验证帖上的结果差异过大则拒绝导出。",
            ),
        ),
    ] = False,
    posts: Annotated[
        str | None,
        typer.Option(
            help=say(
                "For --int8, of a run on your own files: the file that was --validation.",
                "与 --int8 同用，用自己的文件训练时：当时的 --validation 文件。",
            )
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export, check, show."""
    if not all(map(find_spec, ("torch", "transformers", "onnx", "onnxscript"))):
        raise MissingExtraError("Exporting an encoder", "train")
    from shouwang.train.encoders.export import export, validation_posts

    done = export(run, int8=int8, posts=validation_posts(run, posts) if int8 or posts else ())
    if as_json:
        found = {"path": str(done.path), "precision": done.precision, "megabytes": done.megabytes, **done.checks}
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        Console(highlight=False, markup=False, soft_wrap=True).print(_sentences(done))


def _sentences(done: Exported) -> str:
    checks = done.checks
    found = say(
        f"{done.path}: {done.precision}, {done.megabytes:.1f} MB. Largest difference from torch in a probability, "
        f"before any rounding to int8: {checks['parity']:.1e} on {checks['texts']} texts.",
        f"{done.path}：{done.precision}，{done.megabytes:.1f} MB。与 torch 的概率最大差异（量化前）："
        f"{checks['parity']:.1e}，共 {checks['texts']} 条文本。",
    )
    if done.precision == "fp32":
        return found
    same = min(checks["agreement"].values())
    return found + say(
        f"\nint8 on {checks['posts']} validation posts: probabilities differ by {checks['difference']:.3f} on average, "
        f"{same:.1%} of answers agree, recall of high {_recalls(checks['recall_fp32'])} → "
        f"{_recalls(checks['recall_int8'])}.",
        f"\nint8 在 {checks['posts']} 条验证帖上：概率平均相差 {checks['difference']:.3f}，{same:.1%} 的结果一致，"
        f"高风险召回率 {_recalls(checks['recall_fp32'])} → {_recalls(checks['recall_int8'])}。",
    )


def _recalls(recalls: dict[str, float]) -> str:
    return ", ".join(f"{recall:.1%}" for recall in recalls.values())
