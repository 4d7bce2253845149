"""The API around a `Watch`, as it is mounted at /v1."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from starlette.exceptions import HTTPException as AnyHTTPException

import shouwang
from shouwang import database
from shouwang.errors import InputError
from shouwang.triage import acts, door, intake, keys, policies, queue
from shouwang.triage import messages as m
from shouwang.triage.intake import Pseudonyms
from shouwang.triage.keys import Key, Pace
from shouwang.triage.metrics import Metrics
from shouwang.triage.policy import Policy, Priority
from shouwang.triage.worker import Worker

CURSOR = r"^[1-3]~[0-9]{1,12}(\.[0-9]{1,9})?~[0-9]{1,18}$"
Deidentify = Annotated[
    bool,
    Query(description="Replace phone numbers, names of accounts and the like in the text; leave out the post's id"),
]
BEARER = HTTPBearer(auto_error=False, description="A key from `shouwang watch add-key`.")


@dataclass(slots=True)
class Watch:
    """What the service stands on. `points` are the model's thresholds by name, `default` the policy until one is set.

    Without a `worker` the posts wait for one that runs elsewhere.
    """

    engine: Engine
    pseudonyms: Pseudonyms
    points: Mapping[str, float] = field(default_factory=dict)
    default: Policy = field(default_factory=Policy)
    worker: Worker | None = None
    clock: Callable[[], float] = time.time
    pace: Pace = field(default_factory=Pace)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.engine, self.clock)


def watch_of(request: Request) -> Watch:
    """Dependency: the watch that the API is around."""
    return cast(Watch, request.app.state.watch)


Here = Annotated[Watch, Depends(watch_of)]


def api(watch: Watch) -> FastAPI:
    """The API alone, as it is mounted at /v1."""
    troubles: dict[int | str, dict[str, Any]] = {
        401: {"model": m.Trouble, "description": "No key, or one that is not valid"},
        403: {"model": m.Trouble, "description": "The key lacks the scope"},
        422: {"model": m.Invalid, "description": "Not as described"},
        429: {"model": m.Trouble, "description": "Too many requests a minute; see Retry-After"},
        503: {"model": m.Trouble, "description": "The database does not answer; nothing was stored or changed"},
    }
    made = FastAPI(
        title="shouwang",
        version=shouwang.__version__,
        description="Posts in, cases out. It ranks text for people who decide, and contacts nobody by itself.",
        responses=troubles,
        dependencies=[Depends(_known_parameters)],
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
    )
    made.state.watch = watch
    made.add_middleware(door.Door)
    made.add_exception_handler(RequestValidationError, door.on_invalid)
    made.add_exception_handler(AnyHTTPException, door.on_http_error)
    made.add_exception_handler(InputError, _on_input_error)
    missing: dict[int | str, dict[str, Any]] = {404: {"model": m.Trouble, "description": "There is none"}}
    too_large: dict[int | str, dict[str, Any]] = {413: {"model": m.Trouble, "description": "The body is too large"}}
    conflict: dict[int | str, dict[str, Any]] = {
        409: {"model": m.ReceiptOut, "description": "All of these ids are there already with another text"}
    }
    add = made.add_api_route
    add("/posts", post_posts, methods=["POST"], status_code=202, responses=too_large | conflict)
    add("/receipts/{receipt}", get_receipt, methods=["GET"], responses=missing)
    add("/cases", get_cases, methods=["GET"])
    add("/cases/{number}", get_case, methods=["GET"], responses=missing)
    add("/policy", get_policy, methods=["GET"])
    unfit: dict[int | str, dict[str, Any]] = {
        409: {
            "model": m.Trouble,
            "description": "It contradicts itself, or names an operating point that the model lacks",
        }
    }
    add("/policy", put_policy, methods=["PUT"], responses=too_large | unfit)
    add("/policy/preview", preview_policy, methods=["POST"], responses=too_large | unfit)
    add("/shadows/{name}", get_shadow, methods=["GET"])
    told: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {}}, "description": "Prometheus' text format"}
    }
    add("/metrics", get_metrics, methods=["GET"], response_class=Response, responses=told)
    return made


def _known_parameters(request: Request) -> None:
    """Refuse a query parameter that does not exist: who misspells a filter must not get everything."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    if any(name not in known for name in request.query_params):
        raise InputError(f"unknown query parameter; there are: {', '.join(known) or 'none'}")


