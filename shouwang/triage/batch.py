"""Files of posts to ranked assessments, in bounded memory, resumable.

Assessments go line by line into `OUTPUT.partial`, which takes its final form and name when the last post is done.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import polars

from shouwang.errors import InputError
from shouwang.files import jsonl_to_csv, jsonl_to_parquet, write_line
from shouwang.posts import Assessment, Post, Skipped
from shouwang.scale import INDICATORS

Assess = Callable[[Iterable[Post]], Iterator[Assessment]]
Records = Iterable[Post | Skipped]

SHOWN_SKIPS = 20
FLUSH_EVERY = 256
"""Assessments that a kill can cost at most; they are made again on resuming."""

SCHEMA: dict[str, polars.DataType] = {
    "id": polars.String(),
    "level": polars.Int64(),
    "level_name": polars.String(),
    "probabilities": polars.List(polars.Float64()),
    "expected_level": polars.Float64(),
    "high": polars.Boolean(),
    "p_high": polars.Float64(),
    "indicators": polars.Struct({name: polars.Float64() for name in INDICATORS}),
    "evidence": polars.List(
        polars.Struct(
            {"start": polars.Int64(), "end": polars.Int64(), "indicator": polars.String(), "weight": polars.Float64()}
        )
    ),
    "scope": polars.String(),
    "model": polars.String(),
}


@dataclass(slots=True)
class Summary:
    """What became of every record. `skips` holds the first few; all of them are in the `skipped_file`."""

    assessed: int = 0
    resumed: int = 0
    high: int = 0
    out_of_scope: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    skips: list[Skipped] = field(default_factory=list)
    repeated_ids: int = 0
    output: Path | None = None
    skipped_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The posts with the highest risk, highest first, and the summary of all."""

    top: list[tuple[Post, Assessment]]
    summary: Summary


def ignore(count: int) -> None:
    """A progress that nobody watches."""


def assess_records(
    records: Records,
    assess: Assess,
    *,
    output: Path | None = None,
    top: int = 20,
    progress: Callable[[int], None] = ignore,
) -> Ranked:
    """Assess every post of a stream; write all in input order, keep the `top` highest.

    `progress` is called with 1 per record, skipped ones too. Raises InputError when the output exists,
    or when its partial file belongs to other posts.
    """
    summary = Summary(output=output)
    ranking: list[tuple[float, float, int, Post, Assessment]] = []
    with ExitStack() as stack:
        partial = skips = None
        if output is not None:
            _refuse(output)
            partial = stack.enter_context(_beside(output, ".partial").open("a+", encoding="utf-8"))
            skips = stack.enter_context(_beside(output, ".skipped.jsonl").open("w", encoding="utf-8"))
        posts = _only_posts(records, summary, skips, progress)
        for post, assessment in _journalled(posts, assess, partial, summary):
            summary.assessed += 1
            summary.high += assessment.high
            if assessment.scope != "ok":
                summary.out_of_scope[assessment.scope] += 1
            entry = (assessment.p_high, assessment.expected_level, -summary.assessed, post, assessment)
            if len(ranking) < top:
                heapq.heappush(ranking, entry)
            elif ranking:
                heapq.heappushpop(ranking, entry)
    if output is not None:
        _finish(output, summary)
    return Ranked(
        [(post, assessment) for *_, post, assessment in sorted(ranking, key=lambda e: e[:3], reverse=True)], summary
    )


def _refuse(output: Path) -> None:
    if output.suffix not in (".jsonl", ".csv", ".parquet"):
        raise InputError(f"{output.name}: cannot write '{output.suffix}'; use .jsonl, .csv or .parquet")
    if output.exists():
        raise InputError(f"{output} exists already; name another file or remove it")
    output.parent.mkdir(parents=True, exist_ok=True)


def _beside(output: Path, ending: str) -> Path:
    return output.with_name(output.name + ending)


def _only_posts(
    records: Records, summary: Summary, skips: TextIO | None, progress: Callable[[int], None]
) -> Iterator[Post]:
    seen: set[int] = set()
    for record in records:
        progress(1)
        if isinstance(record, Skipped):
            summary.skipped += 1
            if len(summary.skips) < SHOWN_SKIPS:
                summary.skips.append(record)
            if skips is not None:
                write_line(skips, asdict(record))
            continue
        summary.repeated_ids += hash(record.id) in seen
        seen.add(hash(record.id))
        yield record


def _journalled(
    posts: Iterator[Post], assess: Assess, partial: TextIO | None, summary: Summary
) -> Iterator[tuple[Post, Assessment]]:
    """Every post with its assessment: those that the partial file holds, then new ones, which are added to it."""
    for done in _done(partial) if partial is not None else ():
        post = next(posts, None)
        if post is None or post.id != done.id:
            found = "no more posts" if post is None else f"post {post.id}"
            raise InputError(
                f"the partial output goes on with post {done.id}, the input with {found}; remove the partial"
            )
        summary.resumed += 1
        yield post, done
    waiting: deque[Post] = deque()

    def passing() -> Iterator[Post]:
        for post in posts:
            waiting.append(post)
            yield post

    for number, assessment in enumerate(assess(passing()), 1):
        if partial is not None:
            write_line(partial, assessment.to_row())
            if number % FLUSH_EVERY == 0:
                partial.flush()
        yield waiting.popleft(), assessment


def _done(partial: TextIO) -> Iterator[Assessment]:
    """The assessments of an interrupted run; a line that was cut short is cut off."""
    partial.seek(0)
    whole = 0
    while (line := partial.readline()).endswith("\n"):
        whole = partial.tell()
        yield Assessment.from_row(json.loads(line))
    partial.seek(whole)
    partial.truncate()


def _finish(output: Path, summary: Summary) -> None:
    partial, skips = _beside(output, ".partial"), _beside(output, ".skipped.jsonl")
    if summary.skipped:
        summary.skipped_file = skips
    else:
        skips.unlink()
    if not summary.assessed:
        summary.output = None
    elif output.suffix == ".jsonl":
        partial.rename(output)
        return
    else:
        unfinished = _beside(output, ".converting")
        if output.suffix == ".csv":
            jsonl_to_csv(partial, unfinished)
        else:
            jsonl_to_parquet(partial, unfinished, SCHEMA)
        unfinished.rename(output)
    partial.unlink()
