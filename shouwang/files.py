"""Rows in and out of JSONL, CSV, TSV, Parquet and plain-text files, one at a time.

Reading never stops at a bad record: it yields a `Skipped` in its place and goes on.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from shouwang.columns import TEXT_COLUMNS, column_name
from shouwang.delimited import Lines, csv_rows, tsv_rows
from shouwang.errors import FileError, InputError
from shouwang.language import Words, say
from shouwang.posts import Row, Skipped

if TYPE_CHECKING:
    import polars

STDIN = "-"
SNIFF_BYTES = 1 << 20
PARQUET_BATCH = 10_000


# --- reading rows ---------------------------------------------------------------------------------------------------


def read_rows(
    source: str | Path,
    *,
    encoding: str | None = None,
    text_column: str | None = None,
    raw: io.RawIOBase | None = None,
    has_option: bool = False,
) -> Iterator[Row | Skipped]:
    """The rows of a file (`.jsonl`, `.csv`, `.tsv`, `.parquet`, `.txt`, also `.gz`) or of standard input ("-").

    UTF-8, UTF-16 with a byte-order mark and GB18030 are told apart unless `encoding` names one. Where the name does
    not tell the format, `text_column` or a usual column name in the first line does. `raw` gives the bytes of a text
    file in its place; where it goes on after an end, that is a further file of the same format. `has_option`: whether
    the user has --encoding, so that hints may name it.
    Raises FileError when the file as a whole cannot be read; one without a record is a `Skipped`.
    """
    _check_encoding(encoding)
    parquet = _ending(str(source)) == ".parquet"
    rows = _parquet_rows(Path(source)) if parquet else _text_file(source, encoding, text_column, raw, has_option)
    found = False
    try:
        for row in rows:
            found = True
            yield row
    except FileNotFoundError:
        raise FileError(str(source), say("no such file; check the path", "没有这个文件，请检查路径")) from None
    except IsADirectoryError:
        raise FileError(str(source), say("a folder; name the files in it", "这是文件夹，请写明其中的文件")) from None
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise FileError(str(source), f"{say('cannot be read', '无法读取')} ({why})") from None
    if not found:
        yield Skipped(
            str(source),
            say("no record in it", "其中没有记录"),
            say("it is empty, or holds nothing but column names", "文件是空的，或只有列名"),
        )


def _check_encoding(name: str | None) -> None:
    try:
        "x".encode(name or "utf-8")
    except (LookupError, ValueError):
        raise InputError(
            say(
                f"unknown encoding '{name}'; try utf-8, gb18030 or utf-16",
                f"不认识的编码“{name}”；可试 utf-8、gb18030 或 utf-16",
            )
        ) from None


def _ending(name: str) -> str:
    return Path(name.lower().removesuffix(".gz")).suffix


def _text_file(
    source: str | Path, encoding: str | None, text_column: str | None, raw: io.RawIOBase | None, has_option: bool
) -> Iterator[Row | Skipped]:
    name = "stdin" if str(source) == STDIN else Path(source).name
    with _opened(source) if raw is None else io.BufferedReader(raw, SNIFF_BYTES) as stream:
        head = stream.peek(SNIFF_BYTES)
        encoding = codecs.lookup(encoding or _sniff_encoding(head)).name
        _refuse_binary(name, head, encoding, has_option)
        read = _format_of(name, head.decode(encoding, "replace"), text_column)
        yield from read(name, _decoded_lines(name, stream, encoding, has_option))
        while raw is not None and stream.peek(1):  # it came to an end and begins anew
            yield from read(name, _decoded_lines(name, stream, encoding, has_option))


@contextmanager
def _opened(source: str | Path) -> Iterator[io.BufferedReader]:
    """The bytes of a file or of standard input, unpacked where they are gzip."""
    named = str(source) != STDIN
    if not named and sys.stdin is None:
        raise FileError(STDIN, say("standard input is closed; name a file", "标准输入已关闭；请写明文件"))
    with ExitStack() as stack:
        stream = cast(
            io.BufferedReader,
            stack.enter_context(open(source if named else sys.stdin.fileno(), "rb", SNIFF_BYTES, closefd=named)),
        )
        if stream.peek(2).startswith(b"\x1f\x8b"):
            unpacked = cast(io.RawIOBase, stack.enter_context(gzip.GzipFile(fileobj=stream)))
            stream = cast(io.BufferedReader, io.BufferedReader(unpacked, SNIFF_BYTES))
        yield stream


_BINARY = {
    b"PAR1": Words("Parquet; name a file ending in .parquet", "这是 Parquet；文件名应以 .parquet 结尾"),
    b"PK\x03\x04": Words("a workbook or archive; save it as CSV", "这是工作簿（如 Excel）或压缩包；请另存为 CSV"),
}


def _refuse_binary(name: str, head: bytes, encoding: str, has_option: bool) -> None:
    for mark, found in _BINARY.items():
        if head.startswith(mark):
            raise FileError(name, str(found))
    if head.count(0) * 10 > len(head) and not encoding.startswith(("utf-16", "utf-32")):
        named = say("say so with --encoding utf-16-le", "请加 --encoding utf-16-le")
        fix = named if has_option else say("save it as UTF-8", "请另存为 UTF-8")
        raise FileError(name, say("not a text file; if it is UTF-16, ", "不是文本文件；若是 UTF-16，") + fix)


_Reader = Callable[[str, Lines], Iterator[Row | Skipped]]


def _format_of(name: str, head: str, text_column: str | None) -> _Reader:
    ending = _ending(name)
    if ending in _READERS:
        return _READERS[ending]
    first = head.lstrip("\ufeff \r\n")[:100_000].split("\n", 1)[0]
    if first.startswith("{"):
        return _jsonl_rows
    if re.match(r"\[\s*(\{|$)", first):
        raise FileError(
            name,
            say(
                "one JSON list; write one object per line instead, as `jq -c '.[]'` does",
                "整个文件是一个 JSON 列表；请改为每行一个对象，可用 `jq -c '.[]'`",
            ),
        )
    known = {*TEXT_COLUMNS, column_name(text_column or "text")}
    for separator in "\t,;":
        if known & {column_name(cell.strip('"\r')) for cell in first.split(separator)}:
            return tsv_rows if separator == "\t" else csv_rows
    return _text_rows


def _sniff_encoding(head: bytes) -> str:
    """UTF-8 where half of the lines that are not ASCII are valid in it, which no other text is by chance."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if _decodes(head, "utf-8"):
        return "utf-8"
    lines = [line for line in head.split(b"\n")[:20_000] if not line.isascii()]

    def valid(encoding: str) -> int:
        return sum(_decodes(line, encoding) for line in lines)

    is_utf8 = valid("utf-8") * 2 >= len(lines) or valid("gb18030") == 0
    return "utf-8" if is_utf8 else "gb18030"


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether the bytes are valid; a last character that is cut short is."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _decoded_lines(name: str, stream: BinaryIO, encoding: str, has_option: bool) -> Lines:
    if encoding.startswith(("utf-16", "utf-32")):  # the ones whose line ends are not bytes of their own
        text = io.TextIOWrapper(stream, encoding, errors="replace", newline="\n")
        for number, said in enumerate(text, 1):
            yield number, said.removeprefix("\ufeff") if number == 1 else said
            if not said.endswith("\n"):
                break  # the end, also where the stream begins anew after it
        text.detach()
        return
    fix = say("save the file as UTF-8", "请把文件存为 UTF-8")
    if has_option:
        fix += say(" or name its encoding with --encoding", "，或用 --encoding 指明编码")
    for number, line in enumerate(stream, 1):
        try:
            decoded = line.decode(encoding)
        except ValueError:
            yield Skipped(f"{name}:{number}", say(f"not valid {encoding}", f"不是有效的 {encoding}"), fix)
        else:
            yield number, decoded.removeprefix("\ufeff") if number == 1 else decoded
        if not line.endswith(b"\n"):
            return  # the end, also where the stream begins anew after it


