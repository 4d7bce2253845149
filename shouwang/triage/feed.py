"""A file, or a stream that goes on, into a watch: rows to posts with author and time, delivered as they come.

A record that cannot be used is a `Skipped`; while the database is gone, what has been read waits.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from shouwang import database
from shouwang.columns import column_name, posts_from
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import Row, Skipped
from shouwang.triage import intake
from shouwang.triage.intake import Incoming, Pseudonyms, Receipt

AUTHOR_COLUMNS = ("author", "author_id", "user", "user_id", "uid", "screen_name", "用户id", "作者", "昵称")
TIME_COLUMNS = ("posted_at", "created_at", "time", "date", "timestamp", "发布时间", "时间")
AT_ONCE = 500  # posts in a delivery
WAIT = 0.5  # seconds that a post waits for others to be delivered with
LOOK = 0.25  # seconds between looks at a growing file
RETRY = 2.0  # seconds


@dataclass(slots=True)
class Fed:
    """What became of everything that was read; `unreadable_times` counts posts that came in without theirs."""

    accepted: int = 0
    repeated: int = 0
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    skips: list[Skipped] = field(default_factory=list)
    unreadable_times: int = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns, where they are not the usual ones."""

    text: str | None = None
    id: str | None = None
    author: str | None = None
    time: str | None = None


def incoming_from(
    rows: Iterable[Row | Skipped], source: str, columns: Columns, fed: Fed
) -> Iterator[Incoming | Skipped]:
    """Posts with author and time from rows. A row without an id gets its place and a hash of text, author and time.

    A time is ISO 8601, as Weibo's API writes it (Sun Mar 01 08:00:00 +0800 2026), or seconds, milliseconds or
    microseconds since 1970; without a zone it is this machine's.
    Raises InputError where there is no text column.
    """
    passed: deque[Row | Skipped] = deque()

    def passing() -> Iterator[Row | Skipped]:
        for row in rows:
            passed.append(row)
            yield row

    for post in posts_from(passing(), text_column=columns.text, id_column=columns.id):
        row = passed.popleft()
        if isinstance(post, Skipped) or isinstance(row, Skipped):
            yield post  # type: ignore[misc]
            continue
        author, told = _cell(row, columns.author, AUTHOR_COLUMNS), _cell(row, columns.time, TIME_COLUMNS)
        name = post.id
        if name == row.where:
            said = "\0".join(part for part in (post.text, author, told) if part is not None)
            name += ":" + hashlib.sha256(said.encode(errors="replace")).hexdigest()[:12]
        at = _seconds(told)
        fed.unreadable_times += at is None and told is not None
        found = Incoming(source, name, post.text, author, at)
        wrong = intake.problem(found)
        fix = say("shorten it or leave it out", "请缩短或删去")
        yield Skipped(row.where, wrong, fix) if wrong else found


def feed(
    engine: Engine,
    records: Iterable[Incoming | Skipped],
    pseudonyms: Pseudonyms,
    who: str,
    fed: Fed,
    *,
    stop: Event | None = None,
    delivered: Callable[[Receipt], None] = lambda receipt: None,
    skipped: Callable[[Skipped], None] = lambda skip: None,
    waiting: Callable[[], None] = lambda: None,
) -> None:
    """Deliver all records, in portions, soon after each was read; what became of them is added up in `fed`.

    Once `stop` is set, what has been read is still delivered. `waiting` is called each time that the database does not
    answer; then the portion is tried again. Raises InputError where it does not answer and `stop` is set.
    """
    stop = stop or Event()
    for portion in _portions(records, stop):
        for skip in (record for record in portion if isinstance(record, Skipped)):
            fed.skips.append(skip)
            skipped(skip)
        posts = [record for record in portion if isinstance(record, Incoming)]
        while posts:
            try:
                with database.writing(engine) as connection:
                    receipt = intake.accept(connection, posts, pseudonyms, who)
            except OperationalError:
                if stop.is_set():
                    raise InputError(
                        say(
                            f"the database does not answer; {len(posts)} posts that were read are not delivered: give "
                            "the same command again, what is there already is recognised",
                            f"数据库没有响应；已读取的 {len(posts)} 条帖子没有送达：请再次输入同一命令，已送达的会被认出",
                        )
                    ) from None
                waiting()
                stop.wait(RETRY)
                continue
            fed.accepted += receipt.accepted
            fed.repeated += receipt.repeated
            fed.conflicts += receipt.conflicts
            delivered(receipt)
            break


