"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shouwang.language import say

AsJson = Annotated[bool, typer.Option("--json", help=say("Print JSON for machines.", "输出供程序读取的 JSON。"))]
DropLeaks = Annotated[
    bool,
    typer.Option(
        "--drop-leaks",
        help=say(
            "Train without the posts that also stand in what is scored; they are listed by id.",
            "训练时去掉同时出现在被评部分的帖子，并列出其编号。",
        ),
    ),
]
ModelFolder = Annotated[
    Path | None,
    typer.Option("--model", help=say("A model folder; the built-in one if not given.", "模型目录；默认为内置模型。")),
]
BaseRate = Annotated[
    float | None,
    typer.Option(
        help=say("Share of high posts to reckon with, such as 0.02.", "假设的高风险帖占比，例如 0.02。"),
    ),
]
Rest = Annotated[
    str | None,
    typer.Option(
        help=say("What the other posts are: everyday or tree-hole.", "其余帖子：everyday（日常）或 tree-hole（树洞）。")
    ),
]
