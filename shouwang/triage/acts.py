"""What people do with cases, written together with its event in the ledger.

Every function takes the connection of `database.writing(engine)`. `who` is an id such as "user:3"; `now` is `time.time()`.
What cannot be done raises `TakenError`, `ClosedError`, `queue.NoCaseError` or `InputError`, all of them `ShouwangError`s
that say what to do.

    claim(connection, number, who, now, lease=LEASE) -> float (until when)
    release(connection, number, who, now)                    note(connection, number, who, now, text)
    rate(connection, number, who, now, level, high)          close(connection, number, who, now, outcome)
    hand_over(connection, number, who, now, to)              ask_second(connection, number, who, now)
    reopen(connection, number, who, now)                     saw(connection, who, numbers)
    expire(connection, now) -> list[int]                     open_by_hand(connection, post, who, now) -> int
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from shouwang import ledger, lookup
from shouwang.errors import InputError, ShouwangError
from shouwang.language import Words, say
from shouwang.scale import level as level_of
from shouwang.triage import tables
from shouwang.triage.policy import Priority, Reason
from shouwang.triage.queue import NoCaseError
from shouwang.triage.tables import cases, posts

LEASE = 15 * 60.0
"""Seconds for which a claim holds unless it is renewed: whoever acts on a case renews it."""

LONGEST_NOTE = 10_000  # characters
OUTCOMES: dict[str, Words] = {
    "reached-out": Words("reached out", "已主动联系"),
    "referred": Words("referred", "已转介"),
    "emergency": Words("emergency services", "已联系急救或警方"),
    "not-at-risk": Words("not at risk", "无风险"),
    "not-reached": Words("could not reach", "联系不上"),
}


class TakenError(ShouwangError):
    """Somebody else holds the case: `by`, `until`."""

    def __init__(self, number: int, by: str, until: float) -> None:
        at = time.strftime("%H:%M", time.localtime(until))
        super().__init__(
            say(
                f"Case {number} is held by somebody else ({by}) until {at}; take another one, or ask for it.",
                f"个案 {number} 正由他人（{by}）处理，至 {at}；请处理另一个，或请对方移交。",
            )
        )
        self.by, self.until = by, until


class ClosedError(ShouwangError):
    """The case is closed."""

    def __init__(self, number: int) -> None:
        super().__init__(say(f"Case {number} is closed; reopen it first.", f"个案 {number} 已结案；请先重新打开。"))


def claim(connection: Connection, number: int, who: str, now: float, lease: float = LEASE) -> float:
    """Hold a case that nobody holds, or hold one's own for longer; until when. Of two people one wins.

    Raises TakenError, ClosedError or NoCaseError.
    """
    _hold(connection, number, who, now, lease)
    return now + lease


def release(connection: Connection, number: int, who: str, now: float) -> None:
    """Let a case go that one holds."""
    _hold(connection, number, who, now)
    _set(connection, number, assignee=None, lease_until=0.0)
    ledger.append(connection, who, "released", f"case:{number}")


def rate(connection: Connection, number: int, who: str, now: float, level: int, high: bool) -> None:
    """What `who` says of the case; once more replaces it (the ledger keeps both).

    Where somebody else asked for a second opinion it is that, and needs no claim.
    """
    level_of(level)
    found = _locked(connection, number)
    second = found.second_by is not None and found.second_by != who
    if second:
        _set(connection, number, second_by=None)
        _renew(connection, number, who, now, found)
    else:
        _hold(connection, number, who, now)
    table = tables.ratings
    values = {"level": level, "high": high, "second": second, "at": now}
    mine = and_(table.c.case == number, table.c.who == who)
    if not connection.execute(update(table).where(mine).values(values)).rowcount:
        connection.execute(insert(table), values | {"case": number, "who": who})
    ledger.append(connection, who, "rated", f"case:{number}", level=level, high=high, second=second)


def close(connection: Connection, number: int, who: str, now: float, outcome: str) -> None:
    """Close a case with one of `OUTCOMES`."""
    lookup.get(OUTCOMES, outcome, "outcome")
    _hold(connection, number, who, now)
    ended = {"state": "closed", "outcome": outcome, "closed_at": now, "closed_by": who}
    _set(connection, number, **ended, assignee=None, lease_until=0.0, second_by=None)
    ledger.append(connection, who, "closed", f"case:{number}", outcome=outcome)


def reopen(connection: Connection, number: int, who: str, now: float) -> None:
    """Open a closed case again, held by nobody; it stands where a new one would, not behind all that came since."""
    found = _locked(connection, number)
    if found.state == "open":
        return
    again = {
        "state": "open",
        "opened_at": now,
        "claimed_at": None,
        "outcome": None,
        "closed_at": None,
        "closed_by": None,
    }
    _set(connection, number, **again)
    ledger.append(connection, who, "reopened", f"case:{number}")


def note(connection: Connection, number: int, who: str, now: float, text: str) -> None:
    """Write something down about a case; the ledger keeps that, not what. Needs no claim, and renews one's own."""
    text = text.replace("\x00", "").strip()
    if not 0 < len(text) <= LONGEST_NOTE:
        raise InputError(say(f"a note has 1 to {LONGEST_NOTE} characters", f"备注应为 1–{LONGEST_NOTE} 个字符"))
    _renew(connection, number, who, now, _locked(connection, number))
    connection.execute(insert(tables.notes), {"case": number, "who": who, "at": now, "text": text})
    ledger.append(connection, who, "noted", f"case:{number}", characters=len(text))


