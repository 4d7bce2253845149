"""Keys for machines: 256 random bits of which the database has a hash, with scopes and a rate."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection, insert, select, update

from shouwang import ledger, lookup
from shouwang.errors import InputError
from shouwang.language import Words, say
from shouwang.triage.tables import api_keys

PREFIX = "shouwang_"
PER_MINUTE = 600

SCOPES: dict[str, Words] = {
    "posts:write": Words("deliver posts and follow receipts", "提交帖子、查询回执"),
    "cases:read": Words("read cases with their texts", "读取个案及正文"),
    "policy:read": Words("read the policy, preview a change, compare shadows", "读取策略、预览改动、比较影子"),
    "policy:write": Words("change the policy", "修改策略"),
    "metrics:read": Words("read metrics", "读取监控指标"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the database knows it."""

    id: int
    name: str
    scopes: frozenset[str]
    per_minute: int
    created_at: float
    revoked_at: float | None

    @property
    def who(self) -> str:
        """What the ledger calls it."""
        return f"key:{self.id}"


def add(
    connection: Connection, name: str, scopes: Iterable[str], who: str, now: float, per_minute: int = PER_MINUTE
) -> str:
    """A new key; it is shown this once, since only its hash is kept. Raises InputError for an unknown scope."""
    wanted = sorted(set(scopes))
    for scope in wanted:
        lookup.get(SCOPES, scope, "scope")
    if not wanted or not name.strip() or per_minute < 1:
        raise InputError(
            say(
                "a key needs a name, at least one scope and a rate of at least one request a minute",
                "密钥要有名称、至少一项权限，每分钟至少可请求一次",
            )
        )
    key = PREFIX + secrets.token_urlsafe(32)
    row = {"name": name.strip(), "hash": _hash(key), "scopes": " ".join(wanted), "per_minute": per_minute}
    made = insert(api_keys).returning(api_keys.c.id)
    number = connection.execute(made, row | {"created_at": now, "created_by": who}).scalar_one()
    ledger.append(connection, who, "key-added", f"key:{number}", scopes=wanted, per_minute=per_minute)
    return key


def revoke(connection: Connection, number: int, who: str, now: float) -> None:
    """From now on that key opens nothing. Raises InputError where there is none."""
    ended = update(api_keys).where(api_keys.c.id == number, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
    if not connection.execute(ended).rowcount:
        raise InputError(
            say(
                f"no key {number} that could be revoked; `shouwang watch keys` shows them",
                f"没有可吊销的密钥 {number}；`shouwang watch keys` 会列出全部",
            )
        )
    ledger.append(connection, who, "key-revoked", f"key:{number}")


def find(connection: Connection, key: str) -> Key | None:
    """The key that this is, unless it was revoked."""
    known = select(api_keys).where(api_keys.c.hash == _hash(key), api_keys.c.revoked_at.is_(None))
    row = connection.execute(known).one_or_none()
    return None if row is None else _key(row)


def everything(connection: Connection) -> list[Key]:
    """Every key there ever was."""
    return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.id))]


@dataclass(slots=True)
class Pace:
    """How fast each key may ask, in this process: `per_minute` requests at once, refilled over a minute."""

    clock: Callable[[], float] = time.monotonic
    _left: dict[int, tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def wait(self, key: Key) -> float:
        """Count a request: 0 where it may go on, else the seconds until it may."""
        with self._lock:
            now = self.clock()
            left, at = self._left.get(key.id, (float(key.per_minute), now))
            left = min(float(key.per_minute), left + (now - at) * key.per_minute / 60)
            if left < 1:
                self._left[key.id] = left, now
                return (1 - left) * 60 / key.per_minute
            self._left[key.id] = left - 1, now
            return 0.0


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _key(row: object) -> Key:
    found = dict(row._mapping)  # type: ignore[attr-defined]
    scopes = frozenset(found["scopes"].split())
    return Key(found["id"], found["name"], scopes, found["per_minute"], found["created_at"], found["revoked_at"])
