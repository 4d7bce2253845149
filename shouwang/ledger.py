"""Append-only, hash-chained events in a database: who did what to which subject, and when. Needs the extra `serve`.

Each event's hash covers the event before it, so nothing in between can be changed, left out or moved unseen. Events hold
ids, numbers and hashes, never a post's text or a person's data: those can be erased and the chain still holds.

    with database.writing(engine) as connection:
        ...                                                          # change something
        ledger.append(connection, "user:3", "claimed", "case:17")    # last: both are committed, or neither
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, insert, select, text

from shouwang.language import say

Data = Mapping[str, object]

BEGINNING = "0" * 64
"""What stands for the hash before the first event."""

LOCK = 0x5348_4F55  # the advisory lock under which PostgreSQL appends

EVENTS = Table(
    "events",
    MetaData(),
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False, index=True),
    Column("subject", Text, nullable=False, index=True),
    Column("data", Text, nullable=False),
    Column("hash", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded: `who` and `subject` are ids such as "user:3" and "case:17", `data` JSON types."""

    who: str
    what: str
    subject: str
    data: Data


@dataclass(frozen=True, slots=True)
class Recorded(Event):
    """An event in the chain: numbered from 1 without a gap, `at` in ISO 8601, UTC."""

    number: int
    at: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How far a chain holds: `events` of them, the last with hash `head`; `broken` says which event does not and why.

    Whoever can write to the database could still cut off the chain's end or write it anew: note `head` elsewhere.
    """

    events: int
    head: str
    broken: str | None = None


def create(connection: Connection) -> None:
    """The table and what guards it against changes, where it is not there yet."""
    EVENTS.create(connection, checkfirst=True)
    for statement in _GUARDS[connection.dialect.name]:
        connection.execute(text(statement))


def append(connection: Connection, who: str, what: str, subject: str = "", **data: object) -> int:
    """Add an event to the caller's transaction, begun with `database.writing`; its number.

    Make it the transaction's last step: until the commit nobody else can append.
    """
    return append_all(connection, [Event(who, what, subject, data)])


def append_all(connection: Connection, events: Sequence[Event]) -> int:
    """Several events at once, in that order; the number of the last one in the chain."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    last = connection.execute(select(EVENTS.c.number, EVENTS.c.hash).order_by(EVENTS.c.number.desc()).limit(1)).first()
    number, before = (last.number, last.hash) if last else (0, BEGINNING)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    rows = []
    for number, event in enumerate(events, number + 1):  # noqa: B020  counts on from the last
        row = {
            "number": number,
            "at": now,
            "who": event.who,
            "what": event.what,
            "subject": event.subject,
            "data": json.dumps(event.data, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        }
        before = _hash(before, row)
        rows.append(row | {"hash": before})
    if rows:
        connection.execute(insert(EVENTS), rows)
    return number


def recorded(
    connection: Connection, *, subject: str | None = None, before: int | None = None, limit: int = 100
) -> list[Recorded]:
    """The newest events first, of one subject or of all, those numbered below `before`."""
    query = select(EVENTS).order_by(EVENTS.c.number.desc()).limit(limit)
    if subject is not None:
        query = query.where(EVENTS.c.subject == subject)
    if before is not None:
        query = query.where(EVENTS.c.number < before)
    return [
        Recorded(row.who, row.what, row.subject, json.loads(row.data), row.number, row.at, row.hash)
        for row in connection.execute(query)
    ]


def verify(connection: Connection, head: str | None = None) -> Verified:
    """Walk the chain from its beginning; with `head`, the hash noted earlier must stand in it too."""
    number, before, found = 0, BEGINNING, head is None
    streamed = connection.execute(select(EVENTS).order_by(EVENTS.c.number).execution_options(yield_per=1000))
    with streamed:
        for row in streamed.mappings():
            if row["number"] != number + 1:
                return Verified(number, before, say(f"event {number + 1} is missing", f"缺第 {number + 1} 条记录"))
            if _hash(before, row) != row["hash"]:
                changed = say(
                    f"event {number + 1} is not what was recorded after event {number}",
                    f"第 {number + 1} 条与当时在第 {number} 条之后所记的不同",
                )
                return Verified(number, before, changed)
            number, before = number + 1, row["hash"]
            found = found or before == head
    gone = say(
        f"no event has the hash {head}: the chain was cut off or written anew",
        f"没有哪条记录的哈希是 {head}：链被截断或重写过",
    )
    broken = None if found else gone
    return Verified(number, before, broken)


def _hash(before: str, row: Mapping[Any, Any]) -> str:
    told = [before, *(row[name] for name in ("number", "at", "who", "what", "subject", "data"))]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


_REFUSAL = "events are append-only"
_GUARDS = {
    "sqlite": [
        f"CREATE TRIGGER IF NOT EXISTS events_no_{verb.lower()} BEFORE {verb} ON events "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION '{_REFUSAL}'; END$$",
        "CREATE OR REPLACE TRIGGER events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_refuse()",
    ],
}
