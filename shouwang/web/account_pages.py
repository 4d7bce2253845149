"""The pages of one's own account: set-up, log-in and log-out, password, preferences, break."""

from __future__ import annotations

import hmac
import ipaddress
import math
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query
from starlette.responses import Response

from shouwang.errors import InputError
from shouwang.language import LANGUAGES, say, use_language
from shouwang.web.accounts import User
from shouwang.web.guard import LANGUAGE_COOKIE, LARGEST_FORM
from shouwang.web.kept import Kept, unpacked
from shouwang.web.visitor import FLASH_COOKIE, Visitor, anyone, local, needs

router = APIRouter(include_in_schema=False)
Anyone = Annotated[Visitor, Depends(anyone)]
Known = Annotated[Visitor, Depends(needs())]
Quiet = Annotated[Visitor, Depends(needs(quiet=True))]
Text = Annotated[str, Form(max_length=1000)]

YEAR = 365 * 24 * 3600


@router.get("/login")
def login_form(visitor: Anyone, there: Annotated[str, Query(alias="next", max_length=1000)] = "/") -> Response:
    if visitor.session is not None:
        return visitor.go(local(there))
    if visitor.site.accounts.empty():
        return visitor.page("setup.html", token="", name="", error="")
    if (user := _alone(visitor)) is not None:
        return _enter(visitor, user, there)
    return _login(visitor, there)


@router.post("/login")
def login(
    visitor: Anyone,
    name: Text,
    password: Text,
    there: Annotated[str, Form(alias="next")] = "/",
    packed: Annotated[str, Form(alias="kept", max_length=LARGEST_FORM)] = "",
) -> Response:
    site, address, kept = visitor.site, _address(visitor), unpacked(packed)
    if wait := site.sessions.attempt(name, address):
        minutes = math.ceil(wait / 60)
        error = say(f"Too many attempts. Try again in {minutes} min.", f"尝试次数过多，请在 {minutes} 分钟后再试。")
        return _login(visitor, there, kept, 429, name, error)
    user = site.accounts.check(name, password)
    if user is None:
        known = site.accounts.named(name)
        if known is not None:
            site.sessions.failed(known)
        error = say("Name or password is wrong.", "用户名或密码不正确。")
        return _login(visitor, there, kept, 401, name, error)
    site.sessions.succeeded(name, address)
    if kept is not None and kept.by != str(user.id):
        return _login(visitor, there, kept, 403, error=_another())
    return _enter(visitor, user, there, kept)


def offer(visitor: Visitor, kept: Kept) -> Response:
    """A form that could not be taken, to whoever filled it in; to anybody else, the way to log in as them."""
    if visitor.session is None:
        if (user := _alone(visitor)) is not None and kept.by == str(user.id):
            return _enter(visitor, user, "/", kept)
        return _login(visitor, "/", kept, 401)
    if kept.by != str(visitor.user.id):
        return _login(visitor, "/", kept, 403, error=_another())
    return visitor.page("kept.html", 403, kept=kept)


@router.post("/logout")
def logout(visitor: Known, everywhere: Annotated[bool, Form()] = False) -> Response:
    if everywhere:
        visitor.site.sessions.end_all(visitor.user, by=visitor.user)
    else:
        visitor.site.sessions.end(visitor.token)
    response = visitor.go("/login", say("You are logged out. Take care of yourself.", "您已退出登录。请照顾好自己。"))
    visitor.keep(response, visitor.site.new_token())
    return response


