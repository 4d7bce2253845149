"""`shouwang ingest`: posts from files, or from one that goes on growing, into a watch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shouwang import files
from shouwang.cli.options import Encoding, Files, IdColumnName, TextColumnName
from shouwang.cli.watch_options import Database, Secret, opened, secret_of
from shouwang.errors import ALL_WELL, INTERRUPTED, NOTHING_DONE, SOME_SKIPPED, FileError, InputError
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.posts import Skipped
    from shouwang.triage.feed import Columns, Fed
    from shouwang.triage.intake import Incoming, Receipt

SHOWN = 5


def command(
    posts: Files,
    source: Annotated[
        str, typer.Option(help=say("Where they come from: ids are unique within it.", "来源；编号在同一来源内唯一。"))
    ] = "file",
    database: Database = None,
    secret: Secret = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help=say("Go on as the file grows, until Ctrl-C.", "文件增长时持续读取，直到 Ctrl-C。")
        ),
    ] = False,
    text_column: TextColumnName = None,
    id_column: IdColumnName = None,
    author_column: Annotated[
        str | None,
        typer.Option(help=say("The column of the author, kept as a pseudonym.", "作者所在列；只以化名保存。")),
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help=say("The column of the time of posting.", "发布时间所在列。"))
    ] = None,
    encoding: Encoding = None,
) -> None:
    """Read and deliver; the exit code says whether records were skipped."""
    if follow and len(posts) != 1:
        raise InputError(
            say("--follow reads one file; start a command for each", "--follow 只读一个文件；请为每个文件各开一条命令")
        )
    engine = opened(database)
    from shouwang.triage.feed import Columns, Fed, feed

    fed, stop = Fed(), threading.Event()
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    columns = Columns(text_column, id_column, author_column, time_column)
    records = _records(posts, source, columns, encoding, fed, stop if follow else None)
    pseudonyms = secret_of(engine, secret)

    def waiting() -> None:
        console.print(say("The database does not answer; waiting.", "数据库没有响应，等待中。"))

    def skipped(skip: Skipped) -> None:
        if follow or len(fed.skips) <= SHOWN:
            console.print(str(skip))

    def delivered(receipt: Receipt) -> None:
        if follow and receipt.conflicts:
            console.print(_known(receipt.conflicts))

    with _stopped_by_signal(stop):
        feed(engine, records, pseudonyms, "cli", fed, stop=stop, delivered=delivered, skipped=skipped, waiting=waiting)
    engine.dispose()
    _print(console, fed)
    taken = fed.accepted + fed.repeated
    lost = fed.skips or fed.conflicts
    if stop.is_set() and not follow:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(ALL_WELL if taken and not lost else SOME_SKIPPED if taken else NOTHING_DONE)


@contextmanager
def _stopped_by_signal(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C, or SIGTERM, once: what has been read is delivered. Twice: at once."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def as_before() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def once(*_: object) -> None:
        stop.set()
        as_before()

    for each in before:
        signal.signal(each, once)
    try:
        yield
    finally:
        as_before()


def _records(
    sources: list[str], source: str, columns: Columns, encoding: str | None, fed: Fed, stop: threading.Event | None
) -> Iterator[Incoming | Skipped]:
    from shouwang.posts import Skipped
    from shouwang.triage.feed import Growing, incoming_from, whole

    for each in sources:
        try:
            growing = Growing(Path(each), stop) if stop and each != files.STDIN else None
            rows = files.read_rows(each, encoding=encoding, text_column=columns.text, raw=growing, has_option=True)
            yield from incoming_from(whole(rows, growing) if growing else rows, source, columns, fed)
        except FileNotFoundError:
            yield Skipped(each, say("no such file", "没有这个文件"), say("check the path", "请检查路径"))
        except FileError as error:
            yield Skipped(error.place(each), error.what)
        except InputError as error:
            yield Skipped(each, str(error))


def _print(console: Console, fed: Fed) -> None:
    console.print(
        say(
            f"Accepted {fed.accepted} posts, {fed.repeated} were there already.",
            f"收下 {fed.accepted} 条帖子，另有 {fed.repeated} 条已在库中。",
        )
    )
    if fed.conflicts:
        console.print(_known(fed.conflicts))
    if fed.unreadable_times:
        console.print(
            say(
                f"{fed.unreadable_times} have a time that cannot be read; they were taken without it.",
                f"{fed.unreadable_times} 条的时间无法识别，已不带时间收下。",
            )
        )
    if fed.skips:
        console.print(say(f"{len(fed.skips)} records skipped.", f"跳过 {len(fed.skips)} 条记录。"))


def _known(conflicts: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(name for _, name in conflicts[:SHOWN])
    return say(
        f"{len(conflicts)} have a known id and another text, and were left out: {named} … "
        "The first text stays; give a changed post an id of its own.",
        f"{len(conflicts)} 条编号已有而正文不同，未收：{named} … 保留先到的正文；修改过的帖子请另给编号。",
    )
