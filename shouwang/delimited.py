"""Rows of CSV and TSV: lines to records, a bad one a `Skipped` in its place."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence

from shouwang.language import say
from shouwang.posts import Row, Skipped

LONGEST_QUOTED_ROW = 1_000  # physical lines that one quoted CSV record may span
LONGEST_CELL = 10_000_000

Lines = Iterator[tuple[int, str] | Skipped]
"""The lines of a file with their numbers; one that cannot be decoded is a `Skipped`."""


class _Again:
    """An iterator into which items can be put back."""

    def __init__(self, items: Lines) -> None:
        self.items = items
        self.waiting: list[tuple[int, str] | Skipped] = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> tuple[int, str] | Skipped:
        return self.waiting.pop() if self.waiting else next(self.items)

    def put_back(self, items: Sequence[tuple[int, str] | Skipped]) -> None:
        self.waiting.extend(reversed(items))


def csv_rows(name: str, lines: Lines) -> Iterator[Row | Skipped]:
    """Separated by the comma, semicolon or tab that the first line holds; a quoted cell may span lines."""
    csv.field_size_limit(LONGEST_CELL)
    again = _Again(lines)
    first = next(again, (1, ""))
    again.put_back([first])
    separator = next((each for each in ",;\t" if not isinstance(first, Skipped) and each in first[1]), ",")
    return _table_rows(name, again, lambda line: _csv_cells(line, again, separator))


def _csv_cells(line: str, following: _Again, separator: str) -> list[str]:
    """The cells of the record that starts with `line`, which takes more lines where a quoted cell goes on.

    Raises csv.Error where that cell does not come to a proper end; then no more than `line` is used up.
    """
    if '"' not in line:
        return line.rstrip("\r\n").split(separator)
    alone = iter([line, ""])
    cells = next(csv.reader(alone, delimiter=separator))
    if next(alone, None) is not None:  # the reader did not ask for a second line
        return cells
    taken: list[tuple[int, str] | Skipped] = []

    def record() -> Iterator[str]:
        yield line
        for item in following:
            taken.append(item)
            if isinstance(item, Skipped) or len(taken) > LONGEST_QUOTED_ROW:
                return
            yield item[1]

    try:
        return next(csv.reader(record(), delimiter=separator, strict=True))
    except csv.Error:
        following.put_back(taken)
        raise csv.Error(say("a quote is opened and not properly closed", "引号没有正确闭合")) from None


def tsv_rows(name: str, lines: Lines) -> Iterator[Row | Skipped]:
    """Tab-separated without quoting, as research data comes."""
    return _table_rows(name, lines, lambda line: line.rstrip("\r\n").split("\t"))


def _table_rows(name: str, lines: Lines, cells: Callable[[str], list[str]]) -> Iterator[Row | Skipped]:
    header: list[str] = []
    for item in lines:
        if isinstance(item, Skipped):
            if not header:
                raise item.whole(say("the line of column names is ", "列名这一行"))
            yield item
            continue
        number, line = item
        if line.isspace():
            continue
        try:
            values = cells(line)
        except csv.Error as error:
            yield Skipped(
                f"{name}:{number}",
                str(error),
                say('close it, or write "" for one quote', '请闭合，或用 "" 表示一个引号'),
            )
            continue
        if not header:
            header = [cell.strip() for cell in values]
            continue
        while len(values) > len(header) and not values[-1]:
            values.pop()
        if len(values) == len(header):
            yield Row(f"{name}:{number}", dict(zip(header, values, strict=True)))
        else:
            found = say(
                f"{len(values)} cells where the header has {len(header)}",
                f"有 {len(values)} 格，而表头有 {len(header)} 格",
            )
            fix = say("quote cells that contain the separator", "含分隔符的格子请加引号")
            yield Skipped(f"{name}:{number}", found, fix)