def whole(rows: Iterable[Row | Skipped], growing: Growing) -> Iterator[Row | Skipped]:
    """The rows of a growing file; what comes after its end is of a record that stopping cut short, and is skipped."""
    for row in rows:
        if growing.ended and isinstance(row, Row):
            what = say("its line had no end yet when reading was stopped", "停止读取时，这一行还没有结束")
            fix = "give the same command again, without --follow where the line is complete"
            yield Skipped(row.where, what, say(fix, "请再次输入同一命令；若这一行已完整，请去掉 --follow"))
        else:
            yield row


class Growing(io.RawIOBase):
    """The bytes of a file that goes on growing: at its end it waits for more, until `stop` is set; then it has `ended`.

    A file that is cut off or replaced under its name is read from its beginning, and what was read before comes to an
    end first: the new one has a line of column names of its own.
    """

    def __init__(self, path: Path, stop: Event) -> None:
        self.ended = False
        self._path, self._stop = path, stop
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        while not self._stop.is_set():
            position = self._file.tell()
            replaced = self._replaced()  # asked before the last look: what came in between is not left behind
            if position and not self._file.tell():  # it was cut off
                return 0
            if count := self._file.readinto(buffer):  # type: ignore[arg-type]
                return count
            if not replaced:
                self._stop.wait(LOOK)
                continue
            with suppress(FileNotFoundError):  # gone again meanwhile
                old, self._file = self._file, self._path.open("rb", buffering=0)
                old.close()
                if position:
                    return 0
        self.ended = True
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()

    def _replaced(self) -> bool:
        """Whether another file has the name now; one that was cut off is taken from its beginning."""
        try:
            now = self._path.stat()
        except FileNotFoundError:  # between two files of that name
            return False
        mine = os.fstat(self._file.fileno())
        if (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino):
            return True
        if now.st_size < self._file.tell():
            self._file.seek(0)
        return False


def _portions(records: Iterable[Incoming | Skipped], stop: Event) -> Iterator[Sequence[Incoming | Skipped]]:
    """Records in portions: full ones, or what came within `WAIT`; once `stop` is set, what has been read.

    They are read on a thread of their own.
    """
    read: Queue[Incoming | Skipped | BaseException | None] = Queue(4 * AT_ONCE)

    def reading() -> None:
        try:
            for record in records:
                read.put(record)
            read.put(None)
        except BaseException as error:  # raised again where the portions are taken
            read.put(error)

    Thread(target=reading, name="reading", daemon=True).start()
    while True:
        portion: list[Incoming | Skipped] = []
        until = time.monotonic() + WAIT
        while len(portion) < AT_ONCE:
            try:
                record = read.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                if portion or stop.is_set():
                    break
                until = time.monotonic() + WAIT
                continue
            if record is None or isinstance(record, BaseException):
                if portion:
                    yield portion
                if record is not None:
                    raise record
                return
            portion.append(record)
            if len(portion) == 1:
                until = time.monotonic() + WAIT
        if not portion:
            return
        yield portion


def _cell(row: Row, given: str | None, usual: Sequence[str]) -> str | None:
    names = {column_name(name): name for name in row.values}
    wanted = [column_name(given)] if given else usual
    value = next((row.values[names[name]] for name in wanted if name in names), None)
    return str(value).strip() or None if isinstance(value, str | int | float | datetime) else None


def _seconds(told: str | None) -> float | None:
    if told is None:
        return None
    try:
        number = float(told)
    except ValueError:
        number = 0.0
    for unit in (1.0, 1e3, 1e6):  # seconds, milliseconds, microseconds
        if 1e9 <= number / unit < 1e10:  # 2001 to 2286: 20260301 is a date
            return number / unit
    try:
        seconds = (_of_weibo(told) or datetime.fromisoformat(told)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if intake.can_be_shown(seconds) else None


def _of_weibo(told: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.strptime(told, "%a %b %d %H:%M:%S %z %Y")
    return None
