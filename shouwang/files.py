"""Rows in and out of JSONL, CSV, TSV, Parquet and plain-text files, one at a time.

Reading never stops at a bad record: it yields a `Skipped` in its place and goes on.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import polars

from shouwang import scale
from shouwang.errors import InputError
from shouwang.posts import LabelledPost, Post, Skipped

STDIN = "-"
SNIFF_BYTES = 1 << 20
LONGEST_QUOTED_ROW = 1_000  # physical lines that one quoted CSV record may span
LONGEST_CELL = 10_000_000
PARQUET_BATCH = 10_000

TEXT_COLUMNS = (
    "text",
    "content",
    "comment",
    "body",
    "post",
    "微博正文",
    "正文",
    "博文",
    "微博内容",
    "评论内容",
    "评论",
    "内容",
    "文本",
)
ID_COLUMNS = ("id", "post_id", "mid", "idx", "uuid", "微博id", "评论id", "编号", "序号")
LEVEL_COLUMNS = ("level", "mylabel", "label", "等级", "风险等级")
HIGH_COLUMNS = ("high", "twoclass", "高风险")


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands in its file; `where` is "file:line"."""

    where: str
    values: Mapping[str, object]


# --- reading rows ---------------------------------------------------------------------------------------------------


def read_rows(source: str | Path, *, encoding: str | None = None) -> Iterator[Row | Skipped]:
    """The rows of a file (`.jsonl`, `.csv`, `.tsv`, `.parquet`, `.txt`, also `.gz`) or of standard input ("-").

    UTF-8, UTF-16 with a byte-order mark and GB18030 are told apart unless `encoding` names one.
    Raises InputError when the file as a whole cannot be read.
    """
    name = "stdin" if str(source) == STDIN else Path(source).name
    path = Path(source)
    try:
        if path.suffix == ".parquet":
            yield from _parquet_rows(path)
            return
        with _open(source) as stream:
            yield from _parse(name, stream, encoding)
    except FileNotFoundError:
        raise InputError(f"{source}: no such file; check the path") from None
    except LookupError:
        raise InputError(f"unknown encoding '{encoding}'; try utf-8 or gb18030") from None
    except (OSError, EOFError) as error:
        raise InputError(f"{source}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _open(source: str | Path) -> BinaryIO:
    if str(source) == STDIN:
        return open(sys.stdin.fileno(), "rb", buffering=SNIFF_BYTES, closefd=False)
    if Path(source).suffix == ".gz":
        return cast(BinaryIO, io.BufferedReader(gzip.GzipFile(source), SNIFF_BYTES))
    return Path(source).open("rb", buffering=SNIFF_BYTES)


def _parse(name: str, stream: BinaryIO, encoding: str | None) -> Iterator[Row | Skipped]:
    head = cast(io.BufferedReader, stream).peek()
    if head.startswith(b"PAR1"):
        raise InputError(f"{name}: Parquet; save it as a file ending in .parquet and name that")
    encoding = encoding or _sniff_encoding(head)
    read = _format_of(name, head.decode(encoding, "replace"))
    yield from read(name, _decoded_lines(name, stream, encoding))


_Lines = Iterator[tuple[int, str] | Skipped]
_Reader = Callable[[str, _Lines], Iterator[Row | Skipped]]


def _format_of(name: str, head: str) -> _Reader:
    ending = Path(name.removesuffix(".gz")).suffix
    if ending in _READERS:
        return _READERS[ending]
    first = head.lstrip("\ufeff \r\n")[:100_000].split("\n", 1)[0]
    if first.startswith("{"):
        return _jsonl_rows
    if "\t" in first:
        return _tsv_rows
    columns = {cell.strip().strip('"').lower() for cell in first.split(",")}
    return _csv_rows if columns & set(TEXT_COLUMNS) else _text_rows


def _sniff_encoding(head: bytes) -> str:
    """The encoding in which more of the non-ASCII lines are valid; UTF-8 wins a draw."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    lines = [line for line in head.split(b"\n")[:20_000] if not line.isascii()]
    if len(lines) > 1:
        lines.pop()  # may be cut in the middle

    def valid(encoding: str) -> int:
        return sum(_decodes(line, encoding) for line in lines)

    return "gb18030" if valid("gb18030") > valid("utf-8") else "utf-8-sig"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decoded_lines(name: str, stream: BinaryIO, encoding: str) -> _Lines:
    if encoding == "utf-16":  # the one whose line ends are not bytes of their own
        yield from enumerate(
            io.TextIOWrapper(cast(io.BufferedReader, stream), encoding, errors="replace", newline="\n"), 1
        )
        return
    for number, line in enumerate(stream, 1):
        try:
            yield number, line.decode("utf-8" if number > 1 and encoding == "utf-8-sig" else encoding)
        except UnicodeDecodeError:
            yield Skipped(
                f"{name}:{number}",
                f"not valid {encoding.removesuffix('-sig')}",
                "save the file as UTF-8 or name its encoding with --encoding",
            )


def _jsonl_rows(name: str, lines: _Lines) -> Iterator[Row | Skipped]:
    for item in lines:
        if isinstance(item, Skipped):
            yield item
            continue
        number, line = item
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            yield Skipped(f"{name}:{number}", "not a complete JSON object", "one JSON object per line is expected")
            continue
        if isinstance(values, dict):
            yield Row(f"{name}:{number}", values)
        else:
            yield Skipped(f"{name}:{number}", "JSON, but not an object", 'write {"id": ..., "text": ...}')


def _text_rows(name: str, lines: _Lines) -> Iterator[Row | Skipped]:
    for item in lines:
        yield item if isinstance(item, Skipped) else Row(f"{name}:{item[0]}", {"text": item[1].rstrip("\r\n")})


def _csv_rows(name: str, lines: _Lines) -> Iterator[Row | Skipped]:
    csv.field_size_limit(LONGEST_CELL)
    return _table_rows(name, _quoted_records(name, lines), _csv_cells)


def _tsv_rows(name: str, lines: _Lines) -> Iterator[Row | Skipped]:
    """Tab-separated without quoting, as research data comes."""
    return _table_rows(name, lines, lambda record: record.rstrip("\r\n").split("\t"))


def _csv_cells(record: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline="")), [])


def _quoted_records(name: str, lines: _Lines) -> _Lines:
    """Physical lines joined where a quoted cell goes on; a quote that is never closed costs one line, not the rest."""
    waiting: list[tuple[int, str] | Skipped] = []

    def take() -> tuple[int, str] | Skipped | None:
        return waiting.pop(0) if waiting else next(lines, None)

    while (item := take()) is not None:
        if isinstance(item, Skipped) or item[1].count('"') % 2 == 0:
            yield item
            continue
        number, record = item
        taken: list[tuple[int, str] | Skipped] = []
        while record.count('"') % 2 and len(taken) < LONGEST_QUOTED_ROW and (more := take()) is not None:
            taken.append(more)
            record += "" if isinstance(more, Skipped) else more[1]
        if record.count('"') % 2 == 0:
            yield number, record
        else:
            yield Skipped(
                f"{name}:{number}", "a quote is opened and never closed", 'close it, or write "" for one quote'
            )
            waiting = taken + waiting


def _table_rows(name: str, records: _Lines, cells: Callable[[str], list[str]]) -> Iterator[Row | Skipped]:
    header: list[str] | None = None
    for item in records:
        if isinstance(item, Skipped):
            yield item
            continue
        number, record = item
        if not record.strip("\r\n"):
            continue
        try:
            values = cells(record)
        except csv.Error as error:
            yield Skipped(f"{name}:{number}", f"not a CSV row ({error})", "check the quotes")
            continue
        if header is None:
            header = [cell.strip() for cell in values]
        elif len(values) == len(header):
            yield Row(f"{name}:{number}", dict(zip(header, values, strict=True)))
        else:
            found = f"{len(values)} cells where the header has {len(header)}"
            yield Skipped(f"{name}:{number}", found, "quote cells that contain the separator")


def _parquet_rows(path: Path) -> Iterator[Row | Skipped]:
    if not path.exists():
        raise FileNotFoundError
    try:
        frame = polars.scan_parquet(path)
        total = int(frame.select(polars.len()).collect().item())
        for start in range(0, total, PARQUET_BATCH):
            for number, values in enumerate(
                frame.slice(start, PARQUET_BATCH).collect().iter_rows(named=True), start + 1
            ):
                yield Row(f"{path.name}:{number}", values)
    except polars.exceptions.PolarsError as error:
        raise InputError(f"{path}: not a readable Parquet file ({type(error).__name__})") from None


_READERS: dict[str, _Reader] = {
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".csv": _csv_rows,
    ".tsv": _tsv_rows,
    ".txt": _text_rows,
}


# --- rows to posts --------------------------------------------------------------------------------------------------


def posts_from(
    rows: Iterable[Row | Skipped], *, text_column: str | None = None, id_column: str | None = None
) -> Iterator[Post | Skipped]:
    """Posts from rows; columns are guessed from the first row's names unless given.

    A row without an id gets "file:line". Raises InputError when no text column is to be found.
    """
    for row, columns in _with_columns(rows, {"text": text_column, "id": id_column}):
        post = row if isinstance(row, Skipped) else _post(row, columns)
        yield post


def labelled_from(
    rows: Iterable[Row | Skipped],
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    level_column: str | None = None,
    high_column: str | None = None,
) -> Iterator[LabelledPost | Skipped]:
    """Labelled posts from rows; a label that is empty is None, one that is outside the scale is a `Skipped`."""
    wanted = {"text": text_column, "id": id_column, "level": level_column, "high": high_column}
    for row, columns in _with_columns(rows, wanted):
        post = row if isinstance(row, Skipped) else _post(row, columns)
        if isinstance(row, Skipped) or isinstance(post, Skipped):
            yield post  # type: ignore[misc]
            continue
        try:
            level = _label(row, columns.get("level"), range(len(scale.LEVELS)))
            high = _label(row, columns.get("high"), range(2))
        except InputError as error:
            yield Skipped(f"{row.where} (post {post.id})", str(error), "correct the label or name another column")
            continue
        yield LabelledPost(post.id, post.text, level, None if high is None else bool(high))


_GUESSES = {"text": TEXT_COLUMNS, "id": ID_COLUMNS, "level": LEVEL_COLUMNS, "high": HIGH_COLUMNS}


def _with_columns(
    rows: Iterable[Row | Skipped], wanted: Mapping[str, str | None]
) -> Iterator[tuple[Row | Skipped, Mapping[str, str]]]:
    columns: dict[str, str] | None = None
    for row in rows:
        if columns is None and isinstance(row, Row):
            columns = {}
            for role, given in wanted.items():
                if (found := _column(role, given, row)) is not None:
                    columns[role] = found
        yield row, columns or {}


def _column(role: str, given: str | None, row: Row) -> str | None:
    names = {str(name).strip().lower(): str(name) for name in row.values}
    found = next((names[guess] for guess in ([given.lower()] if given else _GUESSES[role]) if guess in names), None)
    if found is None and (given or role == "text"):
        missing = f"no column '{given}'" if given else "no text column recognised"
        raise InputError(
            f"{row.where}: {missing} among {', '.join(map(repr, row.values))}; name it with --{role}-column"
        )
    return found


def _post(row: Row, columns: Mapping[str, str]) -> Post | Skipped:
    text = row.values.get(columns["text"])
    number = row.values.get(columns["id"]) if "id" in columns else None
    name = row.where if number is None or number == "" else str(number)
    if text is None:
        return Skipped(row.where, f"no '{columns['text']}'", "every record needs a text")
    if not isinstance(text, str):
        return Skipped(row.where, f"'{columns['text']}' is a {type(text).__name__}", "a text in quotes is expected")
    if not text.strip():
        return Skipped(row.where, "the text is empty", "leave the record out or fill it in")
    return Post(_storable(name), _storable(text))


def _storable(text: str) -> str:
    """Lone surrogates cannot be written in any encoding; each becomes U+FFFD, so offsets stay."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if not text.isascii() else text


def _label(row: Row, column: str | None, allowed: Sequence[int]) -> int | None:
    value = row.values.get(column) if column else None
    if value is None or value == "":
        return None
    try:
        number = float(str(int(value) if isinstance(value, bool) else value))
    except ValueError:
        raise InputError(f"label '{column}' is not a number") from None
    if number in allowed:
        return int(number)
    raise InputError(f"label '{column}' {number:g} is outside {allowed[0]}–{allowed[-1]}")


# --- writing rows ---------------------------------------------------------------------------------------------------


def count_rows(source: str | Path) -> int | None:
    """About how many rows a file holds (line ends counted, so quoted line breaks count too); None where unknown."""
    path = Path(source)
    if str(source) == STDIN or path.suffix == ".gz" or not path.is_file():
        return None
    try:
        if path.suffix == ".parquet":
            return int(polars.scan_parquet(path).select(polars.len()).collect().item())
        with path.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(SNIFF_BYTES), b""))
    except (OSError, polars.exceptions.PolarsError):
        return None


def write_line(stream: TextIO, row: Mapping[str, object]) -> None:
    """One row as a line of JSONL."""
    stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def jsonl_to_csv(source: Path, target: Path) -> None:
    """A JSONL file as CSV, line by line; the first row's keys are the columns, lists and objects become JSON."""
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8-sig", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for line in lines:
            row = {
                name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
                for name, value in json.loads(line).items()
            }
            if writer is None:
                writer = csv.DictWriter(out, list(row))
                writer.writeheader()
            writer.writerow(row)


def jsonl_to_parquet(source: Path, target: Path, schema: Mapping[str, polars.DataType]) -> None:
    """A JSONL file as Parquet with that schema, in bounded memory."""
    polars.scan_ndjson(source, schema=dict(schema)).sink_parquet(target)
