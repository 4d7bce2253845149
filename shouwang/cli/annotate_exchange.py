"""`shouwang annotate send | receive`: posts to other annotation tools, and their annotations back in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from shouwang import files
from shouwang.cli.annotate_options import DEFAULT, ProjectFile, opened
from shouwang.errors import ALL_WELL, SOME_SKIPPED, InputError
from shouwang.language import say
from shouwang.posts import Row, Skipped

if TYPE_CHECKING:
    from shouwang.annotate.interchange.receiving import Received

SHOWN_RECORDS = 5

Tool = Annotated[
    Literal["label-studio", "doccano", "argilla"],
    typer.Argument(help=say("label-studio, doccano or argilla.", "label-studio、doccano 或 argilla。")),
]


def send(
    tool: Tool,
    file: Annotated[Path, typer.Argument(help=say("The file to write.", "要写的文件。"))],
    project: ProjectFile = DEFAULT,
) -> None:
    files.refuse_existing(file)
    with opened(project) as there:
        from shouwang.annotate.interchange import argilla, doccano, label_studio

        with files.create_private(file) as stream:
            if tool == "label-studio":
                json.dump(label_studio.tasks(there), stream, ensure_ascii=False, indent=1)
            else:
                for row in doccano.rows(there) if tool == "doccano" else argilla.records(there):
                    files.write_line(stream, row)
    if tool == "label-studio":
        typer.echo(say("Labelling interface of the Label Studio project:", "Label Studio 项目的标注界面："))
        typer.echo(label_studio.interface())


def receive(
    tool: Tool,
    file: Annotated[Path, typer.Argument(help=say("Its export, JSON or JSONL.", "其 JSON 或 JSONL 导出文件。"))],
    project: ProjectFile = DEFAULT,
    rater: Annotated[
        str | None,
        typer.Option(
            help=say("doccano: who annotated; the file's name, if not given.", "doccano：标注者；缺省取文件名。")
        ),
    ] = None,
) -> None:
    with opened(project) as there:
        from shouwang.annotate.interchange import argilla, doccano, label_studio
        from shouwang.annotate.interchange.receiving import THERE
        from shouwang.annotate.interchange.receiving import receive as take

        if tool == "label-studio":
            annotations = label_studio.read(_list_in(file))
        elif tool == "doccano":
            annotations = doccano.read(_rows_in(file), rater or file.stem)
        else:
            annotations = argilla.read(_rows_in(file))
        found = take(there, annotations)
    _show(found)
    raise typer.Exit(SOME_SKIPPED if found.left_out.keys() - {THERE} else ALL_WELL)


def _show(found: Received) -> None:
    typer.echo(say(f"{found.ratings} ratings added.", f"新增 {found.ratings} 个标注。"))
    for reason, records in found.left_out.items():
        more = "" if len(records) <= SHOWN_RECORDS else ", …"
        typer.echo(f"  {len(records)} × {reason}: {', '.join(records[:SHOWN_RECORDS])}{more}")


def _list_in(file: Path) -> list[dict[str, object]]:
    found = _json_in(file)
    if not isinstance(found, list) or not all(isinstance(task, dict) and "data" in task for task in found):
        raise InputError(
            say(
                f"{file} is no Label Studio export; choose the format JSON there, not JSON-MIN or CSV",
                f"{file} 不是 Label Studio 的导出；请在那里选 JSON 格式，不要选 JSON-MIN 或 CSV",
            )
        )
    return found


def _rows_in(file: Path) -> Iterator[Row | Skipped]:
    """One record a line, or all of them in one list."""
    found = _json_in(file)
    if not isinstance(found, list):
        yield from files.read_rows(file, text_column="text")
        return
    for number, each in enumerate(found, 1):
        where = f"{file.name}:{number}"
        yield (
            Row(where, each)
            if isinstance(each, dict)
            else Skipped(where, say("JSON, but not an object", "是 JSON，但不是对象"))
        )


def _json_in(file: Path) -> object:
    """What the file holds as one piece of JSON; None where it does not."""
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{file}: {say('cannot be read', '无法读取')} ({error.strerror})") from None
    except (ValueError, RecursionError):
        return None
