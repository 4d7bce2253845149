"""How long the rest of a grid will take, judged by the cells that are finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from shouwang.benchmark.grid import Job
from shouwang.benchmark.results import finished


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds on one process of the cells whose model has finished cells, how many those are, and the other models."""

    seconds: float
    known: int
    unknown: tuple[str, ...]


def estimate(todo: Sequence[Job], root: Path) -> Estimate:
    """A cell takes as long per training post as its model's finished cells of the task did, or else of any task (the
    median: the first of a process also loads libraries)."""
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    for result in finished(root)[0]:
        for task in (result.task, ""):
            rates[result.model, task].append(result.seconds["total"] / result.train_posts)
    seconds, unknown = [], []
    for job in todo:
        found = rates.get((job.cell.model, job.cell.task)) or rates.get((job.cell.model, ""))
        if found:
            seconds.append(median(found) * len(job.posts.train))
        else:
            unknown.append(job.cell.model)
    return Estimate(sum(seconds), len(seconds), tuple(dict.fromkeys(unknown)))
