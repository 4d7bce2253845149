"""Keys for machines: made, shown once, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from shouwang import database
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.triage import keys
from shouwang.triage.pages.access import Admin, Number, watch_of
from shouwang.web.visitor import Visitor

router = APIRouter(prefix="/keys", include_in_schema=False)


@router.get("")
def keys_page(visitor: Admin) -> Response:
    return _page(visitor)


@router.post("")
def add(
    visitor: Admin,
    name: Annotated[str, Form(max_length=100)],
    scopes: Annotated[list[str], Form()] = [],  # noqa: B006
    per_minute: Annotated[int, Form(ge=1, le=100_000)] = keys.PER_MINUTE,
) -> Response:
    """A new key; this answer is the only place where it is ever shown."""
    watch = watch_of(visitor)
    try:
        with database.writing(watch.engine) as connection:
            made = keys.add(connection, name, scopes, visitor.user.actor, watch.clock(), per_minute)
    except InputError as error:
        return _page(visitor, 422, error=str(error))
    return _page(visitor, made=made, name=name)


@router.post("/{number}/revoke")
def revoke(visitor: Admin, number: Number) -> Response:
    watch = watch_of(visitor)
    with database.writing(watch.engine) as connection:
        keys.revoke(connection, number, visitor.user.actor, watch.clock())
    return visitor.go("/keys", say(f"Key {number} is revoked.", f"密钥 {number} 已撤销。"))


def _page(visitor: Visitor, status: int = 200, *, made: str = "", name: str = "", error: str = "") -> Response:
    with watch_of(visitor).engine.connect() as connection:
        found = keys.everything(connection)
    return visitor.page("keys.html", status, keys=found, scopes=keys.SCOPES, made=made, name=name, error=error)
