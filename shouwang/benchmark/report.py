"""Every finished cell of a folder as one table: read from result files only."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shouwang.benchmark.grid import DONE, PREDICTIONS, RESULT
from shouwang.benchmark.study import TEST
from shouwang.errors import InputError
from shouwang.evaluate import METRICS, Answers, Difference, Interval, Options, Task, compare, of_high, of_levels

HEADLINE = "weighted_f1"
REFERENCE = "tfidf-lr"
BESIDE: dict[Task, str] = {"levels": "qwk", "high": "auroc"}
"""What the table shows next to F1; the JSON holds every metric."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation over folds; sd is nan for one fold."""

    mean: float
    sd: float
    folds: int


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one task: its spread over folds and its intervals on the test set, by metric.

    `difference` is its score minus the reference's on the same test posts; None without a test set, and for the
    reference itself.
    """

    study: str
    task: Task
    model: str
    seed: int
    fold_posts: int
    folds: Mapping[str, Spread]
    test_posts: int
    test: Mapping[str, Interval]
    difference: Difference | None
    dropped: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """Rows from the weakest model over folds to the strongest; `reference` is the one that others are compared with."""

    reference: str
    options: Options
    rows: tuple[Row, ...]


Found = dict[str, Any]


def report(root: Path, reference: str = REFERENCE, options: Options | None = None) -> Report:
    """Everything finished below `root`; cells that lack their completion marker are left out.

    Raises InputError when there is none, or when cells of one round were not run on the same posts.
    """
    options = options or Options()
    groups: dict[tuple[str, Task, str, int], dict[str, Found]] = defaultdict(dict)
    for cell in _finished(root):
        groups[cell["study"], cell["task"], cell["model"], cell["seed"]][cell["round"]] = cell
    rows = [_row(key, cells, groups.get((*key[:2], reference, key[3]), {}), options) for key, cells in groups.items()]
    return Report(reference, options, tuple(sorted(rows, key=_order)))


def _finished(root: Path) -> list[Found]:
    found: list[Found] = []
    posts: dict[tuple[str, ...], str] = {}
    for marker in sorted(root.glob(f"cells/**/{DONE}")):
        cell = json.loads((marker.parent / RESULT).read_text(encoding="utf-8"))
        where = cell["study"], cell["task"], cell["round"]
        if posts.setdefault(where, cell["posts_sha256"]) != cell["posts_sha256"]:
            raise InputError(
                f"{marker.parent}: run on other posts than the cells beside it, so they cannot be compared; run all "
                "models again, or choose another folder"
            )
        found.append(cell | {"folder": marker.parent})
    if not found:
        raise InputError(f"{root}: no finished cell; run shouwang benchmark first")
    return found


def _row(
    key: tuple[str, Task, str, int], cells: Mapping[str, Found], reference: Mapping[str, Found], options: Options
) -> Row:
    folds = [cell for name, cell in cells.items() if name != TEST]
    test = cells.get(TEST)
    return Row(
        *key,
        sum(cell["n"] for cell in folds),
        {name: _spread([cell["metrics"][name]["value"] for cell in folds]) for name in METRICS[key[1]] if folds},
        test["n"] if test else 0,
        {name: _interval(value) for name, value in test["metrics"].items()} if test else {},
        _difference(test, reference.get(TEST), options),
        {name: cell["dropped"] for name, cell in cells.items() if cell["dropped"]},
    )


def _spread(values: Sequence[float | None]) -> Spread:
    defined = [value for value in values if value is not None]
    mean = float(np.mean(defined)) if defined else math.nan
    return Spread(mean, float(np.std(defined, ddof=1)) if len(defined) > 1 else math.nan, len(defined))


def _interval(value: Mapping[str, Any]) -> Interval:
    point, low, high = (math.nan if value[name] is None else float(value[name]) for name in ("value", "low", "high"))
    return Interval(point, low, high, int(value["undefined"]))


def _difference(test: Found | None, reference: Found | None, options: Options) -> Difference | None:
    if test is None or reference is None or test["folder"] == reference["folder"]:
        return None
    headline = {HEADLINE: METRICS[test["task"]][HEADLINE].of}
    rng = np.random.default_rng(options.seed)
    return compare(headline, _answers(test), _answers(reference), rng, options.resamples)[HEADLINE]


def _answers(cell: Found) -> Answers:
    rows = [json.loads(line) for line in (cell["folder"] / PREDICTIONS).read_text(encoding="utf-8").splitlines()]
    gold = [row["gold"] for row in rows]
    if cell["task"] == "levels":
        return of_levels(gold, [row["probabilities"] for row in rows])
    return of_high([bool(each) for each in gold], [row["p_high"] for row in rows])


def _order(row: Row) -> tuple[object, ...]:
    score = row.folds[HEADLINE].mean if row.folds else row.test[HEADLINE].value
    return row.study, list(METRICS).index(row.task), score, row.model, row.seed


# --- the table ------------------------------------------------------------------------------------------------------


def markdown(found: Report) -> str:
    """One table; scores are 0–1, ± is the standard deviation over folds, brackets hold the 95 % interval."""
    heading = (
        "task",
        "model",
        "weighted F1, folds",
        "weighted F1, test",
        "macro F1, test",
        "QWK (levels) or AUROC (high), test",
        f"minus {found.reference}, weighted F1, test",
    )
    lines = ["| " + " | ".join(heading) + " |", "|---" * len(heading) + "|"]
    lines += ["| " + " | ".join(_cells(row, found)) + " |" for row in found.rows]
    return "\n".join([*lines, "", *_notes(found)]) + "\n"


def _cells(row: Row, found: Report) -> tuple[str, ...]:
    seeds = len({each.seed for each in found.rows}) > 1
    return (
        row.task,
        f"{row.model}, seed {row.seed}" if seeds else row.model,
        plus_minus(row.folds.get(HEADLINE)),
        bracketed(row.test.get(HEADLINE)),
        bracketed(row.test.get("macro_f1")),
        bracketed(row.test.get(BESIDE[row.task])),
        bracketed(row.difference, sign="+"),
    )


def plus_minus(spread: Spread | None) -> str:
    return "–" if spread is None else f"{spread.mean:.3f} ± {spread.sd:.3f}"


def bracketed(interval: Interval | None, sign: str = "") -> str:
    if interval is None or math.isnan(interval.value):
        return "–"
    return f"{interval.value:{sign}.3f} [{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def _notes(found: Report) -> list[str]:
    notes = []
    for study in dict.fromkeys(row.study for row in found.rows):
        rows = [row for row in found.rows if row.study == study]
        counts = {
            (row.task, max(s.folds for s in row.folds.values()) if row.folds else 0, row.fold_posts, row.test_posts)
            for row in rows
        }
        notes += [
            f"{study}, {task}: {folds} folds with {posts} posts held out in all; test n = {test}."
            for task, folds, posts, test in sorted(counts)
        ]
        dropped = {name: ids for row in rows for name, ids in row.dropped.items()}
        notes += [
            f"Left out of training for {name}, because they also stand in what is scored: {', '.join(ids)}."
            for name, ids in sorted(dropped.items())
        ]
    notes.append(
        f"Intervals: percentile bootstrap over posts, {found.options.resamples} resamples, seed {found.options.seed}."
    )
    return [f"{note}  " for note in notes]
