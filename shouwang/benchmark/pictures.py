"""A report's pictures as SVG. Words are English: no Chinese font is assumed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from shouwang.benchmark.report import HEADLINE, Report, Row
from shouwang.evaluate.report import CLASSES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictures(found: Report) -> dict[str, str]:
    """Title to SVG: for every study and task the scores with their intervals, and F1 per class; {} without matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return {}
    made = {}
    for study, task in dict.fromkeys((row.study, row.task) for row in found.rows):
        rows = [row for row in found.rows if (row.study, row.task) == (study, task)]
        made[f"{study}, {task}: weighted F1"] = _svg(_scores(rows))
        made[f"{study}, {task}: F1 per class"] = _svg(_levels(rows))
    return made


def _scores(rows: Sequence[Row]) -> Figure:
    """Test scores with their 95 % intervals, and the mean over folds with its standard deviation."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.2 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for at, row in enumerate(rows):
        test, folds = row.test.get(HEADLINE), row.folds.get(HEADLINE)
        if test:
            axes.plot([test.low, test.high], [at + 0.12] * 2, color="C0")
            axes.plot(test.value, at + 0.12, "o", color="C0", label="test, 95 % interval" if at == 0 else None)
        if folds:
            sd = np.nan_to_num(folds.sd)
            axes.plot([folds.mean - sd, folds.mean + sd], [at - 0.12] * 2, color="C1")
            axes.plot(folds.mean, at - 0.12, "s", color="C1", label="folds, mean ± sd" if at == 0 else None)
    axes.set_yticks(range(len(rows)), [row.model for row in rows])
    axes.set(xlabel="weighted F1", ylim=(-0.5, len(rows) - 0.5))
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _levels(rows: Sequence[Row]) -> Figure:
    from matplotlib.figure import Figure

    names = CLASSES[rows[0].task]
    scores = np.array([[level.f1.value for level in row.levels] for row in rows])
    figure = Figure(figsize=(2.6 + 0.55 * len(names), 1.4 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(scores, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(
        range(len(names)), [f"{n}\nn={level.posts}" for n, level in zip(names, rows[0].levels, strict=True)]
    )
    axes.set_yticks(range(len(rows)), [row.model for row in rows])
    for (at, k), score in np.ndenumerate(scores):
        if not np.isnan(score):
            axes.text(k, at, f"{score:.2f}", ha="center", va="center", color="white" if score > 0.5 else "black")
    figure.colorbar(image, ax=axes, label="F1")
    return figure


def _svg(figure: Figure) -> str:
    """Only the drawing, to be set into a page; the same figure gives the same text."""
    from matplotlib import rc_context

    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "shouwang"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
