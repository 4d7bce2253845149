"""`shouwang watch`: what an administrator does with a watch beside its pages."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from shouwang.cli import serve, watch_keep
from shouwang.cli.options import AsJson
from shouwang.cli.watch_options import Database, Secret, opened, secret_of
from shouwang.errors import ALL_WELL, NOTHING_DONE, InputError
from shouwang.language import say

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shouwang.triage.intake import Pseudonyms

app = typer.Typer(
    no_args_is_help=True,
    help=say("A watch's audit trail, people, keys and ratings.", "守望服务的审计记录、人员、密钥与评定。"),
)
app.command("work", help=say("A worker in a process of its own.", "单独进程中的评估进程。"))(serve.work)
app.command("backup", help=say("Everything in one file, while the watch runs.", "不停机，把全部数据备份为一个文件。"))(
    watch_keep.backup
)
app.command("restore", help=say("A backup into an empty database, verified.", "把备份恢复到空数据库并核验。"))(
    watch_keep.restore
)
app.command("retention", help=say("What is kept, and for how long.", "保留哪些数据、保留多久。"))(watch_keep.retention)
app.command("from-nats", help=say("Posts from a NATS JetStream.", "从 NATS JetStream 接收帖子。"))(watch_keep.from_nats)

WHO = "cli"
Out = Annotated[
    Path, typer.Option("--output", "-o", help=say("The file to write (.jsonl).", "要写入的文件（.jsonl）。"))
]


@app.command("verify", help=say("Walk the audit trail's chain of hashes.", "逐条核验审计记录的哈希链。"))
def verify(
    database: Database = None,
    head: Annotated[
        str | None,
        typer.Option(help=say("A hash noted earlier, which must still be there.", "先前记下的哈希；它必须仍在链中。")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    engine = opened(database)
    from shouwang import ledger

    with engine.connect() as connection:
        found = ledger.verify(connection, head)
    if as_json:
        typer.echo(json.dumps({"events": found.events, "head": found.head, "broken": found.broken}))
    elif found.broken:
        typer.echo(
            say(f"BROKEN after {found.events} events: ", f"链已断裂（前 {found.events} 条完好）：") + found.broken
        )
    else:
        typer.echo(
            say(
                f"{found.events} events, the chain holds. Note this hash elsewhere: {found.head}",
                f"{found.events} 条记录，哈希链完好。请另处记下此哈希：{found.head}",
            )
        )
    raise typer.Exit(NOTHING_DONE if found.broken else ALL_WELL)


@app.command("add-user", help=say("A person who may log in.", "添加可登录的人员。"))
def add_user(
    name: Annotated[str, typer.Argument(help=say("The name to log in with.", "登录名。"))],
    role: Annotated[
        list[str],
        typer.Option(
            help=say("admin, lead, responder, auditor; may be repeated.", "admin、lead、responder、auditor，可多个。")
        ),
    ],
    password: Annotated[
        str | None,
        typer.Option(
            envvar="SHOUWANG_PASSWORD",
            help=say("Asked for if not given; to be changed at the first log-in.", "不填则询问；首次登录时须修改。"),
        ),
    ] = None,
    database: Database = None,
) -> None:
    engine = opened(database)
    from shouwang import lookup
    from shouwang.triage.pages.access import ROLES
    from shouwang.web.accounts import Accounts

    for each in role:
        lookup.get(ROLES, each, "role")
    accounts = Accounts(engine, next(iter(ROLES)))
    accounts.refuse_name(name)
    if password is None:
        again = say("The password again", "再次输入密码")
        password = typer.prompt(say("Password", "密码"), hide_input=True, confirmation_prompt=again)
    added = accounts.add(name, password, role, must_change=True)
    typer.echo(say(f"{added.name} may log in ({added.actor}).", f"{added.name} 可以登录了（{added.actor}）。"))


@app.command("add-key", help=say("A key for a program; it is shown once.", "给程序用的密钥，只显示一次。"))
def add_key(
    name: Annotated[str, typer.Argument(help=say("What it is for.", "用途。"))],
    scope: Annotated[list[str], typer.Option(help=say("What it opens; may be repeated.", "权限，可多个。"))],
    per_minute: Annotated[int, typer.Option(help=say("Requests a minute.", "每分钟请求数。"))] = 600,
    database: Database = None,
) -> None:
    engine = opened(database)
    from shouwang import database as databases
    from shouwang.triage import keys

    with databases.writing(engine) as connection:
        key = keys.add(connection, name, scope, WHO, time.time(), per_minute)
    typer.echo(key)


@app.command("keys", help=say("The keys there are.", "列出密钥。"))
def list_keys(database: Database = None, as_json: AsJson = False) -> None:
    engine = opened(database)
    from shouwang.triage import keys

    with engine.connect() as connection:
        found = keys.everything(connection)
    if as_json:
        rows = [{"id": k.id, "name": k.name, "scopes": sorted(k.scopes), "revoked": bool(k.revoked_at)} for k in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    table = Table(say("key", "密钥"), say("name", "名称"), say("opens", "权限"), say("state", "状态"), box=SIMPLE_HEAD)
    for key in found:
        state = say("revoked", "已撤销") if key.revoked_at else say("valid", "有效")
        table.add_row(str(key.id), key.name, " ".join(sorted(key.scopes)), state)
    Console(markup=False, highlight=False).print(table)


@app.command("revoke-key", help=say("That key opens nothing any more.", "撤销密钥。"))
def revoke_key(
    number: Annotated[int, typer.Argument(help=say("Its number in `watch keys`.", "`watch keys` 中的编号。"))],
    database: Database = None,
) -> None:
    engine = opened(database)
    from shouwang import database as databases
    from shouwang.triage import keys

    with databases.writing(engine) as connection:
        keys.revoke(connection, number, WHO, time.time())


@app.command("export-ratings", help=say("People's ratings as a labelled data set.", "把人工评定导出为带标注的数据集。"))
def export_ratings(output: Out, database: Database = None, as_json: AsJson = False) -> None:
    engine = opened(database)
    from shouwang import database as databases
    from shouwang import files, ledger
    from shouwang.triage import learning

    files.refuse_existing(output)
    with databases.writing(engine) as connection:
        found = list(learning.judged(connection))
        ledger.append(connection, WHO, "exported-ratings", "posts", posts=len(found))
    with files.create_private(output) as lines:
        for each in found:
            files.write_line(lines, each.to_row())
    told = learning.differences(found)
    if as_json:
        typer.echo(json.dumps([{n: getattr(d, n) for n in d.__slots__} for d in told]))
        return
    table = Table(
        *(
            say("people's level", "人工等级"),
            say("posts", "帖子"),
            say("model's mean", "模型均值"),
            say("lower", "偏低"),
        ),
        *(say("same", "相同"), say("higher", "偏高"), say("missed", "漏报"), say("false alarms", "误报")),
        title=say("Where the model and the people differ", "模型与人的差异"),
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for d in told:
        counts = (d.lower, d.same, d.higher, d.missed, d.false_alarms)
        level = say("all", "全部") if d.level is None else str(d.level)
        table.add_row(level, str(d.posts), f"{d.mean:.1f}", *map(str, counts))
    Console(highlight=False).print(table)


Name = Annotated[str, typer.Argument(help=say("What the source calls the author.", "来源中的作者名。"))]
Source = Annotated[str, typer.Option(help=say("The source.", "来源。"))]


@app.command("export-author", help=say("Everything that is held of an author.", "导出某位作者的全部数据。"))
def export_author(name: Name, source: Source, output: Out, database: Database = None, secret: Secret = None) -> None:
    engine = opened(database)
    from shouwang import database as databases
    from shouwang import files, ledger
    from shouwang.triage import authors

    files.refuse_existing(output)
    pseudonyms = secret_of(engine, secret)
    with databases.writing(engine) as connection:
        author = _author(connection, pseudonyms, source, name)
        rows = list(authors.export(connection, author))
        ledger.append(connection, WHO, "exported", f"author:{author}", posts=len(rows))
    with files.create_private(output) as lines:
        for row in rows:
            files.write_line(lines, row)
    typer.echo(say(f"{len(rows)} posts in {output}", f"{len(rows)} 条帖子，见 {output}"))


@app.command("erase-author", help=say("Erase an author and everything of theirs.", "删除某位作者及其全部数据。"))
def erase_author(
    name: Name,
    source: Source,
    yes: Annotated[
        bool,
        typer.Option("--yes", prompt=say("Erase for good?", "确定永久删除？"), help=say("Do not ask.", "不再询问。")),
    ],
    database: Database = None,
    secret: Secret = None,
) -> None:
    if not yes:
        raise typer.Abort
    engine = opened(database)
    from shouwang import database as databases
    from shouwang.triage import authors

    pseudonyms = secret_of(engine, secret)
    with databases.writing(engine) as connection:
        author = _author(connection, pseudonyms, source, name)
        count = authors.erase(connection, author, WHO)
    databases.forget_deleted(engine)
    typer.echo(say(f"Erased, with {count} posts.", f"已删除，含 {count} 条帖子。"))


def _author(connection: Connection, pseudonyms: Pseudonyms, source: str, name: str) -> int:
    from shouwang.triage import authors

    author = authors.numbered(connection, pseudonyms, source, name)
    if author is None:
        raise InputError(
            say(
                f"no author of that name in source '{source}'; nothing is held of them",
                f"来源“{source}”中没有这个作者；没有保存其任何内容",
            )
        )
    return author
