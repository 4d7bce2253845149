"""Who may log in: names, argon2 hashes, roles as plain strings. Times are seconds since 1970."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from shouwang import ledger
from shouwang.database import writing
from shouwang.errors import InputError
from shouwang.language import say

metadata = MetaData()
users = Table(
    "web_users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("folded", String(200), nullable=False, unique=True),  # two names that look alike are one
    Column("password", String(200), nullable=False),
    Column("roles", String(200), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),  # somebody else knows the password
    Column("shortcuts", Boolean, nullable=False),
    Column("break_due", Float, nullable=False),
    Column("seen", Float, nullable=False),
)
sessions = Table(
    "web_sessions",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the token that only the browser has
    Column("user", Integer, ForeignKey("web_users.id"), nullable=False, index=True),
    Column("started", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("blur", Boolean, nullable=False),
)
failures = Table(
    "web_login_failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("who", String(64), nullable=False, index=True),  # SHA-256: people type passwords into the wrong field
    Column("address", String(64), nullable=False, index=True),
    Column("at", Float, nullable=False, index=True),
)

SHORTEST_PASSWORD, LONGEST_PASSWORD, LONGEST_NAME = 10, 200, 64


@dataclass(frozen=True, slots=True)
class User:
    """One person with an account; `break_due` is when the next break is offered."""

    id: int
    name: str
    roles: frozenset[str]
    active: bool
    must_change: bool
    shortcuts: bool
    break_due: float
    seen: float

    @property
    def actor(self) -> str:
        """How the ledger names this user."""
        return f"user:{self.id}"


def create(connection: Connection) -> None:
    """The tables, and the ledger's, where they are not there yet."""
    metadata.create_all(connection)
    ledger.create(connection)


