"""`shouwang data audit`: parse, one call, print. Posts are named by id, never shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from shouwang.cli.options import AsJson
from shouwang.errors import NOTHING_DONE, SOME_SKIPPED
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.data.audit import Audit
    from shouwang.posts import LabelledPost, Skipped

SHOWN = 5
"""How many findings of a kind the screen shows; a file or JSON holds all."""


def audit(
    names: Annotated[
        list[str],
        typer.Argument(
            help=say(
                "Data sets, parts of them (sos-1k/test), files, or folders that `annotate export` made.",
                "数据集、其部分（sos-1k/test）、文件，或 `annotate export` 导出的文件夹。",
            )
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Option(
            help=say("A local copy, before SHOUWANG_DATA and the cache.", "本地副本，优先于 SHOUWANG_DATA 和缓存。")
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=say("A JSON file for all ids.", "写入全部编号的 JSON 文件。"))
    ] = None,
    as_json: AsJson = False,
    threshold: Annotated[
        float,
        typer.Option(min=0.3, max=1, help=say("Similarity that counts as near duplicate.", "多大的相似度算近似重复。")),
    ] = 0.7,
    longest: Annotated[
        int, typer.Option(min=1, help=say("Characters from which a post is over-long.", "超过多少字算过长。"))
    ] = 510,
    text_column: Annotated[str | None, typer.Option(help=say("For files: the text.", "文件中的正文列。"))] = None,
    id_column: Annotated[str | None, typer.Option(help=say("For files: the id.", "文件中的编号列。"))] = None,
    level_column: Annotated[
        str | None, typer.Option(help=say("For files: the level, 0–10.", "文件中的等级列，0–10。"))
    ] = None,
    high_column: Annotated[
        str | None, typer.Option(help=say("For files: high (1) or low (0).", "文件中的高（1）低（0）列。"))
    ] = None,
) -> None:
    from shouwang.data.audit import audit as look_through
    from shouwang.data.load import load_file, parts

    posts: dict[str, Sequence[LabelledPost]] = {}
    skipped: list[Skipped] = []
    for name in names:
        files = _files(Path(name))
        if not files:
            posts |= parts(name, folder=folder)
        for file in files:
            own = load_file(
                file,
                text_column=text_column,
                id_column=id_column,
                level_column=level_column,
                high_column=high_column,
                has_option=True,
            )
            posts[str(file)] = own.posts
            skipped += own.skipped
    found = look_through(posts, threshold=threshold, longest=longest)
    details = json.dumps(asdict(found) | {"skipped": [asdict(each) for each in skipped]}, ensure_ascii=False, indent=1)
    if output:
        output.write_text(details + "\n", encoding="utf-8")
    if as_json:
        typer.echo(details)
    else:
        _print_audit(found, skipped, output)
    if skipped:
        raise typer.Exit(SOME_SKIPPED if any(posts.values()) else NOTHING_DONE)


def _files(path: Path) -> list[Path]:
    """The file, or the folds of a folder that `annotate export` made; none where it is neither."""
    if (path / "data.jsonl").is_file():
        return sorted((path / "folds").glob("*.jsonl"))
    return [path] if path.is_file() or path.suffix else []


def _print_audit(found: Audit, skipped: Sequence[Skipped], output: Path | None) -> None:
    console = Console(markup=False, highlight=False)
    console.print(_parts_table(found))
    if found.overlaps:
        console.print(_overlaps_table(found))
    _say_ids(say("same text", "相同文本"), [each.ids for each in found.same])
    _say_ids(
        say(f"near duplicates (≥ {found.threshold:g})", f"近似重复（≥ {found.threshold:g}）"),
        [(each.first, f"{each.second} ({each.similarity:.2f})") for each in found.near],
        " ~ ",
    )
    _say_ids(
        say("same text, other label", "文本相同而标签不同"),
        [
            tuple(
                f"{name} ({_label(level, high)})"
                for name, level, high in zip(each.ids, each.levels, each.highs, strict=True)
            )
            for each in found.contradictions
        ],
    )
    _say_ids(say("ids used more than once", "重复使用的编号"), [(name,) for name in found.repeated_ids])
    _say_ids(
        say("levels outside 0–10", "超出 0–10 的等级"),
        [(name,) for part in found.parts.values() for name in part.outside],
    )
    _say_ids(say("records skipped", "跳过的记录"), [(str(each),) for each in skipped])
    if output:
        typer.echo(say(f"All ids: {output}", f"全部编号：{output}"))
    else:
        typer.echo(say("All ids: --output FILE or --json", "全部编号：--output FILE 或 --json"))


def _parts_table(found: Audit) -> Table:
    table = Table(
        Column(say("part", "部分"), overflow="fold"),
        say("posts", "帖子"),
        say("levels 0–10", "0–10 级"),
        say("high/low", "高/低"),
        say("unlabelled", "无标签"),
        say("empty", "空"),
        say("over-long", "过长"),
        say("repeated", "重复"),
        say("near", "近似"),
    )
    for name, part in found.parts.items():
        levels = " ".join(map(str, part.levels)) if any(part.levels) else "–"
        high_low = f"{part.high}/{part.low}" if part.high or part.low else "–"
        counts = (part.unlabelled, len(part.empty), len(part.over_long), part.repeated, part.near)
        table.add_row(name, f"{part.posts:,}", levels, high_low, *(f"{count:,}" for count in counts))
    return table


def _overlaps_table(found: Audit) -> Table:
    table = Table(
        Column(say("part A", "部分 A"), overflow="fold", min_width=16),
        Column(say("part B", "部分 B"), overflow="fold", min_width=16),
        say("A in B", "A 在 B 中"),
        say("B in A", "B 在 A 中"),
        say("A near B", "A 近似"),
        say("B near A", "B 近似"),
    )
    for each in found.overlaps:
        counts = (each.exact_first, each.exact_second, each.near_first, each.near_second)
        table.add_row(each.first, each.second, *(f"{count:,}" for count in counts))
    return table


def _say_ids(what: str, groups: Sequence[Iterable[str]], between: str = " = ") -> None:
    if groups:
        typer.echo(f"{what}: {len(groups):,}")
        for ids in groups[:SHOWN]:
            typer.echo("  " + between.join(ids))
        if len(groups) > SHOWN:
            typer.echo("  …")


def _label(level: int | None, high: bool | None) -> str:
    word = {True: say("high", "高"), False: say("low", "低"), None: ""}[high]
    return " ".join(part for part in ("" if level is None else str(level), word) if part) or "–"
