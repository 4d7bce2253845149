"""How good predictions are: metrics with intervals, comparisons, calibration, slices, confusion.

    report = evaluate(read_gold("gold.jsonl"), read_predictions("assessed.jsonl"))
    report.tasks["levels"].metrics["weighted_f1"]

Everything below the reading of files is a pure function of gold and probabilities.
"""

from __future__ import annotations

from shouwang.evaluate.answers import TASKS, Answers, Task, of_high, of_levels
from shouwang.evaluate.intervals import Difference, Interval, bootstrap, compare
from shouwang.evaluate.metrics import METRICS, measure
from shouwang.evaluate.predictions import Gold, Predictions, gold_from, read_gold, read_predictions
from shouwang.evaluate.report import Options, Report, TaskReport, evaluate, jsonable, measured, per_class

__all__ = [
    "METRICS",
    "TASKS",
    "Answers",
    "Difference",
    "Gold",
    "Interval",
    "Options",
    "Predictions",
    "Report",
    "Task",
    "TaskReport",
    "bootstrap",
    "compare",
    "evaluate",
    "gold_from",
    "jsonable",
    "measure",
    "measured",
    "of_high",
    "of_levels",
    "per_class",
    "read_gold",
    "read_predictions",
]
