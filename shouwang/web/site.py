"""The shell of an application: templates, error pages, headers, log-in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from argon2 import PasswordHasher
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from shouwang import scale
from shouwang.errors import ShouwangError
from shouwang.language import Words, language, say
from shouwang.web import kept, marks, times
from shouwang.web.accounts import Accounts
from shouwang.web.guard import Guard
from shouwang.web.sessions import Limits, Sessions
from shouwang.web.visitor import FLASH_COOKIE, Visitor, local, visit

HERE = Path(__file__).parent


class Site:
    """What an application is built on. `shouwang.web.accounts.create` makes the tables it needs.

    `roles` maps each role to its name; the first one manages accounts, and the first user gets all of them.
    `links` are the entries of the menu: path, name, roles that see it, key. `alone` names a user who is logged in without a password from this
    very machine. Below `open_paths` an API of the application has rules of its own.
    """

    def __init__(
        self,
        engine: Engine,
        name: Words,
        roles: Mapping[str, Words],
        *,
        templates: Path | None = None,
        links: tuple[tuple[str, Words, tuple[str, ...], str], ...] = (),
        limits: Limits | None = None,
        alone: str = "",
        open_paths: tuple[str, ...] = ("/v1/",),
        clock: Callable[[], float] = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self.name = name
        self.roles = dict(roles)
        self.links = links
        self.limits = limits or Limits()
        self.alone = alone
        self.open_paths = open_paths
        self.clock = clock
        self.keeper = next(iter(roles))
        self.accounts = Accounts(engine, self.keeper, hasher)
        self.sessions = Sessions(engine, self.limits, clock)
        self.setup_token = secrets.token_urlsafe(16)
        self.environment = _environment([HERE / "templates", *([templates] if templates else [])])

    def attach(self, app: FastAPI) -> None:
        """Add middleware, error pages, files and the pages of log-in and accounts to the app."""
        from shouwang.web import account_pages, people_pages

        app.state.site = self
        app.add_middleware(Guard, failed=self.failed, open_paths=self.open_paths)
        app.mount("/static", _Static(directory=HERE / "static"), name="static")
        app.include_router(account_pages.router)
        app.include_router(people_pages.router)
        app.add_exception_handler(AnyHTTPException, self._on_http_error)
        app.add_exception_handler(RequestValidationError, self._on_invalid)
        app.add_exception_handler(ShouwangError, self._on_own_error)

    def new_token(self) -> str:
        return secrets.token_urlsafe(32)

    def setup_address(self, base: str) -> str:
        """Where the first account is made; for the terminal of whoever started the service."""
        return f"{base}/setup?token={self.setup_token}"

    def render(self, visitor: Visitor, template: str, status: int, context: Mapping[str, object]) -> Response:
        flash = visitor.flash()
        shared = {"visitor": visitor, "site": self, "flash": flash, "language": language()}
        html = self.environment.get_template(template).render(**shared, **context)
        response = HTMLResponse(html, status)
        if flash:
            response.delete_cookie(FLASH_COOKIE)
        return response

    def failed(self, request: Request, status: int, message: str = "") -> Response:
        """The error page; it tells nothing of what the server holds."""
        visitor = Visitor(request, self, "", None)
        back = local(urlsplit(request.headers.get("referer", "/")).path)
        return self.render(visitor, "error.html", status, {"status": status, "message": message, "back": back})

    def _open(self, request: Request) -> bool:
        return request.url.path.startswith(self.open_paths) if self.open_paths else False

    async def _on_http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, AnyHTTPException)  # noqa: S101 - registered for it
        if self._open(request):
            from fastapi.exception_handlers import http_exception_handler

            return await http_exception_handler(request, error)
        if (offered := await self._kept(request, error)) is not None:
            return offered
        if error.status_code == 401:
            return self._to_login(request)
        if error.status_code == 303 and error.headers:
            return RedirectResponse(error.headers["Location"], 303)
        return self.failed(request, error.status_code, str(_MEANINGS.get(error.detail, "")))

    async def _on_invalid(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        if self._open(request):
            from fastapi.exception_handlers import request_validation_exception_handler

            return await request_validation_exception_handler(request, error)
        fields = ", ".join(str(each["loc"][-1]) for each in error.errors())
        return self.failed(request, 422, say(f"Not filled in as expected: {fields}", f"填写有误：{fields}"))

    async def _on_own_error(self, request: Request, error: Exception) -> Response:
        return self.failed(request, 422, str(error))

    async def _kept(self, request: Request, error: AnyHTTPException) -> Response | None:
        """What was sent, offered again where only the session was in its way: over, renewed, or its password due."""
        from shouwang.web.account_pages import offer

        too_old = error.detail == "form" and kept.from_here(request)
        in_its_way = too_old or error.status_code in (401, 303)
        if not in_its_way or "hx-request" in request.headers:
            return None
        found = await kept.sent(request)
        return offer(visit(request, touch=False), found) if found else None

    def _to_login(self, request: Request) -> Response:
        if "hx-request" in request.headers:  # a part of a page: the rest of it, and what is filled in there, stays
            page = local(urlsplit(request.headers.get("hx-current-url", "/")).path)
            return self.render(Visitor(request, self, "", None), "expired.html", 401, {"next": page})
        if request.method != "GET":
            return RedirectResponse("/login", 303)
        there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(there, safe='')}", 303)


_MEANINGS = {
    "form": Words(
        "This form is too old or came from elsewhere; nothing was saved. Go back, reload the page and send it again.",
        "此表单已过期或来自别处，未保存任何内容。请返回并刷新页面后重试。",
    ),
    "role": Words("Your account may not see this page.", "您的账户无权查看此页面。"),
}


class _Static(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"  # kept, but asked about: a new version is seen at once
        return response


def _environment(folders: list[Path]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "say": say,
        "scale": scale,
        "pieces": marks.pieces,
        "legend": marks.LEGEND,
        "zone": times.zone,
    }
    environment.filters |= {"clock": times.clock, "moment": times.moment, "span": times.span, "percent": times.percent}
    return environment
