"""Posts in: each (source, id) once, its author under a pseudonym, everything that was accepted for good.

The pseudonym is a keyed hash whose secret lies beside the database, never in it: whoever has the database alone cannot
tell who wrote what by trying names.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from shouwang import ledger
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.text import deidentify
from shouwang.triage import retention
from shouwang.triage.tables import authors, cases, posts, receipts, settings

LONGEST_TEXT = 50_000  # characters
LONGEST_NAME = 300  # of a source, an id, an author
MOST_AT_ONCE = 1_000
TIMES = 0.0, 253_370_764_800.0
"""Seconds from which on and before which a time of posting can be shown, in whatever zone: 1970 to 9998."""
VISIBLE = r"[^\s\x00-\x1f]"  # a name and a text have at least one such character
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A post as its source gives it; `author` is the source's name for whoever wrote it, `posted_at` when (seconds)."""

    source: str
    id: str
    text: str
    author: str | None = None
    posted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one delivery: accepted, there already with the same text, there already with another text.

    `conflicts` are the (source, id) of the last kind: the text that came first stays.
    """

    id: str
    accepted: int
    repeated: int
    conflicts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the posts of a receipt are."""

    id: str
    at: float
    accepted: int
    repeated: int
    conflicting: int
    assessed: int
    cases: int


class Pseudonyms:
    """Keyed hashes of authors and texts."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def beside(cls, path: Path) -> Pseudonyms:
        """Those of the secret in that file, which is made where there is none, readable by its owner alone."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w", encoding="ascii") as new:
                new.write(secrets.token_hex(32) + "\n")
                new.flush()
                os.fsync(new.fileno())
        found = path.read_text(encoding="ascii").strip()
        if not re.fullmatch("[0-9a-f]{64}", found):
            raise InputError(
                say(
                    f"{path}: not a secret of 64 hexadecimal digits; restore it from a backup",
                    f"{path}：不是 64 位十六进制密钥；请从备份恢复",
                )
            )
        return cls(bytes.fromhex(found))

    def author(self, source: str, name: str) -> str:
        """32 hexadecimal digits; the same name in two sources is two authors."""
        return self._hash("author", source, name)[:32]

    def text(self, text: str) -> str:
        """64 hexadecimal digits."""
        return self._hash("text", text)

    def must_fit(self, connection: Connection) -> None:
        """Raises InputError where the database was filled with another secret; notes this one in a new database."""
        new = {"name": "secret", "value": self._hash("check")[:16]}
        connection.execute(insert_new(connection, settings).values(new).on_conflict_do_nothing())
        if connection.execute(select(settings.c.value).where(settings.c.name == "secret")).scalar_one() != new["value"]:
            raise InputError(
                say(
                    "the secret is not the one that this database was filled with, so known authors would come back as "
                    "new ones; restore the secret file that belongs to the database",
                    "密钥不是这个数据库原来所用的，已知作者会变成新作者；请放回属于该数据库的密钥文件",
                )
            )

    def _hash(self, *parts: str) -> str:
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def draw(fingerprint: str) -> float:
    """The lot (0–1) of a post for spot checks; the same whenever it is drawn."""
    return int(fingerprint[:8], 16) / 2**32


def can_be_shown(at: float) -> bool:
    """Whether pages can show this time of posting."""
    return TIMES[0] <= at < TIMES[1]


def problem(post: Incoming) -> str | None:
    """What is wrong with a post, without quoting it; None where nothing is."""
    for name in ("source", "id", "author"):
        value = getattr(post, name)
        if value is not None and not (len(value) <= LONGEST_NAME and re.search(VISIBLE, value)):
            return say(
                f"'{name}' has {len(value)} characters; 1 to {LONGEST_NAME} are expected, not all of them blank",
                f"“{name}”有 {len(value)} 个字符；应为 1–{LONGEST_NAME} 个，且不能全是空白",
            )
    if not re.search(VISIBLE, post.text):
        return say("the text is empty", "正文为空")
    if len(post.text) > LONGEST_TEXT:
        return say(
            f"the text has {len(post.text)} characters; at most {LONGEST_TEXT} are expected",
            f"正文有 {len(post.text)} 个字符；至多 {LONGEST_TEXT} 个",
        )
    return None