def _jsonl_rows(name: str, lines: Lines) -> Iterator[Row | Skipped]:
    for item in lines:
        if isinstance(item, Skipped):
            yield item
            continue
        number, line = item
        if line.isspace():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            yield Skipped(
                f"{name}:{number}",
                say("not a complete JSON object", "不是完整的 JSON 对象"),
                say("one JSON object per line is expected", "应每行一个 JSON 对象"),
            )
            continue
        if isinstance(values, dict):
            yield Row(f"{name}:{number}", values)
        else:
            yield Skipped(
                f"{name}:{number}",
                say("JSON, but not an object", "是 JSON，但不是对象"),
                say('write {"id": ..., "text": ...}', '请写成 {"id": ..., "text": ...}'),
            )


def _text_rows(name: str, lines: Lines) -> Iterator[Row | Skipped]:
    """One post per line; a blank line is none."""
    for item in lines:
        if isinstance(item, Skipped):
            yield item
        elif not item[1].isspace():
            yield Row(f"{name}:{item[0]}", {"text": item[1].rstrip("\r\n")})


def _parquet_rows(path: Path) -> Iterator[Row | Skipped]:
    import polars  # heavy, and only Parquet needs it

    if not path.exists():
        raise FileNotFoundError
    try:
        batches = polars.scan_parquet(path, glob=False).collect_batches(chunk_size=PARQUET_BATCH)
        rows = (values for batch in batches for values in batch.iter_rows(named=True))
        for number, values in enumerate(rows, 1):
            yield Row(f"{path.name}:{number}", values)
    except polars.exceptions.PolarsError as error:
        what = say("not a readable Parquet file", "不是可读的 Parquet 文件")
        raise FileError(str(path), f"{what} ({type(error).__name__})") from None


