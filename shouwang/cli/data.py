"""`shouwang data`: list, show, fetch, audit and describe data sets. Posts are named by id, never shown."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from shouwang.cli.data_audit import audit
from shouwang.cli.options import AsJson
from shouwang.language import Words, say

if TYPE_CHECKING:
    from shouwang.data.sources import DataFile, Source

app = typer.Typer(
    no_args_is_help=True,
    help=say("Public data sets and your own: fetch, audit.", "公开数据集与自己的数据：获取、审查。"),
)

HOW = {
    "kept": Words("was here", "原已在此"),
    "in place": Words("used in place", "就地使用"),
    "copied": Words("copied", "已复制"),
    "downloaded": Words("downloaded", "已下载"),
}

Folder = Annotated[
    Path | None,
    typer.Option(
        help=say("A local copy, before SHOUWANG_DATA and the cache.", "本地副本，优先于 SHOUWANG_DATA 和缓存。")
    ),
]
Name = Annotated[str, typer.Argument(help=say("The data set's name.", "数据集名称。"))]


@app.command("list", help=say("The data sets that are known by name.", "已知名称的数据集。"))
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    from shouwang.data import card, fetch
    from shouwang.data.sources import SOURCES

    if as_json:
        return _echo_json([_summary(source) | {"here": fetch.is_here(source, folder)} for source in SOURCES.values()])
    table = Table(
        say("name", "名称"),
        Column(say("what", "内容"), overflow="fold"),
        say("posts", "帖子"),
        say("licence", "许可"),
        say("here", "在本地"),
    )
    for source in SOURCES.values():
        here = say("yes", "是") if fetch.is_here(source, folder) else say("no", "否")
        table.add_row(source.name, str(source.task), f"{_posts(source):,}", card.licence(source), here)
    Console(markup=False, highlight=False).print(table)
    return typer.echo(say("Details: shouwang data show NAME", "详情：shouwang data show 名称"))


@app.command(help=say("Origin, licence and files of a data set.", "一个数据集的来源、许可和文件。"))
def show(name: Name, as_json: AsJson = False) -> None:
    from shouwang.data import card, sources

    source = sources.get(name)
    if as_json:
        return _echo_json(_summary(source) | {"files": [asdict(file) for file in source.files]})
    file_column = Column(say("file", "文件"), overflow="fold")
    table = Table(
        Column(say("part", "部分"), overflow="fold"), file_column, say("posts", "帖子"), say("columns", "列"), "SHA-256"
    )
    for file in source.files:
        columns = ", ".join((*file.columns.values(), *file.extra))
        table.add_row(file.split, file.path, f"{file.rows:,}", columns, file.sha256[:12] + "…")
    typer.echo(f"{source.title}\n{source.task}\n{source.note}")
    typer.echo(f"{say('Origin', '来源')}: https://github.com/{source.repository} @ {source.commit}")
    typer.echo(f"{say('Licence stated there', '其声明的许可')}: {card.licence(source)}")
    typer.echo(f"{say('Cite', '引用')}: {source.citation}")
    Console(markup=False, highlight=False).print(table)
    return typer.echo(say("Full checksums: --json", "完整校验值：--json"))


@app.command(
    help=say(
        "Download a data set, or take it from a copy; every file is verified.", "下载数据集，或取自副本；逐个文件校验。"
    )
)
def fetch(
    name: Name,
    origin: Annotated[
        str | None,
        typer.Option("--from", help=say("A local copy: folder or http(s) address.", "副本：文件夹或 http(s) 地址。")),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help=say("Where files go (default: the cache).", "存放位置（默认：缓存）。"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from shouwang.data import fetch as fetching
    from shouwang.data import sources

    source = sources.get(name)
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(stderr=True)) as bar:
        tasks = {file.path: bar.add_task(file.path, total=None, visible=False) for file in source.files}

        def progress(file: DataFile, done: int, total: int | None) -> None:
            bar.update(tasks[file.path], completed=done, total=total, visible=True)

        fetched = fetching.fetch(source, origin=origin, folder=to, progress=progress)
    if as_json:
        return _echo_json([{"file": each.file.path, "path": str(each.path), "how": each.how} for each in fetched])
    table = Table(say("how", "方式"), Column(say("where", "位置"), overflow="fold"))
    for each in fetched:
        table.add_row(str(HOW[each.how]), str(each.path))
    Console(markup=False, highlight=False).print(table)
    return typer.echo(say("Every SHA-256 is right.", "全部 SHA-256 校验无误。"))


app.command(
    help=say(
        "Duplicates, leaks between parts and other faults, of data sets or files of your own.",
        "审查数据集或自己的文件：重复、部分之间的泄漏及其他问题。",
    )
)(audit)


@app.command(help=say("A data-set card in Markdown.", "Markdown 格式的数据集说明卡。"))
def card(
    name: Name,
    folder: Folder = None,
    output: Annotated[Path | None, typer.Option(help=say("A file for the card.", "写入的文件。"))] = None,
) -> None:
    from shouwang.data import card as cards
    from shouwang.data import sources
    from shouwang.data.audit import audit as look_through
    from shouwang.data.load import parts

    text = cards.card(sources.get(name), look_through(parts(name, folder=folder)))
    if output:
        output.write_text(text, encoding="utf-8")
        return typer.echo(say(f"Written: {output}", f"已写入：{output}"))
    return typer.echo(text)


def _posts(source: Source) -> int:
    return sum(source.rows(split) for split in source.splits)


def _summary(source: Source) -> dict[str, object]:
    return {
        "name": source.name,
        "title": str(source.title),
        "task": str(source.task),
        "repository": source.repository,
        "commit": source.commit,
        "licence": source.licence,
        "citation": source.citation,
        "note": str(source.note),
        "posts": _posts(source),
        "splits": {split: source.rows(split) for split in source.splits},
    }


def _echo_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
