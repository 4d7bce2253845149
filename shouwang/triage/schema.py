"""Bringing a database to the tables of this version."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text

from shouwang import database
from shouwang.errors import InputError
from shouwang.language import say

_LOCK = 0x5348_4F56  # the advisory lock under which PostgreSQL migrates


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables, all of it or nothing; of several processes that start at once, one does it.

    Raises InputError for a database that a newer version has migrated.
    """
    with database.writing(engine) as connection:
        migrate(connection)


def migrate(connection: Connection, revision: str = "head") -> None:
    """The same within the caller's transaction, up to that migration."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    settings = _settings()
    settings.attributes["connection"] = connection
    try:
        command.upgrade(settings, revision)
    except CommandError as error:
        raise InputError(
            say(
                f"the database was made by another version of shouwang ({error}); install that version, or a newer one",
                f"该数据库由另一版本的 shouwang 创建（{error}）；请安装那个版本或更新的版本",
            )
        ) from None


def revision(connection: Connection) -> str | None:
    """The newest migration that the database has seen; None for one without tables."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the database has the tables of this version."""
    with engine.connect() as connection:
        return revision(connection) == newest()


def newest() -> str | None:
    """The newest migration."""
    return ScriptDirectory.from_config(_settings()).get_current_head()


def _settings() -> Config:
    settings = Config()
    settings.set_main_option("script_location", "shouwang.triage:migrations")
    return settings
