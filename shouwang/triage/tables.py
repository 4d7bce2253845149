"""The tables of a watch. Times are seconds since 1970, UTC.

Erasing an author's row erases posts, assessments, cases, ratings and notes with it; the ledger names none of them but
by number, and no number is given twice.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)
Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only


def _belongs_to(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")


authors = Table(
    "authors",
    metadata,
    Column("id", Number, primary_key=True),
    Column("source", Text, nullable=False),
    Column("pseudonym", Text, nullable=False, unique=True),  # keyed hash of source and author; see `intake`
    Column("first_at", Float, nullable=False),
    sqlite_autoincrement=True,
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", Text, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("repeated", Integer, nullable=False),
    Column("conflicting", Integer, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    Column("id", Number, primary_key=True),
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # keyed hash of the text
    Column("text", Text, nullable=False),
    Column("author", Number, _belongs_to("authors.id")),
    Column("posted_at", Float),  # as the source says
    Column("received_at", Float, nullable=False, index=True),
    Column("receipt", Text, ForeignKey("receipts.id", ondelete="SET NULL"), index=True),
    Column("assessed_at", Float),  # also set where assessing was given up, see `failed`
    Column("attempts", SmallInteger, nullable=False, default=0),
    Column("taken_until", Float, nullable=False, default=0.0),  # by a worker
    Column("failed", Text),  # the kind of error with which assessing was given up
    UniqueConstraint("source", "external_id"),
    Index("ix_posts_author", "author", "received_at"),
    sqlite_autoincrement=True,
)
_waiting = text("assessed_at IS NULL")
Index("ix_posts_waiting", posts.c.id, sqlite_where=_waiting, postgresql_where=_waiting)

assessments = Table(
    "assessments",
    metadata,
    Column("post", Number, _belongs_to("posts.id"), primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False, index=True),
    Column("model", Text, nullable=False),  # name and version
    Column("level", SmallInteger),
    Column("p_high", Float, nullable=False),
    Column("high", Boolean, nullable=False),  # at the operating point that the model stood at
    Column("row", JSON, nullable=False),  # the whole assessment, but for its id
)

cases = Table(
    "cases",
    metadata,
    Column("id", Number, primary_key=True),
    Column("post", Number, _belongs_to("posts.id"), nullable=False, unique=True),
    Column("author", Number, _belongs_to("authors.id"), index=True),
    Column("priority", SmallInteger, nullable=False),  # a `policy.Priority`
    Column("reasons", JSON, nullable=False),
    Column("policy", Integer, nullable=False),
    Column("opened_at", Float, nullable=False, index=True),
    Column("state", Text, nullable=False, default="open"),  # open or closed
    Column("assignee", Text),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("claimed_at", Float),  # for the first time
    Column("second_by", Text),  # who asked for a second opinion that is still to come
    Column("outcome", Text),
    Column("closed_at", Float, index=True),
    Column("closed_by", Text),
    sqlite_autoincrement=True,
)
Index("ix_cases_queue", cases.c.state, cases.c.priority, cases.c.opened_at, cases.c.id)
_held = text("state = 'open' AND assignee IS NOT NULL")
Index("ix_cases_held", cases.c.assignee, sqlite_where=_held, postgresql_where=_held)
_asked = text("second_by IS NOT NULL")
Index("ix_cases_second", cases.c.second_by, sqlite_where=_asked, postgresql_where=_asked)

ratings = Table(
    "ratings",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case", Number, _belongs_to("cases.id"), nullable=False),
    Column("who", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("high", Boolean, nullable=False),
    Column("second", Boolean, nullable=False),  # a second opinion
    Column("at", Float, nullable=False, index=True),
    UniqueConstraint("case", "who"),
    sqlite_autoincrement=True,
)

notes = Table(
    "notes",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case", Number, _belongs_to("cases.id"), nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)

policies = Table(
    "policies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", Text, nullable=False),
    Column("data", JSON, nullable=False),
)

shadows = Table(
    "shadows",
    metadata,
    Column("post", Number, _belongs_to("posts.id"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("model", Text, nullable=False),
    Column("level", SmallInteger),
    Column("p_high", Float, nullable=False),
    Column("priority", SmallInteger, nullable=False),  # 0: no case
    Column("live_priority", SmallInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),  # SHA-256 of a key of 256 random bits
    Column("scopes", Text, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", Float),
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
