"""The policy in force, kept with who set it and when; what a change would do; how a shadow compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, text, update

from shouwang import ledger, lookup
from shouwang.posts import Assessment
from shouwang.triage import acts, intake
from shouwang.triage.policy import Change, Decision, Policy, Preview, Priority, decide, for_capacity, preview
from shouwang.triage.tables import assessments, cases, policies, posts, shadows

RECENT_DAYS, RECENT_POSTS = 7.0, 5_000
HOUR = 3_600.0
LOCK = ledger.LOCK + 1  # the advisory lock of PostgreSQL: whoever sets a policy has it alone


class Held(NamedTuple):
    """A policy and its number (0: nobody has set one yet)."""

    id: int
    policy: Policy


class Recent(NamedTuple):
    """Assessments of the last days, newest first: (post, assessment, lot for spot checks); the days that they span."""

    posts: list[tuple[int, Assessment, float]]
    days: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How a shadow compares: posts by (live, shadow) priority, 0 for no case; the newest ones that differ."""

    name: str
    posts: int
    pairs: Mapping[tuple[int, int], int]
    differing: tuple[Change, ...]

    @property
    def differ(self) -> int:
        return sum(n for (live, shadow), n in self.pairs.items() if live != shadow)


def current(connection: Connection, default: Policy | None = None) -> Held:
    """The newest policy; the default where none was ever set."""
    newest = select(policies.c.id, policies.c.data)
    row = connection.execute(newest.order_by(policies.c.id.desc()).limit(1)).one_or_none()
    return Held(row.id, Policy.from_json(row.data)) if row else Held(0, default or Policy())


def hold(connection: Connection) -> None:
    """Until the transaction ends the policy in force stays it, on PostgreSQL too, where others write meanwhile."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOCK})


def resolved(connection: Connection, policy: Policy, points: Mapping[str, float], now: float) -> Policy:
    """The policy with the threshold that its basis stands for: an operating point's, or what capacity allows.

    `points` are the model's thresholds on p_high by name. Raises InputError for a point that it does not state.
    """
    if policy.basis == "threshold":
        return policy
    if policy.basis == "capacity":
        found = recent(connection, now)
        return for_capacity(policy, [assessment for _, assessment, _ in found.posts], found.days)
    high = lookup.get(points, policy.basis, "operating point")
    return Policy.from_json(policy.to_json() | {"high": high})


def fitting(policy: Policy, points: Mapping[str, float], default: Policy) -> Policy:
    """The policy; where it names an operating point that this model lacks, the same at the default's threshold.

    It was set with another model, and posts must not wait for somebody to notice.
    """
    known = policy.basis in ("threshold", "capacity") or policy.basis in points
    return policy if known else replace(policy, basis="threshold", high=default.high)


def set_policy(connection: Connection, policy: Policy, who: str, now: float) -> int:
    """Put a policy into force for what is assessed from now on; its number.

    Commit before `catch_up`: that waits for whoever is changing a case, and they would wait for the ledger.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    row = {"at": now, "who": who, "data": policy.to_json()}
    number = int(connection.execute(insert(policies).returning(policies.c.id), row).scalar_one())
    ledger.append(connection, who, "set-policy", f"policy:{number}", **policy.to_json())
    return number


def look_ahead(
    connection: Connection, policy: Policy, points: Mapping[str, float], now: float, default: Policy | None = None
) -> Preview:
    """What that policy would have made of recent posts, beside the one in force. Changes nothing."""
    found = recent(connection, now)
    held = fitting(current(connection, default=default).policy, points, default or Policy())
    live = resolved(connection, held, points, now)
    return preview(found.posts, found.days, live, resolved(connection, policy, points, now))


def catch_up(connection: Connection, held: Held, who: str, now: float) -> int:
    """Open the cases that the policy makes of recent posts, and raise open ones that it puts higher; how many.

    No case is lowered or closed: people may have seen it as it was.
    """
    decided = {post: decide(assessment, held.policy, lot) for post, assessment, lot in recent(connection, now).posts}
    wanted = {post: decision for post, decision in decided.items() if decision.priority is not None}
    columns = (cases.c.id, cases.c.post, cases.c.state, cases.c.priority)
    known = {row.post: row for row in connection.execute(select(*columns).where(cases.c.post.in_(wanted)))}
    opened = _opened(connection, {post: it for post, it in wanted.items() if post not in known}, held, now)
    events = [ledger.Event(who, "opened", f"case:{case}", {"post": post}) for case, post in opened]
    for post, row in known.items():
        priority, reasons = wanted[post]
        if row.state == "open" and priority is not None and priority > row.priority:
            values = {"priority": int(priority), "reasons": [list(each) for each in reasons], "policy": held.id}
            connection.execute(update(cases).where(cases.c.id == row.id).values(values))
            events.append(ledger.Event(who, "raised", f"case:{row.id}", {"priority": int(priority)}))
    if events:
        ledger.append_all(
            connection, [*events, ledger.Event(who, "caught-up", f"policy:{held.id}", {"cases": len(events)})]
        )
    return len(events)


def _opened(connection: Connection, wanted: Mapping[int, Decision], held: Held, now: float) -> list[tuple[int, int]]:
    """New cases of these posts, as (case, post)."""
    found = connection.execute(select(posts.c.id, posts.c.author).where(posts.c.id.in_(wanted)))
    rows = [
        acts.new_case(row.id, row.author, decision.priority, decision.reasons, policy=held.id, now=now)
        for row in found
        if (decision := wanted[row.id]).priority is not None
    ]
    if not rows:
        return []
    made = connection.execute(insert(cases).returning(cases.c.id, cases.c.post), rows)
    return sorted((row.id, row.post) for row in made)


def recent(connection: Connection, now: float, days: float = RECENT_DAYS, most: int = RECENT_POSTS) -> Recent:
    """The assessments of the last `days` days: all of them, or the newest `most`."""
    query = (
        select(assessments.c.post, assessments.c.at, assessments.c.row, posts.c.fingerprint)
        .join(posts, posts.c.id == assessments.c.post)
        .where(assessments.c.at >= now - days * 24 * HOUR)
        .order_by(assessments.c.at.desc())
        .limit(most)
    )
    rows = connection.execute(query).all()
    span = max(HOUR, now - rows[-1].at) if rows else 0.0
    found = [
        (row.post, Assessment.from_row(row.row | {"id": str(row.post)}), intake.draw(row.fingerprint)) for row in rows
    ]
    return Recent(found, span / 24 / HOUR)


def differences(connection: Connection, name: str, since: float, most: int = 50) -> Difference:
    """How the shadow of that name compares with what was in force, for posts assessed from `since` on."""
    mine = (shadows.c.name == name) & (shadows.c.at >= since)
    pair = (shadows.c.live_priority, shadows.c.priority)
    counted = connection.execute(select(*pair, func.count()).where(mine).group_by(*pair)).all()
    newest = select(shadows.c.post, *pair).where(mine, pair[0] != pair[1]).order_by(shadows.c.at.desc()).limit(most)
    changes = tuple(Change(row[0], _priority(row[1]), _priority(row[2])) for row in connection.execute(newest))
    pairs = Counter({(row[0], row[1]): row[2] for row in counted})
    return Difference(name, pairs.total(), pairs, changes)


def shadow_names(connection: Connection) -> Sequence[str]:
    """Every shadow that has results."""
    return list(connection.execute(select(shadows.c.name).distinct().order_by(shadows.c.name)).scalars())


def _priority(number: int) -> Priority | None:
    return Priority(number) if number else None
