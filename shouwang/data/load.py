"""A data set's name, or a file of one's own, to labelled posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path

from shouwang import files
from shouwang.columns import labelled_from, structured
from shouwang.data import fetch, sources
from shouwang.data.sources import DataFile, Source
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import LabelledPost, Row, Skipped

IDS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Record:
    """A post, and the columns of its source that are not labels of ours (emotion, explain, labels…)."""

    post: LabelledPost
    extra: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file of one's own gave, and what it could not."""

    posts: tuple[LabelledPost, ...]
    skipped: tuple[Skipped, ...]


def load(name: str, split: str | None = None, *, folder: Path | None = None) -> list[LabelledPost]:
    """The posts of "sos-1k", "sos-1k/test" or "sos-1k/folds", in the files' order; ids are like "sos-1k/test/0001".

    Files are looked for in `folder`, else in SHOUWANG_DATA, else in the cache, and verified.
    Raises InputError for an unknown name, and when a file is missing (how to fetch it) or is not the pinned one.
    """
    return [record.post for record in records(name, split, folder=folder)]


def parts(name: str, *, folder: Path | None = None) -> dict[str, list[LabelledPost]]:
    """As `load`, by split: "sos-1k/fold1", … → its posts."""
    source, splits = sources.parse(name)
    return {f"{source.name}/{split}": load(source.name, split, folder=folder) for split in splits}


def records(name: str, split: str | None = None, *, folder: Path | None = None) -> Iterator[Record]:
    """As `load`, one at a time and with the further columns of the source."""
    source, splits = sources.parse(f"{name}/{split}" if split else name)
    for each in splits:
        yield from _split(source, each, folder)


def load_file(
    path: Path,
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    level_column: str | None = None,
    high_column: str | None = None,
    has_option: bool = False,
) -> Loaded:
    """The posts of any JSONL, CSV, TSV or Parquet file; columns are guessed unless given.

    Raises FileError as `posts_from` does.
    """
    posts: list[LabelledPost] = []
    skipped: list[Skipped] = []
    columns = {"text_column": text_column, "id_column": id_column}
    labels = {"level_column": level_column, "high_column": high_column}
    for item in labelled_from(files.read_rows(path), **columns, **labels, has_option=has_option):
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            posts.append(item)
    return Loaded(tuple(posts), tuple(skipped))


def posts_of(spec: str) -> Sequence[LabelledPost]:
    """The posts of a file of one's own or of a data set's part.

    Raises InputError when a record cannot be read, and when an id stands twice: leaks are dropped, and origins known, by id.
    """
    if not is_file(spec):
        return load(spec)
    loaded = load_file(Path(spec))
    if loaded.skipped:
        raise InputError(
            f"{spec}: {len(loaded.skipped)} records cannot be read; correct them first: {loaded.skipped[0]}"
        )
    twice = [name for name, times in Counter(post.id for post in loaded.posts).items() if times > 1]
    if twice:
        named = ", ".join(twice[:IDS_SHOWN]) + (", …" if len(twice) > IDS_SHOWN else "")
        raise InputError(
            say(
                f"{spec}: {len(twice)} ids stand more than once ({named}); give every post an id of its own, or leave the id column out",
                f"{spec}：有 {len(twice)} 个编号重复（{named}）；请让每条帖子有自己的编号，或去掉编号列",
            )
        )
    return loaded.posts


def origins(spec: str, posts: Sequence[LabelledPost]) -> dict[str, list[str]]:
    """Of the posts that `posts_of` gave, by id, those that others were made into (`shouwang augment`): the ids of the others."""
    if not is_file(spec):
        return {}
    rows = zip(files.read_rows(Path(spec)), posts, strict=True)  # every record was read, so they stand side by side
    named = {post.id: list(map(str, structured(row, "origins", list))) for row, post in rows if isinstance(row, Row)}
    return {name: found for name, found in named.items() if found}


def people_wrote(spec: str) -> Sequence[LabelledPost]:
    """As `posts_of`, for posts that something is judged on. Raises InputError also where some were made from others."""
    posts = posts_of(spec)
    if made := origins(spec, posts):
        raise InputError(
            say(
                f"{spec}: {len(made)} posts were made from others, such as {min(made)}; only what people wrote is scored: "
                "leave them out",
                f"{spec}：有 {len(made)} 条由别的帖子改写而来，例如 {min(made)}；只用人写的帖子来评测：请去掉它们",
            )
        )
    return posts


def is_file(spec: str) -> bool:
    """Whether that names a file rather than a data set: there is one, or it has a suffix."""
    return Path(spec).is_file() or bool(Path(spec).suffix)


def _split(source: Source, split: str, folder: Path | None) -> Iterator[Record]:
    alike = [file for file in source.files if file.split == split]
    width = max(4, len(str(alike[0].rows)))
    readers = [_records(file, fetch.find(source, file, folder)) for file in alike]
    try:
        for number, together in enumerate(zip(*readers, strict=True), 1):
            yield _merged(f"{source.name}/{split}/{number:0{width}}", together, alike)
    except ValueError:
        raise InputError(f"{_names(alike)}: not the same number of rows; fetch '{source.name}' again") from None


def _merged(name: str, together: tuple[Record, ...], alike: list[DataFile]) -> Record:
    """One record from the files that label the same post; refuses when their texts differ."""
    first, *others = (record.post for record in together)
    level, high = first.level, first.high
    for other in others:
        if other.text.strip() != first.text.strip():
            raise InputError(f"post {name}: {_names(alike)} do not hold the same text there; fetch the data set again")
        level = other.level if level is None else level
        high = other.high if high is None else high
    extra = {key: value for record in together for key, value in record.extra.items()}
    return Record(replace(first, id=name, level=level, high=high), extra)


def _records(file: DataFile, path: Path) -> Iterator[Record]:
    rows, again = tee(files.read_rows(path, encoding="utf-8"))
    posts = labelled_from(
        again,
        text_column=file.columns["text"],
        level_column=file.columns.get("level"),
        high_column=file.columns.get("high"),
    )
    for row, post in zip(rows, posts, strict=True):
        if isinstance(row, Skipped) or isinstance(post, Skipped):
            raise InputError(f"{post}; check the column map of {file.path}")
        yield Record(post, {column: row.values[column] for column in file.extra})


def _names(alike: list[DataFile]) -> str:
    return " and ".join(file.path for file in alike)