class Accounts:
    """The people in one database (`create` makes its tables). Every change is an event in the ledger.

    `keeper` is the role of which one active holder must always remain.
    """

    def __init__(self, engine: Engine, keeper: str, hasher: PasswordHasher | None = None) -> None:
        self.engine = engine
        self.keeper = keeper
        self.hasher = hasher or PasswordHasher()

    def add(
        self, name: str, password: str, roles: Iterable[str], *, by: User | None = None, must_change: bool = False
    ) -> User:
        """A new account, made by that user (or from the command line); raises InputError for a name that is taken, or a name or password that will not do."""
        name = _name(name)
        values = {
            "name": name,
            "folded": folded(name),
            "password": self.hasher.hash(_password(password, name)),
            "roles": " ".join(sorted(roles)),
            "active": True,
            "must_change": must_change,
            "shortcuts": True,
            "break_due": 0.0,
            "seen": 0.0,
        }
        try:
            with writing(self.engine) as connection:
                number = connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
                added = user_of(connection.execute(select(users).where(users.c.id == number)).one())
                who = by.actor if by else added.actor
                ledger.append(connection, who, "account-added", added.actor, roles=sorted(added.roles))
        except IntegrityError:
            raise _taken(name) from None
        return added

    def refuse_name(self, name: str) -> None:
        """Raises InputError for a name that is taken or will not do."""
        name = _name(name)
        if self.named(name):
            raise _taken(name)

    def check(self, name: str, password: str) -> User | None:
        """The active user of that name and password. Takes as long for a name that does not exist."""
        with self.engine.connect() as connection:
            row = connection.execute(select(users).where(users.c.folded == folded(name))).one_or_none()
        try:
            self.hasher.verify(row.password if row else self._nobody, _plain(password[: LONGEST_PASSWORD + 1]))
        except VerificationError:
            return None
        if row is None or not row.active:
            return None
        if self.hasher.check_needs_rehash(row.password):
            self._update(row.id, password=self.hasher.hash(_plain(password)))
        return user_of(row)

    @cached_property
    def _nobody(self) -> str:
        return self.hasher.hash(secrets.token_hex())

    def change_password(self, user: User, password: str, *, by: User, must_change: bool = False) -> None:
        hashed = self.hasher.hash(_password(password, user.name))
        with writing(self.engine) as connection:
            changed = update(users).where(users.c.id == user.id)
            connection.execute(changed.values(password=hashed, must_change=must_change))
            ledger.append(connection, by.actor, "password-changed", user.actor)

    def set_access(self, user: User, roles: Iterable[str], *, active: bool, by: User) -> None:
        """Other roles, or no access at all; raises InputError where nobody could manage the accounts any more."""
        kept = frozenset(roles)
        with writing(self.engine) as connection:
            everyone = _all(connection.execute(select(users).order_by(users.c.id).with_for_update()))
            others = [u for u in everyone if u.id != user.id and u.active and self.keeper in u.roles]
            if not others and not (active and self.keeper in kept):
                raise InputError(
                    say(
                        f"{user.name} is the last one who can manage accounts; give that role to another person first",
                        f"{user.name} 是最后一位能管理账户的人；请先把该角色交给另一人",
                    )
                )
            values = {"roles": " ".join(sorted(kept)), "active": active}
            connection.execute(update(users).where(users.c.id == user.id).values(values))
            ledger.append(connection, by.actor, "account-changed", user.actor, roles=sorted(kept), active=active)

    def set_shortcuts(self, user: User, on: bool) -> None:
        self._update(user.id, shortcuts=on)

    def set_break(self, user: User, due: float) -> None:
        self._update(user.id, break_due=due)

    def everyone(self) -> list[User]:
        """All accounts, active ones first, by name."""
        with self.engine.connect() as connection:
            return sorted(
                _all(connection.execute(select(users))), key=lambda user: (not user.active, folded(user.name))
            )

    def empty(self) -> bool:
        with self.engine.connect() as connection:
            return connection.execute(select(users.c.id).limit(1)).first() is None

    def named(self, name: str) -> User | None:
        with self.engine.connect() as connection:
            row = connection.execute(select(users).where(users.c.folded == folded(name))).one_or_none()
        return user_of(row) if row else None

    def numbered(self, number: int) -> User | None:
        with self.engine.connect() as connection:
            row = connection.execute(select(users).where(users.c.id == number)).one_or_none()
        return user_of(row) if row else None

    def _update(self, number: int, **values: object) -> None:
        with writing(self.engine) as connection:
            connection.execute(update(users).where(users.c.id == number).values(values))


def folded(name: str) -> str:
    """What makes two names the same: compatibility forms and case do not tell people apart."""
    return unicodedata.normalize("NFKC", name).strip().casefold()[:200]


def _all(rows: Iterable[Any]) -> list[User]:
    return [user_of(row) for row in rows]


def user_of(row: Any) -> User:
    """The user in a row that holds the columns of `users`."""
    fields: Mapping[str, Any] = row._mapping
    kept = {name: fields[name] for name in User.__slots__ if name != "roles"}
    return User(roles=frozenset(fields["roles"].split()), **kept)


def _name(name: str) -> str:
    name = unicodedata.normalize("NFKC", name).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(
            say(f"A name has 1 to {LONGEST_NAME} visible characters", f"用户名应为 1–{LONGEST_NAME} 个可见字符")
        )
    return name


def _taken(name: str) -> InputError:
    return InputError(say(f"The name {name} is taken; choose another", f"用户名 {name} 已被使用，请换一个"))


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _password(password: str, name: str) -> str:
    plain = _plain(password)
    if not SHORTEST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
        raise InputError(
            say(
                f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a short sentence is easy to keep",
                f"密码应为 {SHORTEST_PASSWORD}–{LONGEST_PASSWORD} 个字符；用一句短语更好记",
            )
        )
    if folded(name) in plain.casefold() or len(set(plain)) < 4:
        raise InputError(say("The password is too easy to guess; choose another one", "密码太容易被猜到，请换一个"))
    return plain
