"""The policy in force, what a change of it would do, and how a shadow compares."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from shouwang import database
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.triage import acts, policies
from shouwang.triage.pages.access import Lead, Watch, watch_of
from shouwang.triage.policy import Policy, Preview, Priority
from shouwang.web.visitor import Visitor, needs

router = APIRouter(include_in_schema=False)
Planner = Annotated[Visitor, Depends(needs("lead", "admin"))]

SHADOW_DAYS = 14
DAY = 86_400.0


def wanted(
    basis: Annotated[str, Form(max_length=80)],
    high: Annotated[str, Form(max_length=20)] = "",
    per_day: Annotated[str, Form(max_length=20)] = "",
    imminent_level: Annotated[str, Form(max_length=20)] = "",
    imminent: Annotated[str, Form(max_length=20)] = "",
    wish_level: Annotated[str, Form(max_length=20)] = "",
    wish: Annotated[str, Form(max_length=20)] = "",
    unreadable: Annotated[bool, Form()] = False,
    spot_check: Annotated[str, Form(max_length=20)] = "",
) -> Policy:
    """The policy that the form spells; raises InputError for what is no number."""
    return Policy(
        basis=basis,
        high=_number(high, "high"),
        per_day=_whole(per_day, "per day") if basis == "capacity" else None,
        imminent_level=_whole(imminent_level, "imminent level"),
        imminent=_number(imminent, "imminent"),
        wish_level=_whole(wish_level, "wish level"),
        wish=_number(wish, "wish") if wish.strip() else None,
        unreadable=unreadable,
        spot_check=_number(spot_check, "spot check") / 100,
    )


Wanted = Annotated[Policy, Depends(wanted)]


@router.get("/policy")
def policy_page(visitor: Planner) -> Response:
    watch = watch_of(visitor)
    with watch.engine.connect() as connection:
        held = policies.current(connection, default=watch.default)
    return _page(visitor, held.policy)


@router.post("/policy/preview")
def look_ahead(visitor: Planner, policy: Wanted) -> Response:
    """What the change would do to recent posts. Changes nothing."""
    watch = watch_of(visitor)
    with watch.engine.connect() as connection:
        preview = policies.look_ahead(connection, policy, watch.points, watch.clock(), watch.default)
    return _page(visitor, policy, preview)


@router.post("/policy")
def set_policy(visitor: Planner, policy: Wanted, catch_up: Annotated[bool, Form()] = False) -> Response:
    """Put it into force; with `catch_up`, for recent posts too."""
    watch, who = watch_of(visitor), visitor.user.actor
    opened = 0
    with database.writing(watch.engine) as connection:
        now = watch.clock()
        resolved = policies.resolved(connection, policy, watch.points, now)
        number = policies.set_policy(connection, policy, who, now)
    if catch_up:
        with database.writing(watch.engine) as connection:
            opened = policies.catch_up(connection, policies.Held(number, resolved), who, now)
    return visitor.go(
        "/policy",
        say(
            f"Policy {number} is in force; {opened} cases of recent posts opened or raised.",
            f"策略 {number} 已生效；近期帖子中补开或调高个案 {opened} 个。",
        ),
    )


@router.get("/shadow")
def shadow_page(visitor: Planner) -> Response:
    watch = watch_of(visitor)
    with watch.engine.connect() as connection:
        since = watch.clock() - SHADOW_DAYS * DAY
        found = [policies.differences(connection, name, since) for name in policies.shadow_names(connection)]
    return visitor.page("shadow.html", found=found, days=SHADOW_DAYS, priorities=_priorities())


@router.post("/shadow/open")
def open_by_hand(visitor: Lead, post: Annotated[int, Form(ge=1, lt=2**31)]) -> Response:
    """A case of a post that the policy in force left out."""
    watch = watch_of(visitor)
    with database.writing(watch.engine) as connection:
        number = acts.open_by_hand(connection, post, visitor.user.actor, watch.clock())
    return visitor.go(f"/cases/{number}")


def _page(visitor: Visitor, policy: Policy, preview: Preview | None = None) -> Response:
    watch: Watch = watch_of(visitor)
    with watch.engine.connect() as connection:
        held = policies.current(connection, default=watch.default)
    return visitor.page(
        "policy.html", held=held, policy=policy, preview=preview, points=watch.points, priorities=_priorities()
    )


def _priorities() -> list[Priority | None]:
    return [*reversed(Priority), None]


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(say(f"policy: {what} is not a number", f"策略：{what} 不是数字")) from None


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(say(f"policy: {what} is not a whole number", f"策略：{what} 不是整数")) from None
