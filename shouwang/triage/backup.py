"""A whole watch in one file, made while it runs, from either kind of database and into either kind.

A gzip file of JSON lines: what it is, then every row of one consistent moment, then how many there were. It holds posts
as they stand in the database: keep it as safe as that. Log-ins that were open and failed ones are left out.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, MetaData, Table, insert, inspect, text

from shouwang import database, ledger
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.triage import schema

FORMAT = 1
LEFT_OUT = ("alembic_version", "web_sessions", "web_login_failures")
AT_ONCE = 1_000  # rows

Row = tuple[str, dict[str, Any]]


class Copied(NamedTuple):
    """Rows by table, and the hash of the ledger's last event: note it elsewhere (see `ledger.Verified`)."""

    rows: dict[str, int]
    head: str


def save(engine: Engine, path: Path, who: str, secret: Path | None = None) -> Copied:
    """Write everything to a new file that its owner alone can read; with `secret`, the pseudonyms' secret too.

    Raises InputError where the file is there already; until it is whole it is called PATH.partial.
    """
    if path.exists():
        raise InputError(
            say(f"{path} is there already; give the backup another name", f"{path} 已存在；请给备份换个名字")
        )
    key = secret.read_text(encoding="ascii").strip() if secret else None
    with database.writing(engine) as connection:
        ledger.append(connection, who, "backed-up", "", secret=secret is not None)
    partial = path.with_name(path.name + ".partial")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as raw:
        with (
            engine.connect().execution_options(**_snapshot(engine)) as connection,
            gzip.open(raw, "wt", encoding="utf-8", newline="\n", compresslevel=6) as file,
        ):
            copied = _write(connection, file, key)
        raw.flush()
        os.fsync(raw.fileno())
    partial.replace(path)
    return copied


def restore(engine: Engine, path: Path, who: str, secret: Path | None = None) -> Copied:
    """Fill an empty database from that file, all of it or nothing, and bring it to the tables of this version.

    `secret` is where the pseudonyms' secret goes if the file has it. Raises InputError where the database holds tables,
    another secret lies there, or the file is damaged, cut off, newer than this version or its ledger does not hold.
    """
    with database.writing(engine) as connection:
        if inspect(connection).get_table_names():
            raise InputError(
                say(
                    "the database holds tables already; restore into a new, empty one",
                    "该数据库已有数据表；请恢复到一个新的空数据库（--database）",
                )
            )
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                about, copied = _read(connection, file, path)
        except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError, json.JSONDecodeError) as error:
            kind = type(error).__name__
            raise InputError(
                say(
                    f"{path}: damaged or cut off ({kind}); nothing was restored",
                    f"{path}：已损坏或被截断（{kind}）；没有恢复任何内容",
                )
            ) from None
        found = ledger.verify(connection)
        if found.broken or found.head != copied.head:
            why = found.broken or say("its last event is not the backup's", "最后一条记录与备份不符")
            raise InputError(
                say(
                    f"{path}: the ledger does not hold: {why}; nothing was restored",
                    f"{path}：审计链不成立：{why}；没有恢复任何内容",
                )
            )
        schema.migrate(connection)
        ledger.append(connection, who, "restored", "", head=copied.head)
        if secret and about.get("secret"):
            _place(secret, about["secret"])
        if connection.dialect.name == "postgresql":  # or the queue is slow until it counts its rows by itself
            connection.exec_driver_sql("ANALYZE")
    return copied


# --- writing --------------------------------------------------------------------------------------------------------


def _snapshot(engine: Engine) -> dict[str, Any]:
    """On PostgreSQL every statement must see the same moment; a transaction on SQLite always does."""
    return {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}


def _write(connection: Connection, file: Any, secret: str | None) -> Copied:
    tables = _tables(connection)
    about = {
        "shouwang-backup": FORMAT,
        "revision": schema.revision(connection),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "last": _last_numbers(connection, tables),
        "secret": secret,
    }
    file.write(json.dumps(about) + "\n")
    counts, head = Counter[str](), ledger.BEGINNING
    for table in tables:
        query = table.select().order_by(*table.primary_key).execution_options(yield_per=AT_ONCE)
        with connection.execute(query) as rows:
            for row in rows.mappings():
                file.write(json.dumps([table.name, dict(row)], ensure_ascii=False, separators=(",", ":")) + "\n")
                counts[table.name] += 1
                head = row["hash"] if table.name == ledger.EVENTS.name else head
    file.write(json.dumps({"rows": counts, "head": head}) + "\n")
    return Copied(dict(counts), head)