def accept(
    connection: Connection,
    incoming: Sequence[Incoming],
    pseudonyms: Pseudonyms,
    who: str,
    clock: Callable[[], float] = time.time,
) -> Receipt:
    """Store up to 1,000 posts, none of them twice; they are kept once the caller's `database.writing` commits.

    Texts lose what points to a person where `retention.Kept` says so; two deliveries are compared as they came. A time
    outside `TIMES` is left out.
    Raises InputError where there are none or too many, or where one has a `problem`; then nothing is stored.
    """
    if not 0 < len(incoming) <= MOST_AT_ONCE:
        raise InputError(f"{len(incoming)} posts at once; 1 to {MOST_AT_ONCE} are expected")
    incoming = [_storable(post) for post in incoming]
    for number, post in enumerate(incoming, 1):
        if wrong := problem(post):
            raise InputError(f"post {number} of {len(incoming)}: {wrong}")
    prints = [pseudonyms.text(post.text) for post in incoming]
    first = {(post.source, post.id): n for n, post in reversed(list(enumerate(incoming)))}
    receipt, now = uuid.uuid4().hex, clock()
    connection.execute(
        insert(receipts), {"id": receipt, "at": now, "who": who, "accepted": 0, "repeated": 0, "conflicting": 0}
    )
    numbers = _authors(connection, incoming, pseudonyms, now)
    identifiers = retention.current(connection).identifiers
    rows = [
        {
            "source": post.source,
            "external_id": post.id,
            "fingerprint": prints[n],
            "text": post.text if identifiers else deidentify(post.text).text,
            "author": numbers.get((post.source, post.author)),
            "posted_at": post.posted_at,
            "received_at": now,
            "receipt": receipt,
        }
        for (n, post) in ((first[key], incoming[first[key]]) for key in sorted(first))
    ]
    new = insert_new(connection, posts).on_conflict_do_nothing(index_elements=["source", "external_id"])
    stored = {tuple(row) for row in connection.execute(new.returning(posts.c.source, posts.c.external_id), rows)}
    known = _fingerprints(connection, [key for key in first if key not in stored])
    known |= {key: prints[first[key]] for key in stored}
    conflicts = sorted(
        {
            (p.source, p.id)
            for p, fingerprint in zip(incoming, prints, strict=True)
            if known[p.source, p.id] != fingerprint
        }
    )
    found = Receipt(receipt, len(stored), len(incoming) - len(stored) - len(conflicts), tuple(conflicts))
    counts = {"accepted": found.accepted, "repeated": found.repeated, "conflicting": len(conflicts)}
    connection.execute(receipts.update().where(receipts.c.id == receipt).values(counts))
    ledger.append(connection, who, "received", f"receipt:{receipt}", **counts)
    return found


def progress(connection: Connection, receipt: str) -> Progress | None:
    """How far the posts of that receipt are; None where there is no such receipt."""
    row = connection.execute(select(receipts).where(receipts.c.id == receipt)).one_or_none()
    if row is None:
        return None
    counted = connection.execute(
        select(func.count(posts.c.assessed_at), func.count(cases.c.id))
        .select_from(posts.outerjoin(cases, cases.c.post == posts.c.id))
        .where(posts.c.receipt == receipt)
    ).one()
    return Progress(row.id, row.at, row.accepted, row.repeated, row.conflicting, counted[0], counted[1])


def waiting(connection: Connection) -> tuple[int, float]:
    """How many posts wait to be assessed, and since when the longest one has (seconds since 1970; 0 where none does)."""
    row = connection.execute(
        select(func.count(), func.min(posts.c.received_at)).where(posts.c.assessed_at.is_(None))
    ).one()
    return row[0], row[1] or 0.0


def _storable(post: Incoming) -> Incoming:
    """NUL and lone surrogates cannot be stored; each becomes U+FFFD, so offsets stay. Nor can every time be shown."""

    def kept(text: str) -> str:
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)

    author = None if post.author is None else kept(post.author)
    at = post.posted_at if post.posted_at is not None and can_be_shown(post.posted_at) else None
    return Incoming(kept(post.source), kept(post.id), kept(post.text), author, at)


def _authors(
    connection: Connection, incoming: Iterable[Incoming], pseudonyms: Pseudonyms, now: float
) -> dict[tuple[str, str | None], int]:
    """The number of each (source, author), new ones too."""
    names = sorted({(post.source, post.author) for post in incoming if post.author is not None})
    if not names:
        return {}
    by_pseudonym = {pseudonyms.author(*name): name for name in names}
    rows = [{"source": by_pseudonym[p][0], "pseudonym": p, "first_at": now} for p in sorted(by_pseudonym)]
    connection.execute(insert_new(connection, authors).on_conflict_do_nothing(index_elements=["pseudonym"]), rows)
    found = select(authors.c.pseudonym, authors.c.id).where(authors.c.pseudonym.in_(by_pseudonym))
    return {by_pseudonym[row.pseudonym]: row.id for row in connection.execute(found)}


def _fingerprints(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not keys:
        return {}
    query = select(posts.c.source, posts.c.external_id, posts.c.fingerprint)
    found = connection.execute(query.where(tuple_(posts.c.source, posts.c.external_id).in_(keys)))
    return {(row.source, row.external_id): row.fingerprint for row in found}


def insert_new(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which both databases spell alike."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return make(table)
