"""A label as the pages' form sends it, and what both sides of the form share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form, HTTPException, Request

from shouwang.annotate import rating
from shouwang.annotate.labels import Label, label_of, spans_json
from shouwang.annotate.project import PERSON, Project
from shouwang.annotate.rating import Turn
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import Evidence
from shouwang.web.accounts import User
from shouwang.web.visitor import Visitor, needs

Rater = Annotated[Visitor, Depends(needs("rater"))]
Adjudicator = Annotated[Visitor, Depends(needs("adjudicator"))]

INDICATOR_KEYS = {"pain": "q", "wish": "w", "plan": "e", "method": "r", "time": "t"}
LEVEL_KEYS = {10: "x"} | {level: str(level) for level in range(10)}


async def project_of(request: Request) -> Project:
    found: Project = request.app.state.project
    return found


OpenProject = Annotated[Project, Depends(project_of)]


def turn_of(project: OpenProject, place: int) -> Turn:
    """The post at the place in the address; 404 where there is none."""
    turn = rating.at(project, place)
    if turn is None:
        raise HTTPException(404)
    return turn


OfTurn = Annotated[Turn, Depends(turn_of)]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in, and what it says: a label, or what is wrong with it."""

    level: int | None
    high: bool | None
    indicators: frozenset[str]
    spans: str
    unsure: bool
    note: str
    says: Label | InputError


async def sent_label(
    turn: OfTurn,
    level: Annotated[int | None, Form()] = None,
    high: Annotated[bool | None, Form()] = None,
    indicators: Annotated[list[str] | None, Form()] = None,
    spans: Annotated[str, Form(max_length=20_000)] = "[]",
    unsure: Annotated[bool, Form()] = False,
    note: Annotated[str, Form(max_length=20_000)] = "",
) -> Filled:
    """What somebody sent. Where it cannot be saved, the page comes again with everything that was filled in."""
    named = frozenset(indicators or ())
    row = {"level": level, "high": high, "indicators": sorted(named), "unsure": unsure, "note": note}
    try:
        says: Label | InputError = label_of(row | {"spans": _marked(spans)}, len(turn.post.text))
    except InputError as error:
        says = error
    return Filled(level, high, named, spans, unsure, note, says)


def _marked(spans: str) -> list[Any]:
    try:
        marked = json.loads(spans)
    except (ValueError, RecursionError):
        marked = None
    if not isinstance(marked, list):
        raise InputError(
            say(
                "the marked spans cannot be read; reload the page and mark them again",
                "标记读不出来；请刷新页面重新标出",
            )
        )
    return marked


Sent = Annotated[Filled, Depends(sent_label)]


def shown(turn: Turn, label: Label | Filled | None, **more: Any) -> dict[str, Any]:
    """What the form's template needs. Marks that cannot be read or do not lie in the post are not shown again."""
    said = label.says if isinstance(label, Filled) else label
    spans = said.spans if isinstance(said, Label) else ()
    return {
        "turn": turn,
        "label": label,
        "spans": spans_json(said) if isinstance(said, Label) else "[]",
        "evidence": [Evidence(span.start, span.end, span.indicator, 1.0) for span in spans],
        "level_keys": LEVEL_KEYS,
        "indicator_keys": INDICATOR_KEYS,
        "error": "",
        **more,
    }


def who(user: User) -> str:
    """What a person's ratings are signed with."""
    return f"{PERSON}{user.id}"
