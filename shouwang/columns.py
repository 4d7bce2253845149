"""Rows to posts: which column holds what."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from shouwang import scale
from shouwang.errors import InputError
from shouwang.language import Words, say
from shouwang.posts import LabelledPost, Post, Row, Skipped

T = TypeVar("T", list[Any], dict[str, Any])

ROWS_LOOKED_AT = 100  # for a text column, before the file is given up

TEXT_COLUMNS = (
    *(
        "text",
        "content",
        "comment",
        "body",
        "post",
        "full_text",
        "text_raw",
        "content_text",
        "message",
        "tweet",
        "desc",
    ),
    *("微博正文", "正文", "博文", "微博内容", "评论内容", "评论正文", "帖子内容", "评论", "内容", "文本", "全文"),
)
ID_COLUMNS = (
    *("id", "post_id", "comment_id", "tweet_id", "note_id", "content_id", "mid", "bid", "idx", "uuid"),
    *("微博id", "评论id", "帖子id", "编号", "序号"),
)
LEVEL_COLUMNS = ("level", "mylabel", "label", "等级", "风险等级")
HIGH_COLUMNS = ("high", "twoclass", "高风险")


def posts_from(
    rows: Iterable[Row | Skipped],
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    has_option: bool = True,
) -> Iterator[Post | Skipped]:
    """Posts from rows; columns are guessed from the usual names unless given, whatever their case.

    A row without an id gets "file:line". Raises FileError when none of the first rows has such a text column; it names
    `--text-column` where the command has that option.
    """
    for row, columns in _with_columns(rows, {"text": text_column, "id": id_column}, has_option):
        yield row if isinstance(row, Skipped) else _post(row, columns)


def labelled_from(
    rows: Iterable[Row | Skipped],
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    level_column: str | None = None,
    high_column: str | None = None,
    has_option: bool = True,
) -> Iterator[LabelledPost | Skipped]:
    """Labelled posts from rows, as `posts_from` reads them; a label that is empty is None, one that is outside the scale
    is a `Skipped`."""
    wanted = {"text": text_column, "id": id_column, "level": level_column, "high": high_column}
    for row, columns in _with_columns(rows, wanted, has_option):
        post = row if isinstance(row, Skipped) else _post(row, columns)
        if isinstance(row, Skipped) or isinstance(post, Skipped):
            yield post  # type: ignore[misc]
            continue
        try:
            level = _label(row, columns.get("level"), range(len(scale.LEVELS)))
            high = _label(row, columns.get("high"), range(2))
        except InputError as error:
            yield Skipped(
                f"{row.where} (post {post.id})",
                str(error),
                say("correct the label or name another column", "请改正标签，或指定另一列"),
            )
            continue
        yield LabelledPost(post.id, post.text, level, None if high is None else bool(high))


_ROLES = {"text": "正文", "id": "编号", "level": "等级", "high": "高低风险"}
_GUESSES = {"text": TEXT_COLUMNS, "id": ID_COLUMNS, "level": LEVEL_COLUMNS, "high": HIGH_COLUMNS}


def _with_columns(
    rows: Iterable[Row | Skipped], wanted: Mapping[str, str | None], has_option: bool
) -> Iterator[tuple[Row | Skipped, Mapping[str, str]]]:
    """Every row with the column of each role, looked for again when the names change, as they may in JSONL."""
    names: object = None
    columns: Mapping[str, str] = {}
    complete = False  # whether a row had every column that is needed
    without: list[Skipped] = []  # the rows before that one
    for row in rows:
        if isinstance(row, Skipped):
            yield row, {}
            continue
        if row.values.keys() != names:
            names = row.values.keys()
            columns = _columns(row, wanted)
            complete = complete or not _missing(columns, wanted)
        if complete and "text" in columns:
            yield from ((skip, {}) for skip in without)
            without.clear()
            yield row, columns
            continue
        role = _missing(columns, wanted)[0]
        named = say(f"name it with --{role}-column", f"请用 --{role}-column 指定")
        fix = named if has_option else say(f"call it '{role}'", f"请把这一列命名为 {role}")
        skip = Skipped(row.where, _no_column(role, wanted[role], row), fix)
        if complete:
            yield skip, {}
        elif len(without) < ROWS_LOOKED_AT:
            without.append(skip)
        else:
            break
    if without:
        raise without[0].whole()


def column_name(name: object) -> str:
    """A column's name as it is compared: without case and outer blanks."""
    return str(name).strip().casefold()


