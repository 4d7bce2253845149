"""From an encoder's logits to probabilities: which columns answer which task, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shouwang.models.mixture import softmax
from shouwang.scale import LEVELS

Task = Literal["levels", "high"]
Floats = NDArray[np.float64]

FILE = "heads.json"
"""Beside the weights of an encoder; holds what `Heads.to_json` gives."""


def cumulative(logits: Floats) -> Floats:
    """Probabilities (n, K) from the log-odds (n, K - 1) of lying above each class but the last (Cao et al. 2020).

    Where a later threshold is more probable than an earlier one, the earlier one's probability stands for both.
    """
    above = np.minimum.accumulate(1 / (1 + np.exp(-np.clip(logits, -500, 500))), axis=1)
    edges = np.concatenate([np.ones((len(above), 1)), above, np.zeros((len(above), 1))], axis=1)
    probabilities: Floats = edges[:, :-1] - edges[:, 1:]
    return probabilities


LINKS: dict[str, Callable[[Floats], Floats]] = {"softmax": softmax, "cumulative": cumulative}
"""How the level columns become 11 probabilities; high and low are always a softmax of two columns."""


@dataclass(frozen=True, slots=True)
class Heads:
    """`levels` columns (11, or 10 thresholds; 0: the task is not answered), then two for low and high, or none."""

    levels: int
    high: bool
    link: str = "softmax"

    @property
    def columns(self) -> int:
        return self.levels + 2 * self.high

    @property
    def slices(self) -> dict[Task, slice]:
        """The columns of each task that is answered."""
        found: dict[Task, slice] = {}
        if self.levels:
            found["levels"] = slice(0, self.levels)
        if self.high:
            found["high"] = slice(self.levels, self.levels + 2)
        return found

    @property
    def names(self) -> list[str]:
        """A name per column, for the model's own config."""
        prefix = "level" if self.link == "softmax" else "above level"
        return [f"{prefix} {value}" for value in range(self.levels)] + ["low", "high"] * self.high

    def probabilities(self, logits: Floats) -> dict[Task, Floats]:
        """Per task (n, 11) or (n, 2: low, high), from logits (n, columns)."""
        links: dict[Task, Callable[[Floats], Floats]] = {"levels": LINKS[self.link], "high": softmax}
        logits = np.asarray(logits, np.float64)
        return {task: links[task](logits[:, part]) for task, part in self.slices.items()}

    def to_json(self) -> dict[str, Any]:
        return {"levels": self.levels, "high": self.high, "link": self.link}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Heads:
        return cls(int(row["levels"]), bool(row["high"]), str(row["link"]))


def heads_for(tasks: tuple[Task, ...], link: str = "softmax") -> Heads:
    """The heads that answer these tasks."""
    thresholds = link == "cumulative"
    return Heads(len(LEVELS) - thresholds if "levels" in tasks else 0, "high" in tasks, link)
