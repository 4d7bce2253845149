"""The confusion matrix to look at: as text and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg")
DOTS_PER_INCH = 150


def as_text(counts: NDArray[np.float64], names: Sequence[str]) -> str:
    """Counts (K, K) as aligned lines: gold by row, predicted by column, "·" for none, totals at the edges."""
    width = max(4, len(f"{counts.sum():.0f}"), *map(len, names))
    rows = [["", *names, "Σ"]]
    rows += [[name, *map(_cell, row), _cell(row.sum())] for name, row in zip(names, counts, strict=True)]
    rows.append(["Σ", *map(_cell, counts.sum(axis=0)), _cell(counts.sum())])
    return "\n".join(" ".join(cell.rjust(width) for cell in row) for row in rows)


def _cell(count: float) -> str:
    return f"{count:.0f}" if count else "·"


def save_picture(counts: NDArray[np.float64], names: Sequence[str], path: Path, title: str = "") -> None:
    """Counts (K, K) drawn to a .png or .svg; a cell's shade is its share of the gold class.

    Words are English: no Chinese font is assumed. Raises InputError on another ending, MissingExtraError without
    matplotlib.
    """
    if path.suffix.lower() not in PICTURES:
        raise InputError(f"{path}: a picture is written as {' or '.join(PICTURES)}; choose one of these endings")
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("Drawing a confusion matrix", "plot") from None
    figure = Figure(figsize=(1.6 + 0.55 * len(names), 1.2 + 0.55 * len(names)), layout="constrained")
    _draw(figure, counts, names, title)
    with rc_context({"svg.hashsalt": "shouwang"}):  # the same matrix gives the same file
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def _draw(figure: Figure, counts: NDArray[np.float64], names: Sequence[str], title: str) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="predicted", ylabel="gold", title=title)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    for (gold, predicted), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[gold, predicted] > 0.5 else "black"
            axes.text(predicted, gold, f"{count:.0f}", ha="center", va="center", color=colour)
    figure.colorbar(image, ax=axes, label="share of the gold class", shrink=0.8)
