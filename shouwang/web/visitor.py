"""Who asks, whether they may, and what they are shown."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import quote, unquote, urlsplit

from fastapi import Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from shouwang.web.accounts import User
from shouwang.web.sessions import Session, csrf_token

if TYPE_CHECKING:
    from shouwang.web.site import Site

COOKIE, FLASH_COOKIE = "shouwang", "shouwang_flash"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request; `session` is None where nobody is logged in."""

    request: Request
    site: Site
    token: str
    session: Session | None

    @property
    def user(self) -> User:
        """The user who is logged in (a route that `needs` a role is only reached with one)."""
        if self.session is None:
            raise HTTPException(401)
        return self.session.user

    @property
    def csrf(self) -> str:
        return csrf_token(self.token)

    @property
    def break_due(self) -> bool:
        return self.session is not None and self.site.clock() >= self.user.break_due

    def may(self, *roles: str) -> bool:
        return self.session is not None and not self.user.roles.isdisjoint(roles)

    def page(self, template: str, status: int = 200, **context: object) -> Response:
        """That template with `visitor`, `site` and the context; autoescaped."""
        response = self.site.render(self, template, status, context)
        self.keep(response)
        return response

    def go(self, path: str, message: str = "") -> Response:
        """On to another page (303), which shows the message once."""
        response = RedirectResponse(path, 303)
        if message:
            self._set(response, FLASH_COOKIE, quote(message), age=60)
        return response

    def keep(self, response: Response, token: str = "") -> None:
        """Let the browser keep the token, a new one where it changed."""
        if token or self.request.cookies.get(COOKIE) != self.token:
            self._set(response, COOKIE, token or self.token)

    def flash(self) -> str:
        return unquote(self.request.cookies.get(FLASH_COOKIE, ""))[:300]

    def _set(self, response: Response, name: str, value: str, age: int | None = None) -> None:
        secure = self.request.url.scheme == "https"
        response.set_cookie(name, value, max_age=age, httponly=True, samesite="lax", secure=secure)


def local(path: str) -> str:
    """The path if it leads to a page of ours, else the first page."""
    parts = urlsplit(path)
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if inside and path.isprintable() and "\\" not in path else "/"


def site_of(request: Request) -> Site:
    return cast("Site", request.app.state.site)


async def _checked(request: Request) -> None:
    """Refuse whatever changes something and does not come from a form of ours (403)."""
    if request.method in SAFE:
        return
    sent: Any = request.headers.get("x-csrf-token")
    if sent is None:
        sent = (await request.form()).get("csrf", "")
    token = request.cookies.get(COOKIE, "")
    if not token or not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), csrf_token(token).encode()):
        raise HTTPException(403, "form")


def visit(request: Request, *, touch: bool) -> Visitor:
    site = site_of(request)
    token = request.cookies.get(COOKIE, "")
    session = site.sessions.find(token, touch=touch) if token else None
    return Visitor(request, site, token or site.new_token(), session)


def anyone(request: Request, _: Annotated[None, Depends(_checked)]) -> Visitor:
    """Dependency of the few pages that are there before logging in."""
    return visit(request, touch=True)


def needs(*roles: str, quiet: bool = False) -> Callable[..., Visitor]:
    """Dependency of a route for users with one of these roles (any user, if none is named).

    `quiet` is for what a page asks on its own: it does not keep a session from idling out.
    """

    def visitor(request: Request, _: Annotated[None, Depends(_checked)]) -> Visitor:
        found = visit(request, touch=not quiet)
        if found.session is None:
            raise HTTPException(401)
        if found.user.must_change and not request.url.path.startswith(("/me", "/logout")):
            raise HTTPException(303, headers={"Location": "/me"})
        if roles and not found.may(*roles):
            raise HTTPException(403, "role")
        return found

    return visitor
