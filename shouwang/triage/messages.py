"""What the API takes and gives, as its OpenAPI description states it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shouwang.triage import queue
from shouwang.triage.intake import LONGEST_NAME, LONGEST_TEXT, MOST_AT_ONCE, VISIBLE, Incoming
from shouwang.triage.policy import PRIORITY_NAMES, Policy, Preview, Priority

PRIORITIES = {words.en: priority for priority, words in PRIORITY_NAMES.items()}


def _a_text(value: object) -> object:
    """Numbers would pass for times too, and nobody would know in which unit."""
    if not isinstance(value, str):
        raise ValueError("a date and time with its zone is expected, such as 2026-03-01T08:30:00+08:00")
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=VISIBLE)]
Moment = Annotated[AwareDatetime, BeforeValidator(_a_text)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PostIn(Strict):
    """A post as its source gives it. `author` is the source's name for who wrote it; it is kept as a keyed hash only."""

    source: Name = Field(examples=["weibo"])
    id: Name = Field(examples=["4980000000000001"])
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=VISIBLE)] = Field(
        examples=["今天又下雨了"]
    )
    author: Name | None = None
    posted_at: Moment | None = None

    def incoming(self) -> Incoming:
        posted_at = None if self.posted_at is None else self.posted_at.timestamp()
        return Incoming(self.source, self.id, self.text, self.author, posted_at)


class Delivery(Strict):
    """Up to 1,000 posts."""

    posts: Annotated[list[PostIn], Field(min_length=1, max_length=MOST_AT_ONCE)]


class PostId(BaseModel):
    source: str
    id: str


class ReceiptOut(BaseModel):
    """What became of a delivery. `conflicts`: there already with another text; the text that came first stays."""

    receipt: str
    accepted: int
    repeated: int
    conflicts: list[PostId]


class ProgressOut(BaseModel):
    """How far the posts of a receipt are; `cases` of them became cases."""

    receipt: str
    at: datetime
    accepted: int
    repeated: int
    conflicting: int
    assessed: int
    cases: int


class ReasonOut(BaseModel):
    name: str
    score: float


class CaseOut(BaseModel):
    """A case. `author` is a pseudonym; `assessment` is as `shouwang assess` writes it, None where assessing failed."""

    id: int
    post: PostId
    author: str | None
    text: str
    posted_at: datetime | None
    received_at: datetime
    opened_at: datetime
    priority: str
    reasons: list[ReasonOut]
    state: str
    assignee: str | None
    lease_until: datetime | None
    outcome: str | None
    closed_at: datetime | None
    assessment: dict[str, Any] | None

    @classmethod
    def of(cls, case: queue.Case, now: float) -> CaseOut:
        held = case.held_by(now)
        return cls(
            id=case.id,
            post=PostId(source=case.source, id=case.external_id),
            author=case.code,
            text=case.text,
            posted_at=moment(case.posted_at),
            received_at=moment(case.received_at),
            opened_at=moment(case.opened_at),
            priority=PRIORITY_NAMES[case.priority].en,
            reasons=[ReasonOut(name=reason.name, score=reason.score) for reason in case.reasons],
            state=case.state,
            assignee=held,
            lease_until=moment(case.lease_until) if held else None,
            outcome=case.outcome,
            closed_at=moment(case.closed_at),
            assessment=case.assessment.to_row() if case.assessment else None,
        )


class RatingOut(BaseModel):
    who: str
    level: int
    high: bool
    second: bool
    at: datetime


class CaseDetail(CaseOut):
    """A case with what people say of it."""

    ratings: list[RatingOut]


class CasePage(BaseModel):
    """Cases, most urgent first, then newest first; `next` is the cursor of the following page, None on the last."""

    cases: list[CaseOut]
    next: str | None


class PolicyIn(Strict):
    """A policy, whole: what is left out is as in a new one. See `GET /policy` for the one in force."""

    basis: str = Field("threshold", description='"threshold", "capacity" or the name of an operating point')
    high: float = Field(0.5, ge=0, le=1)
    per_day: int | None = Field(None, ge=1)
    imminent_level: int = Field(8, ge=1, le=10)
    imminent: float = Field(0.3, ge=0, le=1)
    wish_level: int = Field(4, ge=1, le=10)
    wish: float | None = Field(0.5, ge=0, le=1)
    unreadable: bool = False
    spot_check: float = Field(0.0, ge=0, le=1)

    def policy(self) -> Policy:
        return Policy(**self.model_dump())


class PolicyOut(BaseModel):
    """The policy in force; `number` is 0 until one is set."""

    number: int
    policy: PolicyIn


class ChangeOut(BaseModel):
    post: int
    before: str | None
    after: str | None


class PreviewOut(BaseModel):
    """What a policy would have made of recent posts beside the one in force; counts by priority, "none" for no case."""

    posts: int
    days: float
    before: dict[str, int]
    after: dict[str, int]
    cases_a_day_before: float | None
    cases_a_day_after: float | None
    changed: int
    changes: list[ChangeOut]

    @classmethod
    def of(cls, preview: Preview) -> PreviewOut:
        return cls(
            posts=preview.posts,
            days=preview.days,
            before={name_of(priority) or "none": n for priority, n in preview.before.items()},
            after={name_of(priority) or "none": n for priority, n in preview.after.items()},
            cases_a_day_before=preview.per_day(preview.before) if preview.posts else None,
            cases_a_day_after=preview.per_day(preview.after) if preview.posts else None,
            changed=preview.changed,
            changes=[ChangeOut(post=c.post, before=name_of(c.before), after=name_of(c.after)) for c in preview.changes],
        )


class ShadowOut(BaseModel):
    """How a shadow compares with what is in force: `pairs` counts posts by "live/shadow" priority."""

    name: str
    posts: int
    differ: int
    pairs: dict[str, int]
    differing: list[ChangeOut]


class Trouble(BaseModel):
    """What is wrong and what to do; never what was sent."""

    detail: str


class InvalidPart(BaseModel):
    loc: list[str | int]
    msg: str
    type: str


class Invalid(BaseModel):
    """Where the request is not as described; the first 20 of `errors` places."""

    detail: list[InvalidPart]
    errors: int


def moment(seconds: float | None) -> Any:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def name_of(priority: Priority | None) -> str | None:
    return None if priority is None else PRIORITY_NAMES[priority].en
