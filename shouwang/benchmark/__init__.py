"""Models side by side: the same rounds, a resumable grid, one table."""

from __future__ import annotations

from shouwang.benchmark.grid import Cell, cells, finished, run
from shouwang.benchmark.report import Report, markdown, report
from shouwang.benchmark.study import Round, Study, load_study, study

__all__ = ["Cell", "Report", "Round", "Study", "cells", "finished", "load_study", "markdown", "report", "run", "study"]
