"""An annotation project: one SQLite file with posts, everybody's ratings, and the ledger of what happened.

Ratings are only ever added. The ledger holds ids, labels and hashes; posts and notes stand in their tables alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError, OperationalError

from shouwang import database, ledger
from shouwang.annotate.labels import Label, Rating, Span, Stage, spans_json
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import Post

FORMAT = 1
APPLICATION = 0x73687577  # "shuw": how SQLite files say whose they are
MODEL, PERSON = "llm:", "user:"
"""What annotators' names begin with."""

metadata = MetaData()
SETTINGS = Table("settings", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
POSTS = Table(
    "posts",
    metadata,
    Column("place", Integer, primary_key=True),  # 1, 2, … as imported
    Column("id", Text, nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("rated", Integer, nullable=False, default=0),  # people who have
    Column("turn", Float, nullable=False, default=0),  # lowest first
    Index("posts_by_turn", "turn", "rated"),
)
DROPPED = Table(
    "dropped",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("post", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("like", Text),  # the post that stayed
    Column("similarity", Float),
    Column("text", Text, nullable=False),
    UniqueConstraint("post", "reason", "text"),
)
RATINGS = Table(
    "ratings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Text, nullable=False, server_default=text("(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))")),
    Column("post", Text, ForeignKey("posts.id"), nullable=False),
    Column("who", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("level", Integer),
    Column("high", Boolean),
    Column("indicators", Text, nullable=False, default="[]"),
    Column("spans", Text, nullable=False, default="[]"),
    Column("unsure", Boolean, nullable=False, default=False),
    Column("note", Text, nullable=False, default=""),
    Column("data", Text, nullable=False, default="{}"),
    Index("ratings_of_post", "post", "stage"),
    Index("ratings_by_who", "who", "stage", "post"),
    Index("one_blind_rating", "post", "who", unique=True, sqlite_where=text("stage IN ('blind', 'llm')")),
    Index("one_decision", "post", unique=True, sqlite_where=text("stage = 'adjudicated'")),
)
CLAIMS = Table(
    "claims",
    metadata,
    Column("post", Text, ForeignKey("posts.id"), primary_key=True),
    Column("who", Text, primary_key=True),
    Column("until", Float, nullable=False),
)
_GUARDS = [
    f"CREATE TRIGGER IF NOT EXISTS ratings_no_{verb.lower()} BEFORE {verb} ON ratings "
    "BEGIN SELECT RAISE(ABORT, 'ratings are append-only'); END"
    for verb in ("UPDATE", "DELETE")
]


class Project:
    """An open project file; see `create` and `open_`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = database.engine(path)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; a disk that is full, or a file that another program holds, is an InputError."""
        try:
            with database.writing(self.engine) as connection:
                yield connection
        except DatabaseError as error:
            if type(error) is DatabaseError or error.orig.__class__.__name__ == "OperationalError":
                raise InputError(
                    say(
                        f"{self.path} cannot be written ({error.orig}); make room or close what holds it, then try "
                        "again: what was saved before is kept",
                        f"{self.path} 写不进去（{error.orig}）；请腾出空间或关闭占用它的程序再试：此前保存的都在",
                    )
                ) from None
            raise

    def setting(self, name: str) -> Any:
        with self.engine.connect() as connection:
            return json.loads(connection.execute(select(SETTINGS.c.value).where(SETTINGS.c.name == name)).scalar_one())

    @cached_property
    def raters(self) -> int:
        """How many people rate each post."""
        return int(self.setting("raters"))

    # --- reading ----------------------------------------------------------------------------------------------------

    def posts(self) -> list[Post]:
        """Every post, in the order of import."""
        with self.engine.connect() as connection:
            return [Post(row.id, row.text) for row in connection.execute(select(POSTS).order_by(POSTS.c.place))]

    def post(self, name: str) -> Post | None:
        with self.engine.connect() as connection:
            row = connection.execute(select(POSTS).where(POSTS.c.id == name)).one_or_none()
        return Post(row.id, row.text) if row else None

    def ratings(self, post: str | None = None) -> list[Rating]:
        """Every rating, of one post or of all, oldest first."""
        query = select(RATINGS).order_by(RATINGS.c.number)
        with self.engine.connect() as connection:
            rows = connection.execute(query if post is None else query.where(RATINGS.c.post == post))
            return [rating_of(row) for row in rows]

    def dropped(self) -> list[dict[str, Any]]:
        """What was not imported and why, without its text."""
        columns = [column for column in DROPPED.c if column.name not in ("number", "text")]
        with self.engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(DROPPED.c.number))
            return [dict(row) for row in rows.mappings()]

    def counts(self) -> dict[str, int]:
        """Posts, dropped records, and ratings by stage."""
        with self.engine.connect() as connection:
            stages = connection.execute(select(RATINGS.c.stage, func.count()).group_by(RATINGS.c.stage))
            return {
                "posts": connection.execute(select(func.count()).select_from(POSTS)).scalar_one(),
                "dropped": connection.execute(select(func.count()).select_from(DROPPED)).scalar_one(),
                **{row.stage: row[1] for row in stages},
            }


def missing(path: Path) -> bool:
    """Whether no project has been begun in that file: it is not there, or holds nothing, as after a kill in `create`."""
    if not path.is_file():
        return not path.exists()
    with closing(sqlite3.connect(path)) as there:
        try:
            return there.execute("SELECT 1 FROM sqlite_master").fetchone() is None
        except sqlite3.DatabaseError:
            return False


def create(path: Path, *, raters: int = 2) -> Project:
    """A new project file, whole or not at all; raises InputError where something is in it already."""
    if not missing(path):
        raise InputError(say(f"{path} exists already; name another file", f"{path} 已存在；请换一个文件名"))
    if raters < 1:
        raise InputError(say(f"{raters} raters a post: at least 1 is needed", f"每帖 {raters} 人标注：至少需要 1 人"))
    project = Project(path)
    with project.writing() as connection:
        metadata.create_all(connection)
        ledger.create(connection)
        for guard in _GUARDS:
            connection.execute(text(guard))
        connection.execute(insert(SETTINGS), [{"name": "raters", "value": json.dumps(raters)}])
        connection.execute(text(f"PRAGMA application_id = {APPLICATION}"))
        connection.execute(text(f"PRAGMA user_version = {FORMAT}"))
        ledger.append(connection, "cli", "project-created", raters=raters)
    return project


def open_(path: Path) -> Project:
    """The project in that file. Raises InputError where there is none, or one from a newer version."""
    if not path.is_file() or missing(path):
        raise InputError(
            say(
                f"{path}: no such project; make one with: shouwang annotate import POSTS --project {path}",
                f"{path}：没有这个项目；建立一个：shouwang annotate import 帖子文件 --project {path}",
            )
        )
    project = Project(path)
    try:
        with project.engine.connect() as connection:
            whose = connection.execute(text("PRAGMA application_id")).scalar_one()
            found = connection.execute(text("PRAGMA user_version")).scalar_one()
    except OperationalError as error:
        raise InputError(
            say(
                f"{path} cannot be opened ({error.orig}); is the disk full, or its folder not writable?",
                f"{path} 打不开（{error.orig}）；磁盘是否已满，或文件夹不可写？",
            )
        ) from None
    except DatabaseError as error:
        raise InputError(
            say(f"{path} is not an annotation project ({error.orig})", f"{path} 不是标注项目（{error.orig}）")
        ) from None
    if whose != APPLICATION:
        raise InputError(
            say(
                f"{path} is not an annotation project; name the file that `annotate import` made",
                f"{path} 不是标注项目；请写明 `annotate import` 建立的文件",
            )
        )
    if found > FORMAT:
        raise InputError(
            say(
                f"{path} was written by a newer version (format {found}, this one reads {FORMAT}); upgrade shouwang: "
                "nothing was changed",
                f"{path} 由更新的版本写成（格式 {found}，本版本读 {FORMAT}）；请升级 shouwang：未作任何改动",
            )
        )
    return project


def rating_of(row: Row[Any]) -> Rating:
    label = None
    if row.level is not None:
        spans = tuple(Span(*each) for each in json.loads(row.spans))
        indicators = frozenset(json.loads(row.indicators))
        label = Label(row.level, row.high, indicators, spans, row.unsure, row.note)
    return Rating(row.number, row.at, row.post, row.who, cast(Stage, row.stage), label, json.loads(row.data))


def add_rating(
    connection: Connection,
    post: str,
    who: str,
    stage: Stage,
    label: Label | None,
    data: Mapping[str, object] | None = None,
    before: Label | None = None,
) -> None:
    """A rating and its event, in the caller's transaction."""
    found = dict(data or {})
    values: dict[str, Any] = {"post": post, "who": who, "stage": stage, "data": json.dumps(found, ensure_ascii=False)}
    if label is not None:
        judged = label.judgement()
        values |= {
            **{name: judged[name] for name in ("level", "high", "unsure")},
            "indicators": json.dumps(judged["indicators"]),
            "spans": spans_json(label),
            "note": label.note,
        }
    connection.execute(insert(RATINGS), [values])
    told = {"before": before and before.judgement(), "after": label and label.judgement()}
    ledger.append(connection, who, f"rated-{stage}", f"post:{post}", **told)


def latest(ratings: Iterable[Rating]) -> dict[str, Label]:
    """What each person says in the end, by name: after a suggestion if there was one, else blind."""
    return {each.who: each.label for each in ratings if each.stage in ("blind", "after") and each.label is not None}