_READERS: dict[str, _Reader] = {
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".csv": csv_rows,
    ".tsv": tsv_rows,
}


# --- writing rows ---------------------------------------------------------------------------------------------------


def count_rows(source: str | Path) -> int | None:
    """About how many rows a file holds (line ends counted, so quoted line breaks count too); None where unknown."""
    path = Path(source)
    if str(source) == STDIN or path.suffix.lower() == ".gz" or not path.is_file():
        return None
    if path.suffix.lower() == ".parquet":
        return _parquet_count(path)
    try:
        with path.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(SNIFF_BYTES), b""))
    except OSError:
        return None


def _parquet_count(path: Path) -> int | None:
    import polars  # heavy, and only Parquet needs it

    try:
        return int(polars.scan_parquet(path, glob=False).select(polars.len()).collect().item())
    except polars.exceptions.PolarsError:
        return None


_json = json.JSONEncoder(ensure_ascii=False).encode


def refuse_existing(output: Path) -> None:
    """Raises InputError where something is there already: nothing is written over."""
    if output.exists():
        raise InputError(
            say(
                f"{output} exists already; name another file or remove it", f"{output} 已存在；请换一个文件名，或删去它"
            )
        )


@contextmanager
def alone(lock: Path, taken: str) -> Iterator[None]:
    """While no other process is here: `lock` is a file that is there meanwhile. Raises InputError (`taken`) when one is."""
    from filelock import FileLock, Timeout  # what only reads needs it not

    held = FileLock(lock)
    try:
        held.acquire(blocking=False)
    except Timeout:
        raise InputError(taken) from None
    try:
        yield
    finally:
        held.release()
        lock.unlink(missing_ok=True)


def create_private(output: Path) -> TextIO:
    """A new file that its owner alone can read; raises FileExistsError where something is there already."""
    return os.fdopen(os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8")


def write_line(stream: TextIO, row: Mapping[str, object]) -> None:
    """One row as a line of JSONL."""
    stream.write(_json(row) + "\n")


def jsonl_to_csv(source: Path, target: Path) -> None:
    """A JSONL file as CSV, line by line; the first row's keys are the columns, lists and objects become JSON."""
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8-sig", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for line in lines:
            row = {
                name: _json(value) if isinstance(value, list | dict) else value
                for name, value in json.loads(line).items()
            }
            if writer is None:
                writer = csv.DictWriter(out, list(row))
                writer.writeheader()
            writer.writerow(row)


def jsonl_to_parquet(source: Path, target: Path, schema: Mapping[str, polars.DataType]) -> None:
    """A JSONL file as Parquet with that schema, in bounded memory."""
    import polars  # heavy, and only Parquet needs it
    from polars.io.plugins import register_io_source

    def batches(*_: object) -> Iterator[polars.DataFrame]:
        with source.open("rb") as lines:
            while batch := b"".join(islice(lines, PARQUET_BATCH)):
                yield polars.read_ndjson(batch, schema=dict(schema))

    register_io_source(batches, schema=dict(schema)).sink_parquet(target)
