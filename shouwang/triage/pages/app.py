"""The pages, wired to an application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.responses import RedirectResponse, Response

from shouwang.language import Words, say
from shouwang.triage.acts import OUTCOMES, ClosedError, TakenError
from shouwang.triage.pages import api_keys, audit, cases, overview, policy, queued
from shouwang.triage.pages.access import LINKS, ROLES, Stated, Watch, names
from shouwang.triage.policy import PRIORITY_NAMES, REASON_NAMES, Policy
from shouwang.triage.queue import NoCaseError
from shouwang.web import times
from shouwang.web.site import Site

NAME = Words("Shouwang watch", "守望")


def attach(
    app: FastAPI,
    engine: Engine,
    *,
    points: Mapping[str, float] | None = None,
    default: Policy | None = None,
    stated: Mapping[str, Stated] | None = None,
    clock: Callable[[], float] = time.time,
    hasher: PasswordHasher | None = None,
) -> Site:
    """Add the pages to an app whose database has the tables of a watch; the API below /v1/ keeps its own rules.

    The site's `setup_address` is where the first account is made.
    """
    site = Site(
        engine,
        NAME,
        ROLES,
        templates=Path(__file__).parent / "templates",
        links=LINKS,
        clock=clock,
        hasher=hasher,
    )
    site.environment.globals |= {
        "priority_names": PRIORITY_NAMES,
        "reason_names": REASON_NAMES,
        "outcomes": OUTCOMES,
        "now": clock,
    }
    site.attach(app)
    app.state.pages = Watch(engine, clock, points or {}, default or Policy(), stated or {})
    for room in (queued, cases, overview, policy, audit, api_keys):
        app.include_router(room.router)
    app.add_exception_handler(NoCaseError, lambda request, error: site.failed(request, 404, str(error)))
    app.add_exception_handler(ClosedError, lambda request, error: site.failed(request, 409, str(error)))
    app.add_exception_handler(TakenError, lambda request, error: site.failed(request, 409, _taken(site, error)))
    app.add_api_route("/", _first_page, include_in_schema=False)
    return site


def _taken(site: Site, error: Exception) -> str:
    """Who holds the case, by name."""
    by, until = getattr(error, "by", ""), getattr(error, "until", 0.0)
    name = names(site)(by)
    return say(
        f"{name} holds this case until {times.clock(until)}. Nothing of yours was saved; take another case, or ask {name}.",
        f"{name} 正在处理此个案，至 {times.clock(until)}。您的操作未保存；请处理其他个案，或与 {name} 商量。",
    )


def _first_page() -> Response:
    return RedirectResponse("/queue", 303)
