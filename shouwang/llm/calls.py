"""Every call to a language model, written down before it is sent and when it arrives: cache, journal and bill in one.

A kill -9 between the two leaves a call of which nobody knows whether it was charged; it counts as lost. An answer that
arrived is never asked for again, also one that turned out to be of no use.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from shouwang.language import say
from shouwang.llm.endpoint import Costs, EndpointError

_TABLE = """
CREATE TABLE IF NOT EXISTS llm_call (
  key TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  model TEXT NOT NULL,
  estimate REAL NOT NULL,
  under_way INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  text TEXT,
  end TEXT,
  tokens_in INTEGER,
  tokens_out INTEGER,
  unmetered INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  PRIMARY KEY (key, attempt)
)
"""
_SPENT = "COALESCE(SUM(cost + estimate * (lost + under_way)), 0)"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a server said. `end` is why it stopped: "stop", "length", "refusal", …"""

    text: str
    end: str


class Calls:
    """The calls in one SQLite file, which may hold other tables too; one process at a time."""

    def __init__(self, path: Path) -> None:
        self._mutex = threading.Lock()
        self._alone = FileLock(f"{path}.llm-lock")
        try:
            self._alone.acquire(blocking=False)
        except Timeout:
            raise EndpointError(
                say(
                    f"another run is asking a language model for {path}; wait until it ends",
                    f"另一个进程正在为 {path} 向语言模型提问；请等它结束",
                )
            ) from None
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # answers quote posts: for its owner alone
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_TABLE)
            self._db.execute("UPDATE llm_call SET lost = lost + under_way, under_way = 0 WHERE under_way")
        except (OSError, sqlite3.Error) as error:
            self._alone.release()
            raise EndpointError(
                say(f"{path} cannot be used as a cache of answers ({error})", f"{path} 不能用来存放回答（{error}）")
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._alone.release()

    def arrived(self, key: str, attempt: int) -> Arrived | None:
        """What came back for that attempt, if anything ever did."""
        with self._mutex:
            row = self._db.execute(
                "SELECT text, end FROM llm_call WHERE key = ? AND attempt = ? AND end IS NOT NULL", (key, attempt)
            ).fetchone()
        return Arrived(*row) if row else None

    def sending(self, key: str, attempt: int, model: str, estimate: float, budget: float | None) -> bool:
        """Write down that a call goes out now; False, and nothing is written, when the budget does not allow it."""
        with self._mutex:
            if budget is not None and self._spent() + estimate > budget:
                return False
            self._execute(
                "INSERT INTO llm_call (key, attempt, model, estimate, under_way) VALUES (?, ?, ?, ?, 1)"
                " ON CONFLICT DO UPDATE SET under_way = 1, estimate = excluded.estimate",
                (key, attempt, model, estimate),
            )
        return True

    def failed(self, key: str, attempt: int, *, maybe_charged: bool) -> None:
        """No answer came; `maybe_charged` where the server may have worked all the same (a time-out)."""
        with self._mutex:
            self._execute(
                "UPDATE llm_call SET under_way = 0, lost = lost + ? WHERE key = ? AND attempt = ?",
                (int(maybe_charged), key, attempt),
            )

    def keep(
        self, key: str, attempt: int, arrived: Arrived, *, tokens_in: int, tokens_out: int, unmetered: bool, cost: float
    ) -> None:
        """Write down what came back, before anybody looks at it."""
        with self._mutex:
            self._execute(
                "UPDATE llm_call SET under_way = 0, text = ?, end = ?, tokens_in = ?, tokens_out = ?, unmetered = ?,"
                " cost = ? WHERE key = ? AND attempt = ?",
                (arrived.text, arrived.end, tokens_in, tokens_out, int(unmetered), cost, key, attempt),
            )

    def costs(self) -> Costs:
        with self._mutex:
            row = self._db.execute(
                "SELECT COUNT(end), COALESCE(SUM(tokens_in), 0), COALESCE(SUM(tokens_out), 0),"  # noqa: S608
                f" COALESCE(SUM(unmetered), 0), COALESCE(SUM(lost), 0), {_SPENT} FROM llm_call"
            ).fetchone()
        return Costs(*row)

    def _spent(self) -> float:
        return float(self._db.execute(f"SELECT {_SPENT} FROM llm_call").fetchone()[0])  # noqa: S608

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise EndpointError(
                say(
                    f"the cache of answers cannot be written ({error}); make room on the disk and run again: "
                    "what it holds is kept",
                    f"回答写不进去（{error}）；请腾出磁盘空间再运行：此前存下的都在",
                )
            ) from None
