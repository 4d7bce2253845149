"""Models side by side: the same rounds, a resumable grid, one report."""

from __future__ import annotations

from shouwang.benchmark.augmentation import with_augmentation
from shouwang.benchmark.contenders import Contender, changes_of, contender, contenders
from shouwang.benchmark.engines import Done, run
from shouwang.benchmark.estimate import Estimate, estimate
from shouwang.benchmark.grid import Cell, Job, cells, jobs, state
from shouwang.benchmark.page import page
from shouwang.benchmark.report import Report, report
from shouwang.benchmark.study import Round, Study, load_study, round_names, study
from shouwang.benchmark.tables import markdown

__all__ = [
    "Cell",
    "Contender",
    "Done",
    "Estimate",
    "Job",
    "Report",
    "Round",
    "Study",
    "cells",
    "changes_of",
    "contender",
    "contenders",
    "estimate",
    "jobs",
    "load_study",
    "markdown",
    "page",
    "report",
    "round_names",
    "run",
    "state",
    "study",
    "with_augmentation",
]
