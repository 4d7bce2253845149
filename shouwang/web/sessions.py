"""Sessions kept in the database, and how often a log-in may be tried. Times are seconds."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError

from shouwang import ledger
from shouwang.database import writing
from shouwang.web.accounts import User, failures, folded, sessions, user_of, users

TOUCH = 60.0  # a session's last use is written down this often
PAUSE = 15 * 60.0  # who was away this long had a break


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts, when a break is offered, how often a log-in may fail within the window."""

    idle: float = 60 * 60.0
    absolute: float = 12 * 60 * 60.0
    work: float = 45 * 60.0
    snooze: float = 10 * 60.0
    window: float = 15 * 60.0
    tries: int = 5  # one name from one address
    tries_by_address: int = 30
    tries_by_name: int = 50


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which one user is logged in; `blur` hides texts until they are wanted."""

    user: User
    blur: bool


class Sessions:
    """The sessions in one database; only a hash of each token is kept."""

    def __init__(self, engine: Engine, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.limits = limits
        self.clock = clock

    def start(self, user: User) -> str:
        """A new session's token. Sessions that ended by time are removed on the way."""
        token, now = secrets.token_urlsafe(32), self.clock()
        values = {"id": _digest(token), "user": user.id, "started": now, "seen": now, "blur": True}
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(self._over(now)))
            connection.execute(insert(sessions).values(values))
            seen: dict[str, float] = {"seen": now}
            if now - user.seen > PAUSE:
                seen["break_due"] = now + self.limits.work
            connection.execute(update(users).where(users.c.id == user.id).values(seen))
            ledger.append(connection, user.actor, "login", user.actor)
        return token

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """The session of that token while it lasts; `touch` keeps it from idling out (a page's polling must not)."""
        now, key = self.clock(), _digest(token)
        query = select(users, sessions.c.blur, sessions.c.seen.label("used")).join(sessions)
        with self.engine.connect() as connection:
            row = connection.execute(query.where(sessions.c.id == key, ~self._over(now))).one_or_none()
        if row is None or not row.active:
            return None
        if touch and now - row.used > TOUCH:
            with suppress(OperationalError), writing(self.engine) as connection:  # a full disk: say so when it matters
                connection.execute(update(sessions).where(sessions.c.id == key).values(seen=now))
                connection.execute(update(users).where(users.c.id == row.id).values(seen=now))
        return Session(user_of(row), row.blur)

    def set_blur(self, token: str, on: bool) -> None:
        with writing(self.engine) as connection:
            connection.execute(update(sessions).where(sessions.c.id == _digest(token)).values(blur=on))

    def end(self, token: str) -> None:
        """Log out here."""
        with writing(self.engine) as connection:
            ended = delete(sessions).where(sessions.c.id == _digest(token)).returning(sessions.c.user)
            for row in connection.execute(ended).all():
                ledger.append(connection, f"user:{row.user}", "logout", f"user:{row.user}")

    def end_all(self, user: User, by: User) -> None:
        """Log out everywhere."""
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.user == user.id))
            ledger.append(connection, by.actor, "logout-everywhere", user.actor)

    def attempt(self, name: str, address: str) -> float:
        """Count a log-in that is about to be tried: 0.0 when it may go on, else the seconds to wait.

        Counted before the password is looked at, so that many at once do not pass; `succeeded` takes it back.
        """
        who, now = _digest(folded(name)), self.clock()
        by_name, by_address = failures.c.who == who, failures.c.address == address[:64]
        limited = (
            (by_name & by_address, self.limits.tries),
            (by_address, self.limits.tries_by_address),
            (by_name, self.limits.tries_by_name),
        )
        with writing(self.engine) as connection:
            connection.execute(delete(failures).where(failures.c.at <= now - self.limits.window))
            values = {"who": who, "address": address[:64], "at": now}
            mine = connection.execute(insert(failures).values(values).returning(failures.c.id)).scalar_one()
            longest = 0.0
            for which, allowed in limited:
                query = select(func.count(), func.min(failures.c.at)).where(which, failures.c.id != mine)
                count, first = connection.execute(query).one()
                if count >= allowed:
                    longest = max(longest, first + self.limits.window - now)
            if longest:
                connection.execute(delete(failures).where(failures.c.id == mine))
        return longest

    def failed(self, user: User) -> None:
        """Somebody gave a wrong password for that user."""
        with writing(self.engine) as connection:
            ledger.append(connection, "", "login-failed", user.actor)

    def succeeded(self, name: str, address: str) -> None:
        mine = (failures.c.who == _digest(folded(name))) & (failures.c.address == address[:64])
        with writing(self.engine) as connection:
            connection.execute(delete(failures).where(mine))

    def _over(self, now: float) -> ColumnElement[bool]:
        limits = self.limits
        return (sessions.c.seen < now - limits.idle) | (sessions.c.started < now - limits.absolute)


def csrf_token(token: str) -> str:
    """What a form of that browser must carry; the session's token cannot be got from it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
