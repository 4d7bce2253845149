"""`shouwang assess`: posts in, ranked risk out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from shouwang import files
from shouwang.cli.assess_table import print_table
from shouwang.cli.operating import in_use, stream_of
from shouwang.cli.options import AsJson, BaseRate, Encoding, Files, IdColumnName, ModelFolder, Rest, TextColumnName
from shouwang.columns import posts_from
from shouwang.errors import ALL_WELL, INTERRUPTED, NOTHING_DONE, SOME_SKIPPED, FileError, InputError
from shouwang.language import language, say
from shouwang.posts import Post, Skipped
from shouwang.triage.batch import Ranked, assess_records

RECORDS_PER_STEP = 500  # of the progress bar


def assess(
    posts: Files,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=say(
                "Write every assessment, in input order: .jsonl, .csv or .parquet. Resumes if interrupted.",
                "按输入顺序写出全部结果：.jsonl、.csv 或 .parquet。中断后可续跑。",
            ),
        ),
    ] = None,
    text_column: TextColumnName = None,
    id_column: IdColumnName = None,
    encoding: Encoding = None,
    top: Annotated[int, typer.Option(min=0, help=say("Posts to show.", "显示多少条。"))] = 20,
    model: ModelFolder = None,
    operating_point: Annotated[
        str | None,
        typer.Option(
            help=say(
                "From where on a post is high: recall95, recall99, balanced or workload=200/1000 "
                "(see operating-points).",
                "从何处起算高风险：recall95、recall99、balanced 或 workload=200/1000（见 operating-points）。",
            )
        ),
    ] = None,
    base_rate: BaseRate = None,
    rest: Rest = None,
    deidentify: Annotated[
        bool,
        typer.Option(
            "--deidentify",
            help=say(
                "Show posts without @names, numbers and addresses; count what was replaced.",
                "显示帖子时替换其中的账号、号码、地址等，并给出替换数。",
            ),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read, assess, show; the exit code says whether records were skipped."""
    from shouwang.models import store  # takes a third of a second, which the other commands do without

    loaded = store.load(model)
    stream = stream_of(loaded, base_rate, rest)
    if operating_point is not None:
        loaded = loaded.at(operating_point, stream)
    records = _read(posts, text_column=text_column, id_column=id_column, encoding=encoding)
    basis = (loaded.name, loaded.version, loaded.threshold, str(model), language(), text_column, id_column, encoding)
    try:
        with _progress(_total(posts)) as progress:
            ranked = assess_records(
                records,
                loaded.stream,
                output=output,
                run=json.dumps((*basis, [(source, _size(source)) for source in posts])),
                top=top,
                progress=progress,
            )
    except KeyboardInterrupt:
        _print_interrupted(output)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        _print_json(ranked, {"name": loaded.point, "threshold": loaded.threshold})
    else:
        print_table(ranked, hide_identifiers=deidentify)
        Console(highlight=False, markup=False, soft_wrap=True).print(in_use(loaded, stream))
    summary = ranked.summary
    raise typer.Exit(NOTHING_DONE if not summary.assessed else SOME_SKIPPED if summary.skipped else ALL_WELL)


def _read(
    sources: Iterable[str], *, text_column: str | None, id_column: str | None, encoding: str | None
) -> Iterator[Post | Skipped]:
    """The posts of every file; a file that cannot be read is skipped as a whole."""
    for source in sources:
        try:
            rows = files.read_rows(source, encoding=encoding, text_column=text_column, has_option=True)
            yield from posts_from(rows, text_column=text_column, id_column=id_column)
        except FileError as error:
            yield Skipped(error.place(source), error.what)
        except InputError as error:
            yield Skipped(source, str(error))


def _total(sources: Iterable[str]) -> int | None:
    counts = [files.count_rows(source) for source in sources]
    return None if None in counts else sum(count or 0 for count in counts)


def _size(source: str) -> int | None:
    return Path(source).stat().st_size if Path(source).is_file() else None


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error, and what moves it on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True))
    console = Console(stderr=True)
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    waiting = 0
    with bar:
        task = bar.add_task(say("assessing", "评估中"), total=total)

        def advance(count: int) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= RECORDS_PER_STEP:
                bar.advance(task, waiting)
                waiting = 0

        yield advance


def _print_interrupted(output: Path | None) -> None:
    Console(stderr=True, highlight=False, markup=False).print(
        say(
            "Interrupted: what is done is kept; give the same command again to go on.",
            "已中断：已完成的部分已保留；再次运行同一命令即可继续。",
        )
        if output
        else say("Interrupted. With --output, a run can be resumed.", "已中断。加上 --output 的运行可以续跑。"),
        soft_wrap=True,
    )


def _print_json(ranked: Ranked, operating_point: dict[str, object]) -> None:
    summary = ranked.summary
    found = {
        "assessed": summary.assessed,
        "resumed": summary.resumed,
        "high": summary.high,
        "uncertain": summary.uncertain,
        "operating_point": operating_point,
        "out_of_scope": dict(summary.out_of_scope),
        "skipped": summary.skipped,
        "skips": [{"where": s.where, "reason": s.reason, "fix": s.fix} for s in summary.skips],
        "repeated_ids": summary.repeated_ids,
        "output": summary.output and str(summary.output),
        "skipped_file": summary.skipped_file and str(summary.skipped_file),
        "top": [assessment.to_row() for _, assessment in ranked.top],
    }
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