@router.get("/setup")
def setup_form(visitor: Anyone, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    if not visitor.site.accounts.empty():
        raise HTTPException(404)
    return visitor.page("setup.html", token=token, name="", error="")


@router.post("/setup")
def setup(visitor: Anyone, token: Text, name: Text, password: Text, again: Text) -> Response:
    """The first account, with every role: once, and only for whoever sees the terminal."""
    site = visitor.site
    if not site.accounts.empty():
        raise HTTPException(404)
    if not hmac.compare_digest(token.strip().encode(), site.setup_token.encode()):
        error = say("The set-up code is not the one in the terminal.", "设置码与终端中显示的不一致。")
        return visitor.page("setup.html", 403, token="", name=name, error=error)
    try:
        _same(password, again)
        user = site.accounts.add(name, password, site.roles)
    except InputError as error:
        return visitor.page("setup.html", 422, token=token, name=name, error=str(error))
    return _enter(visitor, user, "/")


@router.get("/me")
def me(visitor: Known) -> Response:
    return visitor.page("me.html", error="")


@router.post("/me/password")
def change_password(visitor: Known, old: Text, password: Text, again: Text) -> Response:
    site, user, address = visitor.site, visitor.user, _address(visitor)
    try:
        if site.sessions.attempt(user.name, address) or site.accounts.check(user.name, old) is None:
            raise InputError(say("The old password is wrong.", "旧密码不正确。"))
        site.sessions.succeeded(user.name, address)
        _same(password, again)
        site.accounts.change_password(user, password, by=user)
    except InputError as error:
        return visitor.page("me.html", 422, error=str(error))
    site.sessions.end_all(user, by=user)
    response = visitor.go("/", say("Password changed; other sessions are logged out.", "密码已更改，其他会话已退出。"))
    visitor.keep(response, site.sessions.start(user))
    return response


@router.post("/me/preferences")
def preferences(
    visitor: Known, blur: Annotated[bool, Form()] = False, shortcuts: Annotated[bool, Form()] = False
) -> Response:
    visitor.site.sessions.set_blur(visitor.token, blur)
    visitor.site.accounts.set_shortcuts(visitor.user, shortcuts)
    return visitor.go("/me", say("Saved.", "已保存。"))


@router.post("/language")
def change_language(visitor: Anyone, language: Text, there: Annotated[str, Form(alias="next")] = "/") -> Response:
    response = visitor.go(local(there))
    for each in LANGUAGES:
        if each == language:
            use_language(each)
            response.set_cookie(LANGUAGE_COOKIE, each, max_age=YEAR, samesite="lax", httponly=True)
    return response


@router.get("/me/break")
def break_reminder(visitor: Quiet) -> Response:
    """The reminder if it is due; pages ask for it every minute."""
    return visitor.page("break.html")


@router.post("/me/break")
def take_break(
    visitor: Known, taken: Annotated[bool, Form()], there: Annotated[str, Form(alias="next")] = "/"
) -> Response:
    """A break that is taken now, or put off: then it comes again soon."""
    site = visitor.site
    site.accounts.set_break(visitor.user, site.clock() + (site.limits.work if taken else site.limits.snooze))
    return visitor.page("rest.html", next=local(there)) if taken else visitor.go(local(there))


def _login(
    visitor: Visitor, there: str, kept: Kept | None = None, status: int = 200, name: str = "", error: str = ""
) -> Response:
    return visitor.page("login.html", status, next=local(there), kept=kept, name=name, error=error)


def _another() -> str:
    return say(
        "Another account filled in what is kept here: log in with that one to send it, or leave it unsent.",
        "此处保留的内容由另一账户填写：请用该账户登录后提交，或放弃。",
    )


def _alone(visitor: Visitor) -> User | None:
    """The user who needs no password on this machine, if there is one and it is this machine that asks."""
    alone = visitor.site.alone
    return visitor.site.accounts.named(alone) if alone and _this_machine(visitor) else None


def _enter(visitor: Visitor, user: User, there: str, kept: Kept | None = None) -> Response:
    """A session under a new token: one that was known before the log-in is worth nothing after it."""
    sessions = visitor.site.sessions
    if visitor.session is not None:
        sessions.end(visitor.token)
    token = sessions.start(user)
    entered = Visitor(visitor.request, visitor.site, token, sessions.find(token))
    response = entered.page("kept.html", kept=kept) if kept else visitor.go(local(there))
    response.delete_cookie(FLASH_COOKIE)
    visitor.keep(response, token)
    return response


def _same(password: str, again: str) -> None:
    if password != again:
        raise InputError(say("The two passwords differ.", "两次输入的密码不一致。"))


def _address(visitor: Visitor) -> str:
    client = visitor.request.client
    return client.host if client else ""


def _this_machine(visitor: Visitor) -> bool:
    """Asked from this machine under its own name (a page elsewhere cannot pretend that)."""
    try:
        near = ipaddress.ip_address(_address(visitor)).is_loopback
    except ValueError:
        return False
    return near and visitor.request.url.hostname in ("localhost", "127.0.0.1", "::1")
