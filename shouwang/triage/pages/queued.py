"""The queue: most urgent first, newest first among them, renewed while somebody looks at it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from sqlalchemy import Connection
from starlette.responses import Response

from shouwang import database
from shouwang.language import say
from shouwang.triage import acts, queue
from shouwang.triage.acts import ClosedError, TakenError
from shouwang.triage.pages.access import Poll, Reader, Watch, names, watch_of
from shouwang.triage.policy import Priority
from shouwang.triage.queue import Case, NoCaseError, Place
from shouwang.web.visitor import Visitor

router = APIRouter(include_in_schema=False)

PAGE = 25  # cases
Filter = Literal["all", "free", "mine", "second", "closed"]
Priorities = Literal["", "1", "2", "3"]


@router.get("/queue")
def queue_page(
    visitor: Reader,
    show: Filter = "all",
    priority: Priorities = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    return _page(visitor, "queue.html", show, priority, after, shown="")


@router.get("/queue/list")
def queue_list(
    visitor: Poll,
    show: Filter = "all",
    priority: Priorities = "",
    after: Annotated[str, Query(max_length=80)] = "",
    shown: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """The list again, as a page asks for it while it is open; only cases that it did not show yet count as seen."""
    return _page(visitor, "queue_list.html", show, priority, after, shown)


@router.post("/queue/next")
def take_next(visitor: Reader, priority: Annotated[Priorities, Form()] = "") -> Response:
    """Claim the most urgent case that nobody holds."""
    watch, who = watch_of(visitor), visitor.user.actor
    with database.writing(watch.engine) as connection:
        now = watch.clock()
        while found := queue.case_list(connection, priority=_priority(priority), free_at=now, limit=1):
            with suppress(TakenError, ClosedError, NoCaseError):  # by somebody who was quicker: the one after it
                acts.claim(connection, found[0].id, who, now)
                return visitor.go(f"/cases/{found[0].id}")
    return visitor.go("/queue", say("No case is waiting. Rest a little.", "没有等待的个案，歇一歇吧。"))


def _page(visitor: Visitor, template: str, show: Filter, priority: Priorities, after: str, shown: str) -> Response:
    watch, who = watch_of(visitor), visitor.user.actor
    with watch.engine.connect() as connection:
        now = watch.clock()
        found = _cases(connection, show, _priority(priority), _place(after), who, now)
        counts = queue.open_counts(connection, who, now)
    cases, more = found[:PAGE], len(found) > PAGE
    _record(watch, who, [case.id for case in cases], shown)
    place = cases[-1].place if more else None
    return visitor.page(
        template,
        cases=cases,
        counts=counts,
        most_counted=queue.MOST_COUNTED,
        priorities=list(reversed(Priority)),
        filters=_filters(),
        show=show,
        priority=priority,
        after=after,
        more=f"{place.priority}:{place.opened_at!r}:{place.id}" if place else "",
        name=names(visitor.site),
        moment=now,
    )


def _cases(
    connection: Connection, show: Filter, priority: Priority | None, place: Place | None, who: str, now: float
) -> list[Case]:
    return queue.case_list(
        connection,
        state="closed" if show == "closed" else "open",
        priority=priority,
        whose=who if show == "mine" else None,
        free_at=now if show == "free" else None,
        second=show == "second",
        before=place,
        limit=PAGE + 1,
    )


def _record(watch: Watch, who: str, numbers: list[int], shown: str) -> None:
    known = {int(number) for number in shown.split(",") if number.isdigit()}
    if new := [number for number in numbers if number not in known]:
        with database.writing(watch.engine) as connection:
            acts.saw(connection, who, new)


def _priority(number: str) -> Priority | None:
    return Priority(int(number)) if number else None


def _place(after: str) -> Place | None:
    """Where the page goes on; a place that was tampered with is the beginning."""
    try:
        priority, opened_at, number = after.split(":")
        place = Place(int(priority), float(opened_at), int(number))
    except ValueError:
        return None
    return place if max(place.priority, place.id) < 2**31 else None


def _filters() -> dict[str, str]:
    return {
        "all": say("All open", "全部待处理"),
        "free": say("Nobody's", "无人认领"),
        "mine": say("Mine", "我的"),
        "second": say("Second opinion", "待二次评定"),
        "closed": say("Closed", "已结案"),
    }
