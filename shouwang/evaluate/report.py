"""Everything that is said about one prediction file: one call, one record, JSON types on request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from shouwang import scale
from shouwang.errors import InputError
from shouwang.evaluate.answers import TASKS, THRESHOLD, Answers, Task
from shouwang.evaluate.calibration import Bin, reliability
from shouwang.evaluate.intervals import RESAMPLES, Difference, Interval, bootstrap, compare
from shouwang.evaluate.metrics import METRICS, PER_CLASS, Measure, confusions, support, task_of
from shouwang.evaluate.predictions import Gold, Matched, Predictions, answerable, match
from shouwang.evaluate.slices import Slice, slices
from shouwang.language import say

CLASSES: dict[Task, tuple[str, ...]] = {
    "levels": tuple(str(each.value) for each in scale.LEVELS),
    "high": ("low", "high"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure: where high begins, and how many bootstrap resamples are drawn from which seed."""

    threshold: float = THRESHOLD
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PerClass:
    """One level (or low, high): posts in gold, posts predicted as it, and its scores."""

    support: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both predictions on the n posts that both answer; `left_out` names those that only one does."""

    other: str
    n: int
    left_out: tuple[str, ...]
    metrics: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task measured on n posts; ids that lack a label or an answer are named, not counted."""

    n: int
    metrics: Mapping[str, Interval]
    per_class: Mapping[str, PerClass]
    confusion: Sequence[Sequence[int]]
    reliability: Sequence[Bin]
    slices: Mapping[str, Slice]
    unlabelled: tuple[str, ...]
    only_gold: tuple[str, ...]
    only_predicted: tuple[str, ...]
    gold_high_from_level: bool
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What `shouwang evaluate` says."""

    predictions: str
    gold: str
    options: Options
    tasks: Mapping[Task, TaskReport]
    skipped: Mapping[str, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether every record was read and every labelled post was answered."""
        return not any(self.skipped.values()) and not any(each.only_gold for each in self.tasks.values())


def evaluate(
    gold: Gold,
    predictions: Predictions,
    tasks: Sequence[Task] | None = None,
    other: Predictions | None = None,
    options: Options | None = None,
) -> Report:
    """Predictions against gold, for the tasks named or else for all that both sides hold.

    Raises InputError when nothing can be compared.
    """
    options = options or Options()
    chosen = tasks or [task for task in TASKS if answerable(task, gold, predictions)]
    if not chosen:
        raise InputError(
            say(
                f"{gold.source} and {predictions.source} share no task: nothing to evaluate",
                f"{gold.source} 与 {predictions.source} 没有共同的任务，无可评估：标注要有 level 或 high 列",
            )
        )
    if other and len(chosen) > 1:
        _refuse_half_answered(chosen, gold, other)
    return Report(
        predictions.source,
        gold.source,
        options,
        {task: _task_report(task, gold, predictions, other, options) for task in chosen},
        _skipped(gold, predictions, other),
    )


def _refuse_half_answered(chosen: Sequence[Task], gold: Gold, other: Predictions) -> None:
    shared = [task for task in chosen if answerable(task, gold, other)]
    if len(shared) == 1:
        raise InputError(
            say(
                f"{other.source} answers task '{shared[0]}' alone; to compare on that one, add --task {shared[0]}",
                f"{other.source} 只回答了任务 {shared[0]}；若只比较这一项，请加 --task {shared[0]}",
            )
        )


def _skipped(*reads: Gold | Predictions | None) -> dict[str, tuple[str, ...]]:
    """By file what could not be read; one file may be both gold and predictions."""
    found: dict[str, tuple[str, ...]] = {}
    for read in reads:
        if read and read.skipped:
            found[read.source] = tuple(dict.fromkeys([*found.get(read.source, ()), *map(str, read.skipped)]))
    return found


def _task_report(
    task: Task, gold: Gold, predictions: Predictions, other: Predictions | None, options: Options
) -> TaskReport:
    matched = match(task, gold, predictions, options.threshold)
    answers = matched.answers
    return TaskReport(
        len(answers),
        measured(answers, options),
        per_class(answers, options),
        [[int(count) for count in row] for row in confusions(answers)],
        reliability(answers),
        slices(answers, matched.posts),
        matched.unlabelled,
        matched.only_gold,
        matched.only_predicted,
        matched.gold_high_from_level,
        None if other is None else _comparison(task, gold, matched, other, options),
    )


def measured(answers: Answers, options: Options) -> dict[str, Interval]:
    """Every metric of the task with its interval."""
    return bootstrap(_functions(answers), answers, np.random.default_rng(options.seed), options.resamples)


def per_class(answers: Answers, options: Options) -> dict[str, PerClass]:
    """Each level's (or low's and high's) scores with their intervals."""
    found = bootstrap(PER_CLASS, answers, np.random.default_rng(options.seed), options.resamples)
    present, predicted = support(answers), confusions(answers).sum(axis=0)
    return {
        name: PerClass(int(present[k]), int(predicted[k]), *(found[f"{score}/{k}"] for score in PER_CLASS))
        for k, name in enumerate(CLASSES[task_of(answers)])
    }


def _functions(answers: Answers) -> dict[str, Measure]:
    return {name: metric.of for name, metric in METRICS[task_of(answers)].items()}


def _comparison(task: Task, gold: Gold, first: Matched, other: Predictions, options: Options) -> Comparison:
    second = match(task, gold, other, options.threshold)
    mine, theirs = [post.id for post in first.posts], [post.id for post in second.posts]
    both = set(mine) & set(theirs)
    if not both:
        raise InputError(f"task '{task}': {other.source} answers none of the posts that the first file answers")
    metrics = compare(
        _functions(first.answers),
        first.answers.where(np.array([name in both for name in mine])),
        second.answers.where(np.array([name in both for name in theirs])),
        np.random.default_rng(options.seed),
        options.resamples,
    )
    left_out = tuple(name for name in dict.fromkeys(mine + theirs) if name not in both)
    return Comparison(other.source, len(both), left_out, metrics)


def jsonable(value: object) -> object:
    """Records as JSON types; nan becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: jsonable(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): jsonable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
