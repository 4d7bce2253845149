"""Where people rate: one post at a time, blind first; then the suggestion; and the table where disagreements are settled."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from shouwang import database
from shouwang.annotate.pages import adjudication, rounds
from shouwang.annotate.project import Project
from shouwang.language import Words
from shouwang.web import accounts
from shouwang.web.site import Site

HERE = Path(__file__).parent
ROLES = {
    "coordinator": Words("coordinator", "协调员"),
    "rater": Words("rater", "标注员"),
    "adjudicator": Words("adjudicator", "裁定员"),
}
LINKS = (
    ("/", Words("Rate", "标注"), ("rater",), "r"),
    ("/mine", Words("My ratings", "我的标注"), ("rater",), "i"),
    ("/adjudicate", Words("Adjudicate", "裁定"), ("adjudicator",), "a"),
    ("/guideline", Words("Guideline", "标注指南"), (), "u"),
)
ALONE = "me"


def app(project: Project, *, alone: bool = False, **options: Any) -> FastAPI:
    """The application for one project; `alone` is for one person on this very machine, who needs no password."""
    with database.writing(project.engine) as connection:
        accounts.create(connection)
    site = Site(
        project.engine,
        Words("shouwang · annotate", "守望 · 标注"),
        ROLES,
        templates=HERE / "templates",
        links=LINKS,
        alone=ALONE if alone else "",
        **options,
    )
    if alone and site.accounts.named(ALONE) is None:
        site.accounts.add(ALONE, secrets.token_hex(24), ROLES)
    made = FastAPI(openapi_url=None)
    made.state.project = project
    site.attach(made)
    made.mount("/annotate", StaticFiles(directory=HERE / "static"), name="annotate")
    made.include_router(rounds.router)
    made.include_router(adjudication.router)
    return made
