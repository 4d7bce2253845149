"""Options that several commands share."""

from __future__ import annotations

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
