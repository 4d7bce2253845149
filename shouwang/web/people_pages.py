"""The page on which accounts are managed."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.responses import Response

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.web.accounts import User
from shouwang.web.visitor import Visitor, needs

router = APIRouter(prefix="/people", include_in_schema=False)


def _keeper(visitor: Annotated[Visitor, Depends(needs())]) -> Visitor:
    if not visitor.may(visitor.site.keeper):
        raise HTTPException(403, "role")
    return visitor


Keeper = Annotated[Visitor, Depends(_keeper)]
Roles = Annotated[list[str], Form()]


@router.get("")
def people(visitor: Keeper) -> Response:
    return _people(visitor)


@router.post("")
def add(visitor: Keeper, name: Annotated[str, Form(max_length=200)], roles: Roles = []) -> Response:  # noqa: B006
    """A new account, with a password that its owner must change."""
    site, password = visitor.site, _first_password()
    try:
        user = site.accounts.add(name, password, _known(visitor, roles), by=visitor.user, must_change=True)
    except InputError as error:
        return _people(visitor, 422, error=str(error))
    return _people(visitor, fresh=user, password=password)


@router.post("/{number}/access")
def change_access(
    visitor: Keeper,
    number: int,
    roles: Roles = [],  # noqa: B006
    active: Annotated[bool, Form()] = False,
) -> Response:
    site, user = visitor.site, _user(visitor, number)
    try:
        site.accounts.set_access(user, _known(visitor, roles), active=active, by=visitor.user)
    except InputError as error:
        return _people(visitor, 422, error=str(error))
    if not active:
        site.sessions.end_all(user, by=visitor.user)
    return visitor.go("/people", say(f"{user.name}: saved.", f"{user.name}：已保存。"))


@router.post("/{number}/password")
def new_password(visitor: Keeper, number: int) -> Response:
    site, user, password = visitor.site, _user(visitor, number), _first_password()
    site.accounts.change_password(user, password, by=visitor.user, must_change=True)
    site.sessions.end_all(user, by=visitor.user)
    return _people(visitor, fresh=user, password=password)


@router.post("/{number}/logout")
def log_out(visitor: Keeper, number: int) -> Response:
    user = _user(visitor, number)
    visitor.site.sessions.end_all(user, by=visitor.user)
    return visitor.go("/people", say(f"{user.name}: logged out everywhere.", f"{user.name}：已全部退出。"))


def _people(
    visitor: Visitor, status: int = 200, *, error: str = "", fresh: User | None = None, password: str = ""
) -> Response:
    everyone = visitor.site.accounts.everyone()
    return visitor.page("people.html", status, everyone=everyone, error=error, fresh=fresh, password=password)


def _user(visitor: Visitor, number: int) -> User:
    user = visitor.site.accounts.numbered(number)
    if user is None:
        raise HTTPException(404)
    return user


def _known(visitor: Visitor, roles: list[str]) -> list[str]:
    return [role for role in roles if role in visitor.site.roles]


def _first_password() -> str:
    """Groups without letters that are taken for one another, to be read out or copied."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
