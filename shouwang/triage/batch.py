"""Files of posts to ranked assessments, in bounded memory, resumable.

Assessments go line by line into a partial file beside the output, which takes its final form and name when the last
post is done. The partial's name tells which run it belongs to.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from shouwang.errors import InputError
from shouwang.files import alone, jsonl_to_csv, jsonl_to_parquet, refuse_existing, write_line
from shouwang.language import say
from shouwang.posts import Assessment, Post, Skipped
from shouwang.scale import INDICATORS

if TYPE_CHECKING:
    import polars

Assess = Callable[[Iterable[Post]], Iterator[Assessment]]
Records = Iterable[Post | Skipped]

SHOWN_SKIPS = 20
SHOWN_OF_ID = 80  # characters
FLUSH_EVERY = 256
"""Assessments that a kill can cost at most; they are made again on resuming."""


@dataclass(slots=True)
class Summary:
    """What became of every record; `uncertain` counts posts in scope.

    `skips` holds the first few; all of them are in the `skipped_file`.
    """

    assessed: int = 0
    resumed: int = 0
    high: int = 0
    uncertain: int = 0
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


def urgency(assessment: Assessment) -> tuple[bool, bool, float, float]:
    """What posts are ranked by, highest first: high risk before the rest, then the expected level.

    A post can be low and still express a strong wish to die; the probability of high alone would bury it.
    That a post is uncertain does not move it: the expected level already weighs every level that is still possible,
    and with a rank of its own an unsure everyday post would come before a sure wish to die.
    Posts out of scope come last. Where a model gives no levels, the probability of high alone decides.
    """
    return assessment.scope == "ok", assessment.high, assessment.expected_level or 0.0, assessment.p_high


def assess_records(
    records: Records,
    assess: Assess,
    *,
    output: Path | None = None,
    run: str = "",
    top: int = 20,
    progress: Callable[[int], None] = ignore,
) -> Ranked:
    """Assess every post of a stream; write all in input order, keep the `top` highest.

    An interrupted run goes on where it stopped when it is called again with the same output and the same `run`, which
    spells what the assessments depend on (inputs, model). `progress` is called with 1 per record, skipped ones too.
    Raises InputError when the output exists, or when an unfinished run of something else stands there, or one that is
    still at work.
    """
    if output is None:
        return _ranked(records, assess, Summary(), None, top, progress)
    partial = _partial(output, run)
    taken = say(
        f"another run is writing {partial} just now; wait until it ends, or end it, and give the command again",
        f"另一次运行正在写 {partial}；请等它结束，或先结束它，再运行此命令",
    )
    with alone(_beside(partial, ".lock"), taken):
        ranked = _ranked(records, assess, Summary(output=output), partial, top, progress)
        _finish(partial, output, ranked.summary)
    return ranked


def _ranked(
    records: Records,
    assess: Assess,
    summary: Summary,
    partial: Path | None,
    top: int,
    progress: Callable[[int], None],
) -> Ranked:
    ranking: list[tuple[tuple[bool, bool, float, float], int, Post, Assessment]] = []
    with ExitStack() as stack:
        skips = None
        if summary.output is not None:
            skipped_file = _beside(summary.output, ".skipped.jsonl")
            skips = stack.enter_context(skipped_file.open("w", encoding="utf-8", errors="replace"))
        posts = _only_posts(records, summary, skips, progress)
        for post, assessment in _journalled(posts, assess, partial, summary):
            summary.assessed += 1
            summary.high += assessment.high
            if assessment.scope == "ok":
                summary.uncertain += assessment.uncertain
            else:
                summary.out_of_scope[assessment.scope] += 1
            entry = (urgency(assessment), -summary.assessed, post, assessment)
            if len(ranking) < top:
                heapq.heappush(ranking, entry)
            elif ranking and entry > ranking[0]:
                heapq.heapreplace(ranking, entry)
    return Ranked(
        [(post, assessment) for *_, post, assessment in sorted(ranking, key=lambda e: e[:2], reverse=True)], summary
    )


def _partial(output: Path, run: str) -> Path:
    """The partial file of that run; raises InputError when the output cannot be begun."""
    if output.suffix not in (".jsonl", ".csv", ".parquet"):
        raise InputError(
            f"{output.name}: "
            + say(
                f"cannot write '{output.suffix}'; use .jsonl, .csv or .parquet",
                f"不能写“{output.suffix}”；请用 .jsonl、.csv 或 .parquet",
            )
        )
    refuse_existing(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(output, f".{zlib.crc32(run.encode()):08x}.partial")
    for other in output.parent.glob(f"{escape(output.name)}.*.partial"):
        if other != partial:
            raise InputError(
                say(
                    f"{other} is an unfinished run over other input, with other columns or another model; "
                    "give that command again to finish it, remove the file, or name another output",
                    f"{other} 是一次未完成的运行，输入、列或模型不同；请重新输入那条命令把它做完，或删去该文件，"
                    "或换一个输出文件名",
                )
            )
    return partial


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
    posts: Iterator[Post], assess: Assess, partial: Path | None, summary: Summary
) -> Iterator[tuple[Post, Assessment]]:
    """Every post with its assessment: those that the partial file holds, then new ones, which are added to it."""
    for done in _done(partial) if partial is not None and partial.exists() else ():
        post = next(posts, None)
        if post is None or post.id != done.id:
            found = say("no more posts", "没有更多帖子") if post is None else say("post ", "帖子 ") + _short(post.id)
            raise InputError(
                say(
                    f"{partial} goes on with post {_short(done.id)}, the input with {found}; "
                    "give the input as it was, or remove the file to begin anew",
                    f"{partial} 接下去是帖子 {_short(done.id)}，而输入是{found}；请给出原来的输入，或删去该文件重新开始",
                )
            )
        summary.resumed += 1
        yield post, done
    waiting: deque[Post] = deque()

    def passing() -> Iterator[Post]:
        for post in posts:
            waiting.append(post)
            yield post

    with ExitStack() as stack:
        out = stack.enter_context(partial.open("a", encoding="utf-8")) if partial is not None else None
        for number, assessment in enumerate(assess(passing()), 1):
            if out is not None:
                write_line(out, assessment.to_row())
                if number % FLUSH_EVERY == 0:
                    out.flush()
            yield waiting.popleft(), assessment


def _short(name: str) -> str:
    return name if len(name) <= SHOWN_OF_ID else name[:SHOWN_OF_ID] + "…"


def _done(partial: Path) -> Iterator[Assessment]:
    """The assessments of an interrupted run; from a line on that was cut short, the file is cut off."""
    whole = 0
    with partial.open("r+b") as stream:
        for line in stream:
            try:
                assessment = Assessment.from_row(json.loads(line))
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            yield assessment
        stream.truncate(whole)


def _finish(partial: Path, output: Path, summary: Summary) -> None:
    skips = _beside(output, ".skipped.jsonl")
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
            jsonl_to_parquet(partial, unfinished, _schema())
        unfinished.rename(output)
    partial.unlink()


def _schema() -> dict[str, polars.DataType]:
    """The columns of an assessment in Parquet."""
    import polars as pl  # heavy, and only Parquet needs it

    spans = {"start": pl.Int64(), "end": pl.Int64(), "indicator": pl.String(), "weight": pl.Float64()}
    return {
        "id": pl.String(),
        "level": pl.Int64(),
        "level_name": pl.String(),
        "level_set": pl.List(pl.Int64()),
        "probabilities": pl.List(pl.Float64()),
        "expected_level": pl.Float64(),
        "high": pl.Boolean(),
        "p_high": pl.Float64(),
        "uncertain": pl.Boolean(),
        "indicators": pl.Struct({name: pl.Float64() for name in INDICATORS}),
        "evidence": pl.List(pl.Struct(spans)),
        "scope": pl.String(),
        "model": pl.String(),
    }