def _tables(connection: Connection) -> list[Table]:
    """What the database holds, in an order in which rows can be put in."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in LEFT_OUT]


def _counted(connection: Connection, tables: Sequence[Table]) -> dict[str, str]:
    """What counts up each table's numbers: on SQLite the table itself."""
    if connection.dialect.name == "sqlite":
        known = set(connection.execute(text("SELECT name FROM sqlite_sequence")).scalars())
        return {table.name: table.name for table in tables if table.name in known}
    sequence = text("SELECT pg_get_serial_sequence(:table, 'id')")
    names = {t.name: connection.execute(sequence, {"table": t.name}).scalar() for t in tables if "id" in t.c}
    return {table: str(name) for table, name in names.items() if name}


def _last_numbers(connection: Connection, tables: Sequence[Table]) -> dict[str, int]:
    """By table, the last number that was given, though what had it may be gone."""
    last = {}
    for table, counter in _counted(connection, tables).items():
        if connection.dialect.name == "sqlite":
            query = text("SELECT seq FROM sqlite_sequence WHERE name = :counter")
        else:
            query = text("SELECT pg_sequence_last_value(CAST(:counter AS regclass))")
        last[table] = connection.execute(query, {"counter": counter}).scalar() or 0
    return last


# --- reading --------------------------------------------------------------------------------------------------------


def _read(connection: Connection, file: Iterable[str], path: Path) -> tuple[dict[str, Any], Copied]:
    lines = iter(file)
    about = json.loads(next(lines, "null"))
    if not isinstance(about, dict) or about.get("shouwang-backup") != FORMAT:
        raise InputError(
            say(
                f"{path}: not a backup that this version can read; nothing was restored",
                f"{path}：不是本版本能读的备份；没有恢复任何内容",
            )
        )
    schema.migrate(connection, about["revision"])
    tables = {table.name: table for table in _tables(connection)}
    counts = Counter[str]()
    end: dict[str, Any] = {}

    def rows() -> Iterator[Row]:
        for line in lines:
            found = json.loads(line)
            if isinstance(found, dict):
                end.update(found)
            else:
                yield cast(Row, tuple(found))

    for name, group in groupby(rows(), key=lambda row: row[0]):
        while values := [row for _, row in islice(group, AT_ONCE)]:
            connection.execute(insert(tables[name]), values)
            counts[name] += len(values)
    if dict(counts) != end.get("rows"):
        raise InputError(
            say(
                f"{path}: cut off, or rows are missing; nothing was restored",
                f"{path}：被截断或缺行；没有恢复任何内容",
            )
        )
    _count_on(connection, list(tables.values()), about["last"])
    return about, Copied(dict(counts), end["head"])


def _count_on(connection: Connection, tables: Sequence[Table], last: dict[str, int]) -> None:
    """Numbers go on after the last one that was given, whichever kind of database counted."""
    counted = _counted(connection, tables)
    for name in sorted(last.keys() | counted.keys()):
        highest = connection.execute(text(f'SELECT max(id) FROM "{name}"')).scalar() or 0  # noqa: S608  ours
        highest = max(highest, last.get(name, 0))
        values = {"name": counted.get(name, name), "n": highest}
        if not highest:
            continue
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :n)"), values)
        elif name in counted:
            connection.execute(text("UPDATE sqlite_sequence SET seq = :n WHERE name = :name"), values)
        else:
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :n)"), values)


def _place(path: Path, secret: str) -> None:
    if path.exists() and path.read_text(encoding="ascii").strip() != secret:
        raise InputError(
            say(
                f"{path} holds another secret; move it away first; nothing was restored",
                f"{path} 里是另一把密钥，请先移走；没有恢复任何内容",
            )
        )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
