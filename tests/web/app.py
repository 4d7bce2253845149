"""A small application on the shell: one page for raters, one that fails, one form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from argon2 import PasswordHasher
from fastapi import Depends, FastAPI, Form
from fastapi.testclient import TestClient
from starlette.responses import Response

from shouwang import database, ledger
from shouwang.language import Words
from shouwang.web import accounts
from shouwang.web.site import Site
from shouwang.web.visitor import Visitor, needs

ROLES = {"admin": Words("admin", "管理员"), "rater": Words("rater", "评定员")}
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SECRET = "a sentence to keep"  # noqa: S105

Rater = Annotated[Visitor, Depends(needs("rater"))]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class World:
    """The application, its clock, and the posts that its form took."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.engine = database.engine(options.pop("database_url", folder / "web.sqlite"))
        with database.writing(self.engine) as connection:
            accounts.create(connection)
        self.clock = Clock()
        self.saved: list[str] = []
        templates = folder / "templates"
        templates.mkdir(exist_ok=True)
        (templates / "post.html").write_text(
            '{% extends "base.html" %}{% from "parts.html" import marked, veil with context %}'
            "{% block title %}post{% endblock %}"
            '{% block main %}{% call veil("t") %}{{ marked(text, []) }}{% endcall %}{% endblock %}'
        )
        self.site = Site(
            self.engine,
            Words("Test", "测试"),
            ROLES,
            templates=templates,
            clock=self.clock,
            hasher=FAST,
            **options,
        )
        self.app = FastAPI(openapi_url=None)
        self.site.attach(self.app)
        self._routes()

    def _routes(self) -> None:
        @self.app.get("/")
        def post(visitor: Rater) -> Response:
            return visitor.page("post.html", text="<script>alert(1)</script>想喝茶")

        @self.app.get("/broken")
        def broken(visitor: Rater) -> Response:
            raise ValueError("the words of a post")

        @self.app.post("/save")
        def save(visitor: Rater, note: Annotated[str, Form()]) -> Response:
            self.saved.append(note)
            return visitor.go("/", "saved <b>")

    def recorded(self) -> list[tuple[str, str, str]]:
        """Who did what to whom, oldest first."""
        with self.engine.connect() as connection:
            events = ledger.recorded(connection)
        return [(event.who, event.what, event.subject) for event in reversed(events)]

    def browser(self, **options: Any) -> TestClient:
        options.setdefault("client", ("10.0.0.7", 1))
        return TestClient(self.app, follow_redirects=False, headers={"accept-language": "en"}, **options)

    def logged_in(self, name: str = "Mei", roles: tuple[str, ...] = ("rater",)) -> TestClient:
        if self.site.accounts.named(name) is None:
            self.site.accounts.add(name, SECRET, roles)
        browser = self.browser()
        assert log_in(browser, name, SECRET).status_code == 303
        return browser


def csrf(browser: TestClient, path: str = "/me") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get(path).text)
    assert found, "a form with a token"
    return found[1]


def log_in(browser: TestClient, name: str, password: str, there: str = "/") -> Any:
    token = csrf(browser, "/login")
    return browser.post("/login", data={"csrf": token, "name": name, "password": password, "next": there})
