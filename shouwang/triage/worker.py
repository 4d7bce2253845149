"""Assesses what waits: each post once, and what comes of it (assessment, case, event) in one transaction.

A batch is taken for a while, assessed outside any transaction, and written back. A worker that is killed loses nothing:
what it had taken is taken again when its time is over. A post with which assessing fails again and again becomes a case
of its own, for a person to read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from shouwang import database, ledger
from shouwang.posts import Assessment, Post
from shouwang.triage import acts, intake, policies, retention
from shouwang.triage.policy import Decision, Policy, Priority, Reason, decide
from shouwang.triage.tables import assessments, cases, posts, shadows

Assess = Callable[[Iterable[Post]], Iterator[Assessment]]

log = logging.getLogger("shouwang.worker")

BATCH = 32  # posts
TAKEN_FOR = 60.0  # seconds
ALONE_FROM, GIVEN_UP_AFTER = 3, 5  # attempts
RETRY = 5.0  # seconds until the second attempt, four times as long until each further one
LONGEST_TAKEN = RETRY * 4 ** (GIVEN_UP_AFTER - 2)
IDLE = 0.25  # seconds between looks at an empty queue
REFRESH = 600.0  # seconds after which a threshold by capacity is set anew
TIDY = 15.0  # seconds between looks for leases that ran out, and while there are posts to remove
REMOVE = 3_600.0  # seconds between looks for posts whose time is over
LONGEST_PAUSE = 10.0  # seconds after an error


class Taken(NamedTuple):
    """A post that a worker has taken, for the how-manieth time."""

    id: int
    author: int | None
    text: str
    fingerprint: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """A second model or policy beside the first; what is None is as in the first. Nobody is shown its cases."""

    name: str
    assess: Assess | None = None
    policy: Policy | None = None


@dataclass(slots=True)
class Worker:
    """One worker on one database; `points` are the model's thresholds by name, `default` the policy until one is set.

    `assessed` counts the posts that it has assessed.
    """

    engine: Engine
    assess: Assess
    points: Mapping[str, float] = field(default_factory=dict)
    default: Policy = field(default_factory=Policy)
    shadow: Shadow | None = None
    clock: Callable[[], float] = time.time
    batch: int = BATCH
    wake: Event = field(default_factory=Event)
    assessed: int = 0
    _held: policies.Held | None = None
    _resolved_at: float = 0.0
    _tidied_at: float = 0.0
    _removed_at: float = 0.0

    def run(self, stop: Event) -> None:
        """Work until told to stop; a batch that is begun is finished. Set `wake` when posts have come."""
        pause, begins = 0.0, True
        while not stop.is_set():
            try:
                if begins and self.engine.dialect.name == "sqlite":
                    self._again_at_once()
                begins = False
                self.tidy()
                idle = self.step() == 0
                pause = 0.0
            except Exception as error:  # the database is gone or full: it may be back; what waits is kept
                pause = min(LONGEST_PAUSE, 2 * pause + IDLE)
                log.error("%s: nothing assessed; trying again in %.1f s", _kind(error), pause)
                stop.wait(pause)
                continue
            if idle:
                self.wake.wait(IDLE)
                self.wake.clear()

    def step(self) -> int:
        """Take a batch, assess it, write it back; how many posts were dealt with (0: none waits)."""
        with database.writing(self.engine) as connection:
            taken = self._take(connection)
        if not taken:
            return 0
        found, failed = self._assessed(taken)
        with database.writing(self.engine) as connection:
            policies.hold(connection)
            held = self._policy(connection)  # now: what was set meanwhile has caught up without these posts
            written = self._write(connection, taken, found, failed, held)
        self.assessed += len(written)
        if self.shadow and written:
            self._cast(self.shadow, [row for row in taken if row.id in written], found, held)
        return len(found) + len(failed)

    def tidy(self) -> None:
        """Now and then, let go of cases whose lease has run out and remove posts whose time is over."""
        now = self.clock()
        if 0 <= now - self._tidied_at < TIDY:  # below 0: the clock was set back
            return
        self._tidied_at = now
        with database.writing(self.engine) as connection:
            acts.expire(connection, now)
        if not 0 <= now - self._removed_at < REMOVE:
            with database.writing(self.engine) as connection:
                removed = retention.remove(connection, now)
            if removed.posts < retention.AT_ONCE:
                database.forget_deleted(self.engine)  # each time: an author may have been erased
                self._removed_at = now

    # --- taking -----------------------------------------------------------------------------------------------------

    def _take(self, connection: Connection) -> Sequence[Taken]:
        """The next posts that nobody works on; one alone where assessing it has failed before."""
        now = self.clock()
        over = (posts.c.taken_until <= now) | (posts.c.taken_until > now + LONGEST_TAKEN)  # the clock was set back
        free = posts.c.assessed_at.is_(None) & over
        query = select(posts.c.id, posts.c.attempts).where(free).order_by(posts.c.id).limit(self.batch)
        waiting = connection.execute(query.with_for_update(skip_locked=True)).all()
        if not waiting:
            return []
        well = [row.id for row in waiting if row.attempts < ALONE_FROM]
        numbers = well if waiting[0].id in well else [waiting[0].id]
        mark = {"taken_until": now + TAKEN_FOR, "attempts": posts.c.attempts + 1}
        connection.execute(update(posts).where(posts.c.id.in_(numbers)).values(mark))
        columns = (posts.c[name] for name in Taken._fields)
        rows = connection.execute(select(*columns).where(posts.c.id.in_(numbers)).order_by(posts.c.id))
        return [Taken(*row) for row in rows]

    def _again_at_once(self) -> None:
        """A SQLite file has one worker: what its predecessor had taken is free."""
        with database.writing(self.engine) as connection:
            connection.execute(update(posts).where(posts.c.assessed_at.is_(None)).values(taken_until=0.0))

    def _policy(self, connection: Connection) -> policies.Held:
        """The policy in force; a threshold that depends on recent posts is kept for a while."""
        held = policies.current(connection, default=self.default)
        old = not 0 <= self.clock() - self._resolved_at < REFRESH
        if self._held is None or self._held.id != held.id or (held.policy.basis == "capacity" and old):
            now = self._resolved_at = self.clock()
            policy = policies.fitting(held.policy, self.points, self.default)
            if policy != held.policy:
                told = "policy %d stands at '%s', which this model lacks: its own threshold holds; set another policy"
                log.error(told, held.id, held.policy.basis)
            self._held = held._replace(policy=policies.resolved(connection, policy, self.points, now))
        return self._held

    # --- assessing --------------------------------------------------------------------------------------------------

    def _assessed(self, taken: Sequence[Taken]) -> tuple[dict[int, Assessment], dict[int, str]]:
        """By post, what the model says, or the kind of error with which it was given up. The rest is tried again."""
        given_up = [row for row in taken if row.attempts > GIVEN_UP_AFTER]  # they took the whole worker with them
        failed = {row.id: "Killed" for row in given_up}
        rest = [row for row in taken if row.id not in failed]
        try:
            return self._all(rest), failed
        except Exception as error:
            log.error("%s on a batch of %d posts; trying them one by one", _kind(error), len(rest))
        found: dict[int, Assessment] = {}
        for row in rest:
            try:
                found |= self._all([row])
            except Exception as error:
                log.error("%s on post %d, attempt %d", _kind(error), row.id, row.attempts)
                if row.attempts >= GIVEN_UP_AFTER:
                    failed[row.id] = _kind(error)
        return found, failed

    def _all(self, rows: Sequence[Taken]) -> dict[int, Assessment]:
        return _by_number(self.assess, rows)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write(
        self,
        connection: Connection,
        taken: Sequence[Taken],
        found: Mapping[int, Assessment],
        failed: Mapping[int, str],
        held: policies.Held,
    ) -> set[int]:
        """Everything that comes of a batch, but for posts that another worker was quicker with or that were erased."""
        now = self.clock()
        waiting = select(posts.c.id).where(posts.c.id.in_([*found, *failed]), posts.c.assessed_at.is_(None))
        mine = set(connection.execute(waiting.order_by(posts.c.id).with_for_update()).scalars())
        for row in taken:
            if row.id not in found and row.id not in failed:
                again = now + RETRY * 4 ** (row.attempts - 1)
                connection.execute(update(posts).where(posts.c.id == row.id).values(taken_until=again))
        if not mine:
            return mine
        connection.execute(update(posts).where(posts.c.id.in_(mine)).values(assessed_at=now))
        for number in mine & failed.keys():
            connection.execute(update(posts).where(posts.c.id == number).values(failed=failed[number]))
        rows = [_row(number, found[number], now) for number in sorted(mine & found.keys())]
        if rows:
            connection.execute(insert(assessments), rows)
        self._open_cases(connection, [row for row in taken if row.id in mine], found, held, now)
        return mine

    def _open_cases(
        self,
        connection: Connection,
        rows: Sequence[Taken],
        found: Mapping[int, Assessment],
        held: policies.Held,
        now: float,
    ) -> None:
        events = []
        for row in rows:
            decision = _decision(row, found.get(row.id), held.policy)
            if decision.priority is None:
                continue
            values = acts.new_case(row.id, row.author, decision.priority, decision.reasons, policy=held.id, now=now)
            made = connection.execute(
                intake.insert_new(connection, cases)
                .values(values)
                .on_conflict_do_nothing(index_elements=["post"])
                .returning(cases.c.id)
            ).scalar_one_or_none()
            if made is not None:
                told = {"post": row.id, "priority": int(decision.priority), "policy": held.id}
                events.append(ledger.Event("worker", "opened", f"case:{made}", told))
        models = sorted({found[row.id].model for row in rows if row.id in found})
        done = {"posts": len(rows), "first": rows[0].id, "last": rows[-1].id, "models": models}
        ledger.append_all(connection, [ledger.Event("worker", "assessed", "posts", done), *events])

    # --- the shadow -------------------------------------------------------------------------------------------------

    def _cast(self, shadow: Shadow, rows: Sequence[Taken], live: Mapping[int, Assessment], held: policies.Held) -> None:
        """Store what the shadow makes of the same posts; whatever goes wrong with it does not touch the watch."""
        rows = [row for row in rows if row.id in live]
        try:
            found = _by_number(shadow.assess, rows) if shadow.assess else live
            now = self.clock()
            values = []
            for row in rows:
                other = decide(found[row.id], shadow.policy or held.policy, intake.draw(row.fingerprint))
                own = decide(live[row.id], held.policy, intake.draw(row.fingerprint))
                values.append(_shadow_row(row.id, shadow.name, found[row.id], other.priority, own.priority, now))
            with database.writing(self.engine) as connection:
                new = intake.insert_new(connection, shadows).values(values)
                connection.execute(new.on_conflict_do_nothing(index_elements=["post", "name"]))
        except Exception as error:
            log.error("%s in shadow %s; its results for %d posts are missing", _kind(error), shadow.name, len(rows))


def _by_number(assess: Assess, rows: Sequence[Taken]) -> dict[int, Assessment]:
    found = list(assess(Post(str(row.id), row.text) for row in rows))
    if [assessment.id for assessment in found] != [str(row.id) for row in rows]:
        raise ValueError("the model did not give one assessment per post, in order")
    return {row.id: assessment for row, assessment in zip(rows, found, strict=True)}


def _decision(row: Taken, assessment: Assessment | None, policy: Policy) -> Decision:
    if assessment is None:
        return Decision(Priority.TODAY, (Reason("not-assessed", 0.0),))
    return decide(assessment, policy, intake.draw(row.fingerprint))


def _row(post: int, assessment: Assessment, now: float) -> dict[str, object]:
    told = assessment.to_row()
    del told["id"]
    return {
        "post": post,
        "at": now,
        "model": assessment.model,
        "level": assessment.level,
        "p_high": assessment.p_high,
        "high": assessment.high,
        "row": told,
    }


def _shadow_row(
    post: int, name: str, found: Assessment, priority: Priority | None, live: Priority | None, now: float
) -> dict[str, object]:
    return {
        "post": post,
        "name": name,
        "at": now,
        "model": found.model,
        "level": found.level,
        "p_high": found.p_high,
        "priority": int(priority or 0),
        "live_priority": int(live or 0),
    }


def _kind(error: BaseException) -> str:
    """The kind of an error: its message may quote a post."""
    inner = error.orig if isinstance(error, SQLAlchemyError) and hasattr(error, "orig") else None
    return type(error).__name__ + (f" ({type(inner).__name__})" if inner else "")