def _columns(row: Row, wanted: Mapping[str, str | None]) -> dict[str, str]:
    names = {column_name(name): name for name in reversed(list(row.values))}
    named = {role: column_name(given) for role, given in wanted.items() if given}
    others = names.keys() - named.values()  # what was named for one role is not guessed for another
    found = {
        role: names.get(named[role]) if role in named else next((names[g] for g in _GUESSES[role] if g in others), None)
        for role in wanted
    }
    return {role: name for role, name in found.items() if name is not None}


def _missing(columns: Mapping[str, str], wanted: Mapping[str, str | None]) -> list[str]:
    return [role for role, given in wanted.items() if (given or role == "text") and role not in columns]


def _no_column(role: str, given: str | None, row: Row) -> str:
    """What is missing among what. Only plain names are spelled: in a file without a header they would be a post."""
    names = [name if re.fullmatch(r"[\w.-]{1,30}", name, re.ASCII) else "…" for name in map(str, row.values)]
    there, count = ", ".join(names), len(names)
    if given:
        return say(
            f"no column '{given}' among its {count} columns ({there})", f"共 {count} 列（{there}），没有“{given}”列"
        )
    return say(
        f"no {role} column recognised among its {count} columns ({there})",
        f"共 {count} 列（{there}），认不出哪一列是{_ROLES[role]}",
    )


def _post(row: Row, columns: Mapping[str, str]) -> Post | Skipped:
    column = columns["text"]
    text = row.values.get(column)
    if text is None:
        return Skipped(
            row.where,
            say(f"no '{column}'", f"没有“{column}”"),
            say("every record needs a text", "每条记录都要有正文"),
        )
    if not isinstance(text, str):
        return Skipped(
            row.where,
            say(f"'{column}' is {_kind(text)}", f"“{column}”是{_kind(text)}"),
            say("a text in quotes is expected", "应是带引号的文字"),
        )
    if not text or text.isspace():
        fix = say("leave the record out or fill it in", "请删去这条记录，或补上正文")
        return Skipped(row.where, say("the text is empty", "正文为空"), fix)
    name = id_of(row.values.get(columns["id"])) if "id" in columns else ""
    return Post(_storable(name or row.where), _storable(text))


def _kind(value: object) -> str:
    number = Words("a number", "数字")
    kinds = {
        bool: Words("true or false", "真或假"),
        int: number,
        float: number,
        list: Words("a list", "列表"),
        dict: Words("an object", "对象"),
    }
    return str(kinds.get(type(value), Words("not a text", "别的东西，不是文字")))


def id_of(value: object) -> str:
    """A text or number as an id (4.0 is "4", as pandas writes ids when some are missing); "" for anything else."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else "" if math.isnan(value) else str(value)
    return str(value).strip() if isinstance(value, str | int) else ""


_SURROGATE = re.compile("[\ud800-\udfff]")


def _storable(text: str) -> str:
    """Lone surrogates cannot be written in any encoding; each becomes U+FFFD, so offsets stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text


def _label(row: Row, column: str | None, allowed: Sequence[int]) -> int | None:
    value = row.values.get(column) if column else None
    if value is None or value == "":
        return None
    try:
        number = float(str(int(value) if isinstance(value, bool) and len(allowed) == 2 else value))
    except ValueError:
        raise InputError(say(f"label '{column}' is not a number", f"标签“{column}”不是数字")) from None
    if number in allowed:
        return int(number)
    span = f"{allowed[0]}–{allowed[-1]}"
    raise InputError(say(f"label '{column}' {number:g} is outside {span}", f"标签“{column}”为 {number:g}，超出 {span}"))


def structured(row: Row, name: str, kind: type[T]) -> T:
    """What a column such as `origins` holds, which in CSV is JSON in a cell; empty where it holds nothing.

    Raises InputError for anything else: a post whose origin is not understood could be a held-out one, rewritten.
    """
    value = row.values.get(name)
    if value is None or value == "":
        return kind()
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, kind):
        example = '["post id"]' if kind is list else '{"name": "value"}'
        raise InputError(
            say(
                f"{row.where}: '{name}' is not a {kind.__name__} in JSON; write {example}, or leave it empty",
                f"{row.where}：“{name}”不是 JSON 的 {kind.__name__}；请写成 {example}，或留空",
            )
        )
    return found
