"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shouwang.errors import InputError
from shouwang.language import say

if TYPE_CHECKING:
    import socket

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
Files = Annotated[
    list[str],
    typer.Argument(
        help=say(
            "Files (.jsonl .csv .tsv .parquet .txt, also .gz); - for standard input.",
            "文件（.jsonl .csv .tsv .parquet .txt，可为 .gz）；- 表示标准输入。",
        )
    ),
]
TextColumnName = Annotated[str | None, typer.Option(help=say("The column of the text.", "正文所在列。"))]
IdColumnName = Annotated[str | None, typer.Option(help=say("The column of the id.", "编号所在列。"))]
Encoding = Annotated[
    str | None, typer.Option(help=say("Of text files; detected if not given.", "文本文件的编码；不填则自动识别。"))
]
ModelFolder = Annotated[
    Path | None,
    typer.Option("--model", help=say("A model folder; the built-in one if not given.", "模型目录；默认为内置模型。")),
]
Timeout = Annotated[float, typer.Option(min=0.1, help=say("Seconds to wait for an answer.", "等待回答的秒数。"))]
PerMinute = Annotated[float | None, typer.Option(min=0.1, help=say("Calls a minute at most.", "每分钟最多请求数。"))]
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


def listening(host: str, port: int) -> socket.socket:
    """The socket of a server to be; raises InputError where it cannot listen, as beside another one."""
    import socket  # most commands listen to nobody

    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]  # Python adds the address, which is said here
        raise InputError(
            say(
                f"cannot listen on {host}:{port} ({why}); if this command runs in another window end that, "
                "or name another --port",
                f"无法监听 {host}:{port}（{why}）；若同一命令已在另一个窗口运行，请先结束它，或用 --port 换一个端口",
            )
        ) from None