def hand_over(connection: Connection, number: int, who: str, now: float, to: str, lease: float = LEASE) -> None:
    """Give a case that one holds to another person, who then holds it."""
    _hold(connection, number, who, now)
    _set(connection, number, assignee=to, lease_until=now + lease)
    ledger.append(connection, who, "handed-over", f"case:{number}", to=to, until=now + lease)


def ask_second(connection: Connection, number: int, who: str, now: float) -> None:
    """Ask for another person's rating of a case that one holds."""
    _hold(connection, number, who, now)
    _set(connection, number, second_by=who)
    ledger.append(connection, who, "asked-second", f"case:{number}")


def saw(connection: Connection, who: str, numbers: Sequence[int]) -> None:
    """Record that `who` was shown these cases."""
    subject = f"case:{numbers[0]}" if len(numbers) == 1 else "cases"
    ledger.append(connection, who, "saw", subject, **({} if len(numbers) == 1 else {"cases": list(numbers)}))


def expire(connection: Connection, now: float) -> list[int]:
    """Let go of every case whose lease has run out, or is longer than one is: the clock was set back. Their numbers."""
    over = or_(cases.c.lease_until <= now, cases.c.lease_until > now + LEASE)
    ran_out = and_(cases.c.state == "open", cases.c.assignee.is_not(None), over)
    before = connection.execute(select(cases.c.id, cases.c.assignee).where(ran_out).with_for_update()).all()
    numbers = [row.id for row in before]
    if numbers:
        freed = update(cases).where(cases.c.id.in_(numbers)).values(assignee=None, lease_until=0.0)
        connection.execute(freed)
        ledger.append_all(
            connection,
            [ledger.Event("worker", "lease-ran-out", f"case:{row.id}", {"of": row.assignee}) for row in before],
        )
    return numbers


def open_by_hand(connection: Connection, post: int, who: str, now: float) -> int:
    """The case of a post, opened for today where there is none: a person sees what the policy did not. Its number."""
    known = connection.execute(select(cases.c.id).where(cases.c.post == post)).scalar_one_or_none()
    if known is not None:
        return int(known)
    author = connection.execute(select(posts.c.id, posts.c.author).where(posts.c.id == post)).one_or_none()
    if author is None:
        raise InputError(say(f"there is no post {post}; it may have been erased", f"没有帖子 {post}，可能已被删除"))
    values = new_case(post, author.author, Priority.TODAY, [Reason("by-hand", 0.0)], policy=0, now=now)
    number = int(connection.execute(insert(cases).returning(cases.c.id), values).scalar_one())
    ledger.append(connection, who, "opened", f"case:{number}", post=post)
    return number


def new_case(
    post: int, author: int | None, priority: Priority, reasons: Sequence[Reason], *, policy: int, now: float
) -> dict[str, Any]:
    """The row of a new case."""
    return {
        "post": post,
        "author": author,
        "priority": int(priority),
        "reasons": [list(reason) for reason in reasons],
        "policy": policy,
        "opened_at": now,
        "state": "open",
        "lease_until": 0.0,
    }


def _hold(connection: Connection, number: int, who: str, now: float, lease: float = LEASE) -> None:
    """Take a case, or keep one's own, in one statement, so that of two people one wins."""
    free = or_(cases.c.assignee.is_(None), cases.c.assignee == who, cases.c.lease_until <= now)
    before = _locked(connection, number)
    taken = (
        update(cases)
        .where(cases.c.id == number, cases.c.state == "open", free)
        .values(assignee=who, lease_until=now + lease, claimed_at=func.coalesce(cases.c.claimed_at, now))
        .returning(cases.c.id)
    )
    if connection.execute(taken).one_or_none() is None:
        if before.state != "open":
            raise ClosedError(number)
        raise TakenError(number, before.assignee, before.lease_until)
    if before.assignee != who or before.lease_until <= now:
        ledger.append(connection, who, "claimed", f"case:{number}", until=now + lease)


def _renew(connection: Connection, number: int, who: str, now: float, found: _Hold) -> None:
    """Keep for longer what one holds; whoever holds nothing may act without."""
    if found.assignee == who and found.lease_until > now:
        _set(connection, number, lease_until=now + LEASE)


class _Hold(NamedTuple):
    state: str
    assignee: str
    lease_until: float
    second_by: str | None


def _locked(connection: Connection, number: int) -> _Hold:
    query = select(cases.c.state, cases.c.assignee, cases.c.lease_until, cases.c.second_by)
    row = connection.execute(query.where(cases.c.id == number).with_for_update()).one_or_none()
    if row is None:
        raise NoCaseError(number)
    return _Hold(*row)


def _set(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(cases).where(cases.c.id == number).values(values))
