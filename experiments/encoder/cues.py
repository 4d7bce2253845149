"""The package's cues as numbers for a linear model."""

from __future__ import annotations

import numpy as np

from shouwang.cues import CUES
from shouwang.text import canonical

CAP = 3
SIZE = len(CUES) + 2


def count(text: str) -> np.ndarray:
    """Capped, square-rooted counts of every cue, then log length and the share of first-person words: [SIZE]."""
    plain = canonical(text).text
    row = np.zeros(SIZE, np.float32)
    for i, cue in enumerate(CUES):
        row[i] = min(CAP, sum(1 for _ in cue.regex.finditer(plain)))
    row = np.sqrt(row)
    row[-2] = np.log1p(len(text)) / 5
    row[-1] = text.count("我") / (len(text) + 5) * 5
    return row
