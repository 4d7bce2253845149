"""A rater's round: the next post, its form, the suggestion after it, and what they rated before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from shouwang.annotate import rating
from shouwang.annotate.labels import Label, spans_json
from shouwang.annotate.pages.forms import Filled, OfTurn, OpenProject, Rater, Sent, shown, who
from shouwang.annotate.project import Project
from shouwang.annotate.rating import Turn
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import Evidence
from shouwang.web.visitor import Visitor, needs

router = APIRouter(include_in_schema=False)
Anybody = Annotated[Visitor, Depends(needs())]


@router.get("/")
def next_post(visitor: Anybody, project: OpenProject) -> Response:
    if not visitor.may("rater"):
        return visitor.go("/adjudicate" if visitor.may("adjudicator") else "/guideline")
    turn = rating.next_for(project, who(visitor.user))
    if turn is not None:
        return visitor.go(f"/rate/{turn.place}")
    return visitor.page("nothing.html", progress=rating.progress(project, who(visitor.user)))


@router.get("/rate/{place}")
def form(visitor: Rater, project: OpenProject, turn: OfTurn) -> Response:
    if rating.own(project, turn.place, who(visitor.user)) is not None:
        return visitor.go(f"/reveal/{turn.place}")
    return _form(visitor, project, turn)


@router.post("/rate/{place}")
def save(visitor: Rater, project: OpenProject, turn: OfTurn, sent: Sent) -> Response:
    me = who(visitor.user)
    again = rating.own(project, turn.place, me) is not None
    if error := _unsaved(project, turn, me, sent, again=False):
        return _form(visitor, project, turn, sent, error)
    if again:
        return visitor.go(
            f"/reveal/{turn.place}",
            say(
                "You had rated this post in another window; what you sent now was added as a later rating.",
                "您已在另一窗口标注过此帖；这次提交已作为之后的标注追加保存。",
            ),
        )
    suggested = rating.suggestion(project, turn.place, me) is not None
    return visitor.go(f"/reveal/{turn.place}" if suggested else "/")


@router.post("/later/{place}")
def later(visitor: Rater, project: OpenProject, turn: OfTurn) -> Response:
    rating.put_off(project, turn.place, who(visitor.user))
    return visitor.go("/")


@router.get("/reveal/{place}")
def reveal(visitor: Rater, project: OpenProject, turn: OfTurn) -> Response:
    mine = rating.own(project, turn.place, who(visitor.user))
    if mine is None:
        return visitor.go(f"/rate/{turn.place}")
    return _reveal(visitor, project, turn, mine)


@router.post("/reveal/{place}")
def after(visitor: Rater, project: OpenProject, turn: OfTurn, sent: Sent) -> Response:
    """What the person says now that they have seen the suggestion: the same, or something else."""
    me = who(visitor.user)
    mine = rating.own(project, turn.place, me)
    if mine is None:
        return visitor.go(f"/rate/{turn.place}")
    if error := _unsaved(project, turn, me, sent):
        return _reveal(visitor, project, turn, mine, sent, error)
    return visitor.go("/")


@router.get("/mine")
def mine(visitor: Rater, project: OpenProject) -> Response:
    me = who(visitor.user)
    return visitor.page("mine.html", recent=rating.recent(project, me), progress=rating.progress(project, me))


@router.get("/guideline")
def guideline(visitor: Anybody) -> Response:
    return visitor.page("guideline.html")


def _unsaved(project: Project, turn: Turn, me: str, sent: Filled, *, again: bool = True) -> str:
    """Save what was sent; why that cannot be, if so."""
    if isinstance(sent.says, InputError):
        return str(sent.says)
    try:
        rating.save(project, turn.place, me, sent.says, again=again)
    except InputError as error:
        return str(error)
    return ""


def _form(visitor: Visitor, project: Project, turn: Turn, sent: Filled | None = None, error: str = "") -> Response:
    progress = rating.progress(project, who(visitor.user))
    return visitor.page("rate.html", 422 if error else 200, **shown(turn, sent, progress=progress, error=error))


def _reveal(
    visitor: Visitor, project: Project, turn: Turn, mine: Label, sent: Filled | None = None, error: str = ""
) -> Response:
    found = rating.suggestion(project, turn.place, who(visitor.user))
    marks = [Evidence(s.start, s.end, s.indicator, 1.0) for s in found.label.spans] if found and found.label else []
    context = shown(turn, sent or mine, suggestion=found, suggested=marks, error=error)
    context |= {"mine": mine, "my_spans": spans_json(mine)}
    return visitor.page("reveal.html", 422 if error else 200, **context)
