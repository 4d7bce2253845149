"""One case: what was written, what the model says, what people said and did, and what can be done now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from sqlalchemy import Connection
from starlette.responses import Response

from shouwang import database, ledger, scale
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.triage import acts, authors, queue
from shouwang.triage.pages import chart
from shouwang.triage.pages.access import READERS, Number, Poll, Reader, names, watch_of
from shouwang.triage.pages.events import told
from shouwang.web.accounts import User
from shouwang.web.visitor import Visitor

router = APIRouter(prefix="/cases", include_in_schema=False)

SHOWN_EVENTS = 100
Level = Annotated[int, Form(ge=0, le=10)]


@router.get("/{number}")
def case_page(visitor: Reader, number: Number) -> Response:
    watch, me = watch_of(visitor), visitor.user.actor
    with database.writing(watch.engine) as connection:
        case = queue.case(connection, number)
        acts.saw(connection, me, [number])
        ratings, notes = queue.ratings(connection, number), queue.notes(connection, number)
        course = authors.course(connection, case.author) if case.author is not None else []
        blind = queue.blind(connection, me, {number, *(each.case for each in course if each.case is not None)})
        course = [replace(each, assessment=None) if each.case in blind else each for each in course]
        if case.author is not None and len(course) > 1:
            authors.saw(connection, me, case.author)
        trail = ledger.recorded(connection, subject=f"case:{number}", limit=SHOWN_EVENTS)
    return visitor.page(
        "case.html",
        case=case,
        ratings=ratings,
        notes=notes,
        course=course,
        chart=chart.course(course, case.post) if len(course) > 1 else None,
        trail=trail,
        told=told,
        mine=next((rating for rating in ratings if rating.who == me), None),
        blind=number in blind,
        colleagues=_colleagues(visitor),
        name=names(visitor.site),
        moment=watch.clock(),
        me=me,
    )


@router.get("/{number}/state")
def case_state(visitor: Poll, number: Number) -> Response:
    """Who holds the case and for how long, as a page asks for it while it is open."""
    watch = watch_of(visitor)
    with watch.engine.connect() as connection:
        case = queue.case(connection, number)
    return visitor.page(
        "case_state.html", case=case, name=names(visitor.site), moment=watch.clock(), me=visitor.user.actor
    )


@router.post("/{number}/claim")
def claim(visitor: Reader, number: Number) -> Response:
    return _act(visitor, number, lambda connection, who, now: acts.claim(connection, number, who, now))


@router.post("/{number}/release")
def release(visitor: Reader, number: Number) -> Response:
    _act(visitor, number, lambda connection, who, now: acts.release(connection, number, who, now))
    return visitor.go("/queue", say(f"Case {number} is free again.", f"个案 {number} 已放回队列。"))


@router.post("/{number}/rate")
def rate(
    visitor: Reader, number: Number, level: Level, high: Literal["by-level", "yes", "no"] = Form("by-level")
) -> Response:
    is_high = level >= scale.HIGH_FROM if high == "by-level" else high == "yes"
    return _act(
        visitor,
        number,
        lambda connection, who, now: acts.rate(connection, number, who, now, level, is_high),
        say(f"Your rating: {level}.", f"您的评定：{level} 级。"),
    )


@router.post("/{number}/note")
def note(visitor: Reader, number: Number, text: Annotated[str, Form()]) -> Response:
    return _act(
        visitor,
        number,
        lambda connection, who, now: acts.note(connection, number, who, now, text),
        say("Noted.", "备注已保存。"),
    )


@router.post("/{number}/second")
def ask_second(visitor: Reader, number: Number) -> Response:
    return _act(
        visitor,
        number,
        lambda connection, who, now: acts.ask_second(connection, number, who, now),
        say("A second opinion is asked for.", "已请求二次评定。"),
    )


@router.post("/{number}/hand-over")
def hand_over(visitor: Reader, number: Number, to: Annotated[int, Form()]) -> Response:
    colleague = next((user for user in _colleagues(visitor) if user.id == to), None)
    if colleague is None:
        raise InputError(say("That person cannot take cases; choose another", "该人员不能接手个案，请另选一位"))
    _act(
        visitor,
        number,
        lambda connection, who, now: acts.hand_over(connection, number, who, now, colleague.actor),
    )
    return visitor.go(
        "/queue",
        say(
            f"Case {number} is with {colleague.name} now; tell them.",
            f"个案 {number} 已移交 {colleague.name}，请告知对方。",
        ),
    )


@router.post("/{number}/close")
def close(
    visitor: Reader, number: Number, outcome: Annotated[str, Form()], text: Annotated[str, Form()] = ""
) -> Response:
    def act(connection: Connection, who: str, now: float) -> None:
        if text.strip():
            acts.note(connection, number, who, now, text)
        acts.close(connection, number, who, now, outcome)

    _act(visitor, number, act)
    return visitor.go("/queue", say(f"Case {number} is closed.", f"个案 {number} 已结案。"))


@router.post("/{number}/open")
def open_another(visitor: Reader, number: Number, post: Annotated[int, Form(ge=1, lt=2**31)]) -> Response:
    """A case of another post of the same author, which the policy left out."""
    watch = watch_of(visitor)
    with database.writing(watch.engine) as connection:
        author = queue.case(connection, number).author
        course = authors.course(connection, author) if author is not None else []
        if post not in {moment.post for moment in course}:
            raise InputError(say("that post is not in this author's course", "该帖子不在这位作者的走势中"))
        made = acts.open_by_hand(connection, post, visitor.user.actor, watch.clock())
    return visitor.go(f"/cases/{made}")


@router.post("/{number}/reopen")
def reopen(visitor: Reader, number: Number) -> Response:
    return _act(visitor, number, lambda connection, who, now: acts.reopen(connection, number, who, now))


def _act(
    visitor: Visitor, number: Number, act: Callable[[Connection, str, float], object], message: str = ""
) -> Response:
    """Do it in one transaction, and back to the case."""
    watch = watch_of(visitor)
    with database.writing(watch.engine) as connection:
        act(connection, visitor.user.actor, watch.clock())
    return visitor.go(f"/cases/{number}", message)


def _colleagues(visitor: Visitor) -> list[User]:
    """Who else may take a case."""
    everyone = visitor.site.accounts.everyone()
    return [u for u in everyone if u.active and not u.roles.isdisjoint(READERS) and u.id != visitor.user.id]
