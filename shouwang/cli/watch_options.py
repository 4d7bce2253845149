"""What the commands around a watch share: which database, and the secret that belongs to it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_data_path

from shouwang.errors import InputError, MissingExtraError
from shouwang.language import say

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shouwang.triage.intake import Pseudonyms

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="SHOUWANG_DATABASE",
        help=say(
            "A SQLite file or postgresql+psycopg://…; a file in your data folder if not given.",
            "SQLite 文件或 postgresql+psycopg://…；默认为用户数据目录中的文件。",
        ),
    ),
]
Secret = Annotated[
    Path | None,
    typer.Option(
        "--secret",
        envvar="SHOUWANG_SECRET",
        help=say(
            "The file with the secret that makes pseudonyms; beside the SQLite file if not given.",
            "生成化名所用密钥的文件；默认在 SQLite 文件旁。",
        ),
    ),
]


def unopened(where: str | None) -> Engine:
    """The database as it is; raises MissingExtraError, or InputError for a URL that will not do."""
    if not (find_spec("sqlalchemy") and find_spec("fastapi") and find_spec("alembic")):
        raise MissingExtraError("A watch", "serve")
    from shouwang import database

    return database.engine(where if where and "://" in where else _file(where))


def opened(where: str | None) -> Engine:
    """The same with the tables of this version; raises InputError where it cannot be opened."""
    engine = unopened(where)
    from sqlalchemy.exc import DBAPIError

    from shouwang.triage import schema

    try:
        schema.upgrade(engine)
    except DBAPIError as error:
        why = str(error.orig).partition("\n")[0]
        raise InputError(
            say(
                f"the database cannot be opened ({why}); check --database, and that the server runs or the file is a watch's",
                f"无法打开数据库（{why}）；请检查 --database，并确认服务器在运行，或该文件确是守望的数据库",
            )
        ) from None
    return engine


def secret_file(engine: Engine, secret: Path | None) -> Path:
    """Where the secret that belongs to that database lies."""
    beside = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else _file(None)
    return secret or beside.with_suffix(".secret")


def secret_of(engine: Engine, secret: Path | None) -> Pseudonyms:
    """The secret that belongs to that database; raises InputError where it is another one's."""
    from shouwang import database
    from shouwang.triage.intake import Pseudonyms

    pseudonyms = Pseudonyms.beside(secret_file(engine, secret))
    with database.writing(engine) as connection:
        pseudonyms.must_fit(connection)
    return pseudonyms


def _file(where: str | None) -> Path:
    return Path(where) if where else user_data_path("shouwang") / "watch.sqlite"
