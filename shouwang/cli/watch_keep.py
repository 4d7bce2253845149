"""`shouwang watch backup | restore | retention | nats`: what keeps a watch safe, lean and fed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shouwang.cli.watch_options import Database, Secret, opened, secret_file, secret_of, unopened
from shouwang.errors import InputError, MissingExtraError
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.triage.backup import Copied
    from shouwang.triage.stream import Refused

WHO = "cli"
FOR_GOOD = "forever"

Backup = Annotated[Path, typer.Argument(help=say("The backup file.", "备份文件。"))]
LENGTH = f"DAYS|{FOR_GOOD}"


def backup(
    path: Backup,
    with_secret: Annotated[
        bool,
        typer.Option(
            "--with-secret",
            help=say(
                "The pseudonyms' secret too: the file then tells, name by name, who wrote what. Keep it under lock.",
                "一并备份化名密钥：有了它，可逐个姓名查出是谁写的。请妥善保管。",
            ),
        ),
    ] = False,
    database: Database = None,
    secret: Secret = None,
) -> None:
    """A backup while the watch runs."""
    engine = opened(database)
    from shouwang.triage import backup as backups

    found = backups.save(engine, path, WHO, secret_file(engine, secret) if with_secret else None)
    _print(found, say(f"Saved to {path}: ", f"已备份到 {path}："))


def restore(path: Backup, database: Database = None, secret: Secret = None) -> None:
    """Into an empty database, verified."""
    engine = unopened(database)
    from shouwang.triage import backup as backups

    found = backups.restore(engine, path, WHO, secret_file(engine, secret))
    _print(found, say("Restored and verified: ", "已恢复并核验："))
    if not secret_file(engine, secret).exists():
        typer.echo(
            say(
                f"The backup holds no secret: put the secret file that belongs to it at {secret_file(engine, secret)}.",
                f"备份中没有密钥：请把对应的密钥文件放到 {secret_file(engine, secret)}。",
            )
        )


def retention(
    posts: Annotated[
        str | None,
        typer.Option(
            metavar=LENGTH,
            help=say("How long posts that became no case are kept.", "未成为个案的帖子保留多久。"),
        ),
    ] = None,
    cases: Annotated[
        str | None,
        typer.Option(metavar=LENGTH, help=say("How long closed cases are kept, from closing.", "个案结案后保留多久。")),
    ] = None,
    identifiers: Annotated[
        bool | None,
        typer.Option(
            "--identifiers/--no-identifiers",
            help=say(
                "Whether phone numbers, account names and the like stay in the texts of posts that come in.",
                "新收帖子的正文是否保留电话、账号等身份信息。",
            ),
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Show what is kept and for how long; with options, change it first."""
    engine = opened(database)
    from dataclasses import replace

    from shouwang import database as databases
    from shouwang.triage import retention as kept

    wanted: dict[str, float | bool | None] = {}
    if posts is not None:
        wanted["posts"] = _days("posts", posts)
    if cases is not None:
        wanted["cases"] = _days("cases", cases)
    if identifiers is not None:
        wanted["identifiers"] = identifiers
    with databases.writing(engine) as connection:
        now = kept.current(connection)
        if wanted:
            now = replace(now, **wanted)  # type: ignore[arg-type]
            kept.keep(connection, now, WHO)
    typer.echo(
        say(
            f"Posts without a case: {_span(now.posts)}. Closed cases: {_span(now.cases)}. The audit trail: for good. "
            f"Identifiers in texts are {'kept' if now.identifiers else 'replaced as posts come in'}.",
            f"无个案的帖子：{_span(now.posts)}。已结案的个案：{_span(now.cases)}。审计记录：永久。"
            f"正文中的身份信息：{'保留' if now.identifiers else '接收时替换'}。",
        )
    )


def from_nats(
    url: Annotated[str, typer.Argument(help=say("Such as nats://127.0.0.1:4222.", "例如 nats://127.0.0.1:4222。"))],
    stream: Annotated[str, typer.Option(help=say("The JetStream.", "JetStream 名称。"))],
    subject: Annotated[str, typer.Option(help=say("Which of its subjects.", "其中的主题。"))] = ">",
    durable: Annotated[
        str,
        typer.Option(
            help=say("The consumer's name: processes of one name share the work.", "消费者名称；同名者分担。")
        ),
    ] = "shouwang",
    refused: Annotated[
        Path,
        typer.Option(
            help=say("Where messages go that cannot be stored (they hold posts).", "无法收下的消息写到何处（含正文）。")
        ),
    ] = Path("refused.jsonl"),
    database: Database = None,
    secret: Secret = None,
) -> None:
    """Until told to stop; a batch in hand is finished."""
    if not find_spec("nats"):
        raise MissingExtraError("Reading from NATS", "nats")
    engine = opened(database)
    import asyncio
    import signal
    from collections.abc import Sequence

    from shouwang import database as databases
    from shouwang.triage import intake, logs
    from shouwang.triage.stream import Source, consume

    logs.to_standard_error()
    pseudonyms = secret_of(engine, secret)

    def take(posts: Sequence[intake.Incoming]) -> intake.Receipt:
        with databases.writing(engine) as connection:
            return intake.accept(connection, posts, pseudonyms, f"nats:{stream}")

    async def until_told() -> int:
        stop = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        return await consume(Source(url, stream, subject, durable), take, lambda it: _refuse(refused, it), stop)

    taken = asyncio.run(until_told())
    engine.dispose()
    typer.echo(say(f"{taken} posts taken.", f"收下 {taken} 条帖子。"), err=True)


def _refuse(path: Path, message: Refused) -> None:
    """One line a message, on the disk before the message is let go of, for its owner's eyes."""
    import base64
    import os

    row = {"number": message.number, "why": message.why, "base64": base64.b64encode(message.data).decode()}
    with os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _days(name: str, given: str) -> float | None:
    if given == FOR_GOOD:
        return None
    try:
        return float(given)
    except ValueError:
        raise InputError(
            say(
                f"--{name} {given}: a number of days or '{FOR_GOOD}' is expected",
                f"--{name} {given}：应是天数，或 {FOR_GOOD}（永久）",
            )
        ) from None


def _span(days: float | None) -> str:
    return say("for good", "永久") if days is None else say(f"{days:g} days", f"{days:g} 天")


def _print(copied: Copied, begin: str) -> None:
    rows = sum(copied.rows.values())
    events, posts = copied.rows.get("events", 0), copied.rows.get("posts", 0)
    typer.echo(
        begin
        + say(
            f"{rows} rows, {posts} posts among them, {events} events of the audit trail. Note its hash elsewhere: {copied.head}",
            f"{rows} 行，其中帖子 {posts} 条、审计记录 {events} 条。请另处记下其哈希：{copied.head}",
        )
    )
