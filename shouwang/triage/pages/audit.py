"""The audit trail: who did what to which subject, and whether the chain holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from shouwang import ledger
from shouwang.triage.pages.access import Watcher, names, watch_of
from shouwang.triage.pages.events import told
from shouwang.web.visitor import Visitor

router = APIRouter(prefix="/audit", include_in_schema=False)

PAGE = 100  # events


@router.get("")
def audit_page(
    visitor: Watcher,
    subject: Annotated[str, Query(max_length=80)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    return _page(visitor, subject, before, None)


@router.post("/verify")
def verify(visitor: Watcher) -> Response:
    """Walk the whole chain."""
    with watch_of(visitor).engine.connect() as connection:
        found = ledger.verify(connection)
    return _page(visitor, "", None, found)


def _page(visitor: Visitor, subject: str, before: int | None, verified: ledger.Verified | None) -> Response:
    with watch_of(visitor).engine.connect() as connection:
        found = ledger.recorded(connection, subject=subject.strip() or None, before=before, limit=PAGE + 1)
    return visitor.page(
        "audit.html",
        events=found[:PAGE],
        more=found[PAGE - 1].number if len(found) > PAGE else None,
        subject=subject,
        verified=verified,
        told=told,
        name=names(visitor.site),
    )
