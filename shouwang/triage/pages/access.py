"""Who may see what, and what every page of the watch stands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Path
from sqlalchemy import Engine

from shouwang.language import Words, say
from shouwang.triage.policy import Policy
from shouwang.web.site import Site
from shouwang.web.visitor import Visitor, needs

ROLES: dict[str, Words] = {
    "admin": Words("admin", "管理员"),
    "lead": Words("lead", "组长"),
    "responder": Words("responder", "值守员"),
    "auditor": Words("auditor", "审计员"),
}
READERS = ("responder", "lead")  # who may read posts
WATCHERS = ("lead", "auditor", "admin")  # who may see figures and the audit trail, without any text

Reader = Annotated[Visitor, Depends(needs(*READERS))]
Poll = Annotated[Visitor, Depends(needs(*READERS, quiet=True))]
Lead = Annotated[Visitor, Depends(needs("lead"))]
Watcher = Annotated[Visitor, Depends(needs(*WATCHERS))]
Number = Annotated[int, Path(ge=1, lt=2**31)]
Admin = Annotated[Visitor, Depends(needs("admin"))]

LINKS: tuple[tuple[str, Words, tuple[str, ...], str], ...] = (
    ("/queue", Words("Queue", "队列"), READERS, "q"),
    ("/overview", Words("Overview", "总览"), WATCHERS, "o"),
    ("/policy", Words("Policy", "策略"), ("lead", "admin"), "r"),
    ("/shadow", Words("Shadow", "影子对比"), ("lead", "admin"), "s"),
    ("/audit", Words("Audit", "审计"), WATCHERS, "a"),
    ("/keys", Words("API keys", "API 密钥"), ("admin",), "k"),
)


Stated = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Watch:
    """What the pages read and write; `points` are the model's thresholds by name, `default` the policy until one is set.

    `stated` holds, by the same names, what the model card says: the shares (0–1) of everyday, of low and of high posts
    that reach the threshold; None where unknown.
    """

    engine: Engine
    clock: Callable[[], float]
    points: Mapping[str, float] = field(default_factory=dict)
    default: Policy = field(default_factory=Policy)
    stated: Mapping[str, Stated] = field(default_factory=dict)


def watch_of(visitor: Visitor) -> Watch:
    return cast(Watch, visitor.request.app.state.pages)


def names(site: Site) -> Callable[[str | None], str]:
    """What to call whoever the ledger names: "user:3" by name, the rest by what it is."""
    known = {user.actor: user.name for user in site.accounts.everyone()}

    def name(who: str | None) -> str:
        if not who:
            return say("nobody", "无人")
        if who == "worker":
            return say("the service", "服务")
        return known.get(who, who)

    return name