def _needs(scope: str) -> Any:
    def checked(watch: Here, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> Key:
        with watch.engine.connect() as connection:
            key = keys.find(connection, bearer.credentials) if bearer else None
        if key is None:
            told = "send a valid key as `Authorization: Bearer KEY`; `shouwang watch add-key` makes one"
            raise HTTPException(401, told, {"WWW-Authenticate": "Bearer"})
        if wait := watch.pace.wait(key):
            told = f"key:{key.id} may ask {key.per_minute} times a minute; try again in {wait:.1f} s"
            raise HTTPException(429, told, {"Retry-After": str(int(wait) + 1)})
        if scope not in key.scopes:
            raise HTTPException(
                403, f"this key lacks the scope {scope}; `shouwang watch add-key` makes one that has it"
            )
        return key

    return Depends(checked)


async def _on_input_error(_: Request, error: Exception) -> JSONResponse:
    part = {"loc": [], "msg": str(error), "type": "value_error"}
    return JSONResponse({"detail": [part], "errors": 1}, 422)


def post_posts(
    delivery: m.Delivery, response: Response, watch: Here, key: Annotated[Key, _needs("posts:write")]
) -> m.ReceiptOut:
    """Deliver posts. They are stored for good when this answers; sending them again changes nothing."""
    with database.writing(watch.engine) as connection:
        receipt = intake.accept(
            connection, [post.incoming() for post in delivery.posts], watch.pseudonyms, key.who, watch.clock
        )
    if watch.worker:
        watch.worker.wake.set()
    if not receipt.accepted and not receipt.repeated:
        response.status_code = 409
    conflicts = [m.PostId(source=source, id=name) for source, name in receipt.conflicts]
    return m.ReceiptOut(receipt=receipt.id, accepted=receipt.accepted, repeated=receipt.repeated, conflicts=conflicts)


def get_receipt(receipt: str, watch: Here, key: Annotated[Key, _needs("posts:write")]) -> m.ProgressOut:
    """How far the posts of a delivery are."""
    with watch.engine.connect() as connection:
        found = intake.progress(connection, receipt)
    if found is None:
        raise HTTPException(404, "there is no such receipt")
    return m.ProgressOut(
        receipt=found.id,
        at=m.moment(found.at),
        accepted=found.accepted,
        repeated=found.repeated,
        conflicting=found.conflicting,
        assessed=found.assessed,
        cases=found.cases,
    )


def get_cases(
    watch: Here,
    key: Annotated[Key, _needs("cases:read")],
    state: Literal["open", "closed"] = "open",
    priority: Literal["now", "today", "watch"] | None = None,
    after: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    deidentify: Deidentify = False,
) -> m.CasePage:
    """Cases with their texts. That they were read is recorded."""
    place = _place(after) if after is not None else None
    wanted = m.PRIORITIES[priority] if priority else None
    with watch.engine.connect() as connection:
        found = queue.case_list(connection, state=state, priority=wanted, before=place, limit=limit)
    if found:
        with database.writing(watch.engine) as connection:
            acts.saw(connection, key.who, [case.id for case in found])
    following = _cursor(found[-1].place) if len(found) == limit else None
    shown = [case.deidentified() if deidentify else case for case in found]
    return m.CasePage(cases=[m.CaseOut.of(case, watch.clock()) for case in shown], next=following)


def get_case(
    number: int, watch: Here, key: Annotated[Key, _needs("cases:read")], deidentify: Deidentify = False
) -> m.CaseDetail:
    """A case with its text and what people say of it. That it was read is recorded."""
    if not 0 < number < 2**63:
        raise HTTPException(404, f"there is no case {number}")
    try:
        with database.writing(watch.engine) as connection:
            case = queue.case(connection, number)
            ratings = queue.ratings(connection, number)
            acts.saw(connection, key.who, [number])
    except queue.NoCaseError:
        raise HTTPException(404, f"there is no case {number}") from None
    told = [
        m.RatingOut(who=each.who, level=each.level, high=each.high, second=each.second, at=m.moment(each.at))
        for each in ratings
    ]
    case = case.deidentified() if deidentify else case
    return m.CaseDetail(**m.CaseOut.of(case, watch.clock()).model_dump(), ratings=told)


def get_policy(watch: Here, key: Annotated[Key, _needs("policy:read")]) -> m.PolicyOut:
    """The policy in force."""
    with watch.engine.connect() as connection:
        held = policies.current(connection, default=watch.default)
    return m.PolicyOut(number=held.id, policy=m.PolicyIn(**held.policy.to_json()))


def put_policy(wanted: m.PolicyIn, watch: Here, key: Annotated[Key, _needs("policy:write")]) -> m.PolicyOut:
    """Put a policy into force for what is assessed from now on."""
    with _fitting(), database.writing(watch.engine) as connection:
        now = watch.clock()
        policies.resolved(connection, wanted.policy(), watch.points, now)  # refuses a point that the model lacks
        number = policies.set_policy(connection, wanted.policy(), key.who, now)
    return m.PolicyOut(number=number, policy=wanted)


def preview_policy(wanted: m.PolicyIn, watch: Here, key: Annotated[Key, _needs("policy:read")]) -> m.PreviewOut:
    """What a policy would have made of recent posts. Changes nothing."""
    with _fitting(), watch.engine.connect() as connection:
        found = policies.look_ahead(connection, wanted.policy(), watch.points, watch.clock(), watch.default)
    return m.PreviewOut.of(found)


@contextmanager
def _fitting() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise HTTPException(409, str(error)) from None


def get_shadow(
    name: str,
    watch: Here,
    key: Annotated[Key, _needs("policy:read")],
    days: Annotated[float, Query(gt=0, le=3650)] = 7.0,
) -> m.ShadowOut:
    """How the shadow of that name compares with what is in force; no posts where there is none."""
    with watch.engine.connect() as connection:
        found = policies.differences(connection, name.replace("\x00", ""), watch.clock() - days * 86_400)

    def named(number: int) -> str:
        return m.name_of(Priority(number) if number else None) or "none"

    return m.ShadowOut(
        name=name,
        posts=found.posts,
        differ=found.differ,
        pairs={f"{named(live)}/{named(shadow)}": n for (live, shadow), n in found.pairs.items()},
        differing=[
            m.ChangeOut(post=c.post, before=m.name_of(c.before), after=m.name_of(c.after)) for c in found.differing
        ],
    )


def get_metrics(watch: Here, key: Annotated[Key, _needs("metrics:read")]) -> Response:
    """Counts and times for Prometheus; no text, no name, no id."""
    return Response(watch.metrics.page(), media_type=CONTENT_TYPE_LATEST)


def _cursor(place: queue.Place) -> str:
    return "~".join((str(int(place.priority)), repr(place.opened_at), str(place.id)))


def _place(cursor: str) -> queue.Place:
    priority, opened_at, number = cursor.split("~")
    return queue.Place(int(priority), float(opened_at), int(number))
