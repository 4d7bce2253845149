"""What the commands of `shouwang annotate` share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shouwang.errors import InputError, MissingExtraError
from shouwang.language import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from shouwang.annotate.project import Project

ProjectFile = Annotated[Path, typer.Option("--project", "-p", help=say("The project: one file.", "项目：一个文件。"))]
DEFAULT = Path("annotation.shouwang")


@contextmanager
def opened(path: Path) -> Iterator[Project]:
    """The project in that file, closed at the end."""
    with with_extra("serve"):
        from shouwang.annotate.project import open_
    with closing(open_(path)) as project:
        yield project


@contextmanager
def with_extra(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("shouwang"):
            raise
        raise MissingExtraError("shouwang annotate", name) from None


def json_object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        example = '{"key": "value"}'
        raise InputError(say(f"a JSON object is expected, such as {example}", f"应为 JSON 对象，如 {example}"))
    return found


def echo(found: dict[str, object]) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(title, total=total)
        yield lambda count: shown.advance(task, count)
