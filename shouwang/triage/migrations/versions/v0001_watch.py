"""The first tables of a watch."""

from __future__ import annotations

from alembic import op

from shouwang import ledger
from shouwang.triage import tables
from shouwang.web import accounts

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    ledger.create(connection)
    tables.metadata.create_all(connection)
    accounts.metadata.create_all(connection)
