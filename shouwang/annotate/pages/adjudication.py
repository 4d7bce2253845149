"""The table where disagreements are settled."""

from __future__ import annotations

from string import ascii_uppercase

from fastapi import APIRouter
from starlette.responses import Response

from shouwang.annotate import adjudicate
from shouwang.annotate.labels import Rating, Stage
from shouwang.annotate.pages.forms import Adjudicator, Filled, OfTurn, OpenProject, Sent, shown, who
from shouwang.annotate.project import Project
from shouwang.annotate.rating import Turn
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import Evidence
from shouwang.web.visitor import Visitor

router = APIRouter(include_in_schema=False)


@router.get("/adjudicate")
def cases(visitor: Adjudicator, project: OpenProject) -> Response:
    return visitor.page("cases.html", cases=adjudicate.open_cases(project))


@router.get("/adjudicate/{place}")
def case(visitor: Adjudicator, project: OpenProject, turn: OfTurn) -> Response:
    return _case(visitor, project, turn)


def _case(visitor: Visitor, project: Project, turn: Turn, sent: Filled | None = None, error: str = "") -> Response:
    said = adjudicate.said_of(project, turn)
    if not said:
        return visitor.go("/adjudicate", say("That post is not in dispute.", "此帖没有待裁定的分歧。"))
    spans = {(s.start, s.end, s.indicator) for each in said if each.label for s in each.label.spans}
    marks = [Evidence(start, end, indicator, 1.0) for start, end, indicator in sorted(spans)]
    context = shown(turn, sent, said=_without_names(said), error=error) | {"evidence": marks}
    return visitor.page("adjudicate.html", 422 if error else 200, **context)


@router.post("/adjudicate/{place}")
def decide(visitor: Adjudicator, project: OpenProject, turn: OfTurn, sent: Sent) -> Response:
    try:
        if isinstance(sent.says, InputError):
            raise sent.says
        adjudicate.decide(project, turn, who(visitor.user), sent.says)
    except InputError as error:
        return _case(visitor, project, turn, sent, str(error))
    following = adjudicate.open_cases(project)
    return visitor.go(f"/adjudicate/{following[0].place}" if following else "/adjudicate")


def _without_names(said: list[Rating]) -> list[tuple[str, Rating]]:
    """Ratings as "rater A", "rater B", "model": who said it should not weigh."""
    letters = iter(ascii_uppercase)

    def name(stage: Stage) -> str:
        if stage == "llm":
            return say("model", "模型")
        if stage == "adjudicated":
            return say("decision", "裁定")
        letter = next(letters, "…")
        return say(f"rater {letter}", f"标注员 {letter}")

    return [(name(each.stage), each) for each in said]
