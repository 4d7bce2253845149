"""Every finished cell of a folder as rows of scores: read from result files only."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shouwang.benchmark.averages import Rounds, difference, intervals, pooled
from shouwang.benchmark.results import Result, finished
from shouwang.benchmark.study import TEST
from shouwang.errors import InputError
from shouwang.evaluate import METRICS, Interval, Options, Task, measure
from shouwang.evaluate.metrics import PER_CLASS, Measure, support
from shouwang.language import say

HEADLINE = "weighted_f1"
REFERENCE = "tfidf-lr"


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation over runs (folds and seeds); sd is nan for one run."""

    mean: float
    sd: float
    runs: int


@dataclass(frozen=True, slots=True)
class Level:
    """One level (or low, high): its posts, and recall and F1 averaged over seeds."""

    posts: int
    recall: Interval
    f1: Interval


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one task, by metric: spread over folds and seeds; mean over seeds with its interval on the test set.

    `difference` is its score minus the reference's on the same test posts, `fold_difference` the same for the mean over
    folds; None where either lacks them, and for the reference itself. `levels` are scored on the posts that the folds
    hold out, or else on the test set.
    """

    study: str
    task: Task
    model: str
    seeds: tuple[int, ...]
    fold_posts: int
    folds: Mapping[str, Spread]
    test_posts: int
    test: Mapping[str, Interval]
    test_seeds: Mapping[str, Spread]
    difference: Interval | None
    fold_difference: Interval | None
    levels: tuple[Level, ...]
    seconds: Spread
    dropped: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """Rows from the weakest model over folds to the strongest; `reference` is the one that others are compared with.

    `broken` says which finished cells could not be read and were left out.
    """

    reference: str
    options: Options
    rows: tuple[Row, ...]
    broken: tuple[str, ...] = ()


_Rounds = dict[str, list[Result]]
"""The results of one model on one task: by round, in the order of their seeds."""


def report(root: Path, reference: str = REFERENCE, options: Options | None = None) -> Report:
    """Everything finished below `root`; cells that lack their completion marker are left out.

    Raises InputError when there is none, when cells of one round were not run on the same posts, when those of one
    model were run with other settings or versions, and when one cell stands in two folders.
    """
    options = options or Options()
    results, broken = finished(root)
    if not results:
        none = say(
            f"{root}: no finished cell; run shouwang benchmark first",
            f"{root}：没有已完成的格；请先运行 shouwang benchmark",
        )
        raise InputError(say("; ", "；").join((none, *broken)))
    _check_alike(results)
    groups: dict[tuple[str, Task, str], _Rounds] = defaultdict(lambda: defaultdict(list))
    for result in sorted(results, key=lambda each: (each.round, each.seed)):
        groups[result.study, result.task, result.model][result.round].append(result)
    rows = [_row(key, rounds, groups.get((*key[:2], reference), {}), options) for key, rounds in list(groups.items())]
    return Report(reference, options, tuple(sorted(rows, key=_order)), broken)


def _check_alike(results: Sequence[Result]) -> None:
    posts: dict[tuple[str, ...], str] = {}
    folds: dict[str, str] = {}
    contenders: dict[tuple[str, ...], Mapping[str, object]] = {}
    folders: dict[tuple[object, ...], Path] = {}
    for each in results:
        cell = (each.study, each.task, each.model, each.round, each.seed)
        if folders.setdefault(cell, each.folder) != each.folder:
            raise InputError(
                say(
                    f"{each.folder}: the same cell as {folders[cell]}; delete the older one of the two folders",
                    f"{each.folder}：与 {folders[cell]} 是同一格；请删除较旧的一个文件夹",
                )
            )
        if posts.setdefault((each.study, each.task, each.round), each.posts_sha256) != each.posts_sha256:
            raise InputError(
                say(
                    f"{each.folder}: run on other posts than the cells beside it, so they cannot be compared; run all "
                    "models again, or choose another folder",
                    f"{each.folder}：所用帖子与旁边的格不同，无法比较；请重新运行所有模型，或另选文件夹",
                )
            )
        if each.folds_sha256 and folds.setdefault(each.study, each.folds_sha256) != each.folds_sha256:
            raise InputError(
                say(
                    f"{each.folder}: its folds were cut from other data than those of the cells beside it, so they make no "
                    "mean; give the same command again until every cell is finished, or choose another folder",
                    f"{each.folder}：其各折与旁边的格切自不同的数据，不能求均值；请再次输入同一命令直到每格完成，或另选文件夹",
                )
            )
        if contenders.setdefault((each.study, each.task, each.model), each.contender) != each.contender:
            raise InputError(
                say(
                    f"{each.folder}: run with other settings or versions than the other cells of '{each.model}', so they "
                    "make no mean; run them all again with every round and seed, or choose another folder",
                    f"{each.folder}：所用设置或版本与“{each.model}”的其他格不同，不能求均值；请以全部轮次与种子重新运行，或另选文件夹",
                )
            )


def _row(key: tuple[str, Task, str], rounds: _Rounds, reference: _Rounds, options: Options) -> Row:
    folds = {name: cells for name, cells in rounds.items() if name != TEST}
    tests = rounds.get(TEST, [])
    cells = [cell for each in rounds.values() for cell in each]
    return Row(
        *key,
        seeds=tuple(sorted({cell.seed for cell in cells})),
        fold_posts=sum(len(each[0].answers) for each in folds.values()),
        folds=_spreads([cell for each in folds.values() for cell in each]),
        test_posts=len(tests[0].answers) if tests else 0,
        test=intervals(_functions(key[1]), _answers([tests]), options) if tests else {},
        test_seeds=_spreads(tests),
        difference=_difference([TEST], rounds, reference, options),
        fold_difference=_difference(sorted(folds), rounds, reference, options),
        levels=_levels(pooled(_answers(list(folds.values()))) if folds else _answers([tests]), options),
        seconds=_spread([cell.seconds["total"] for cell in cells]),
        dropped={name: each[0].dropped for name, each in rounds.items() if each[0].dropped},
    )


def _answers(rounds: Sequence[Sequence[Result]]) -> Rounds:
    return [[cell.answers for cell in each] for each in rounds]


def _functions(task: Task) -> dict[str, Measure]:
    return {name: metric.of for name, metric in METRICS[task].items()}


def _spreads(cells: Sequence[Result]) -> dict[str, Spread]:
    measured = [measure(cell.answers) for cell in cells]
    return {name: _spread([each[name] for each in measured]) for name in METRICS[cells[0].task]} if cells else {}


def _spread(values: Sequence[float]) -> Spread:
    defined = [value for value in values if not math.isnan(value)]
    mean = float(np.mean(defined)) if defined else math.nan
    return Spread(mean, float(np.std(defined, ddof=1)) if len(defined) > 1 else math.nan, len(defined))


def _difference(names: Sequence[str], rounds: _Rounds, reference: _Rounds, options: Options) -> Interval | None:
    """Over the rounds named that both have."""
    both = [name for name in names if name in rounds and name in reference]
    if not both or rounds is reference:
        return None
    mine, theirs = (_answers([each[name] for name in both]) for each in (rounds, reference))
    return difference(METRICS[rounds[both[0]][0].task][HEADLINE].of, mine, theirs, options)


def _levels(rounds: Rounds, options: Options) -> tuple[Level, ...]:
    found = intervals({name: PER_CLASS[name] for name in ("recall", "f1")}, rounds, options)
    counts = support(rounds[0][0])
    return tuple(Level(int(n), found[f"recall/{k}"], found[f"f1/{k}"]) for k, n in enumerate(counts))


def _order(row: Row) -> tuple[object, ...]:
    score = row.folds[HEADLINE].mean if row.folds else row.test[HEADLINE].value
    return row.study, list(METRICS).index(row.task), score, row.model
