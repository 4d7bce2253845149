"""How far new posts are from their origins, and how varied they are among themselves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

ORDER = 4
MOST_COMPARED = 200
"""Posts of which self-BLEU is taken at most: its cost grows with the square."""


def edit_share(old: str, new: str) -> float:
    """Levenshtein distance over the length of the longer text, 0–1."""
    if not old and not new:
        return 0.0
    row = list(range(len(new) + 1))
    for i, a in enumerate(old, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(new, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1] / max(len(old), len(new))


def distinct(texts: Sequence[str], n: int) -> float:
    """Different character n-grams over all of them (Li et al., NAACL 2016), 0–1; nan when there is none."""
    grams = [gram for text in texts for gram in _grams(text, n)]
    return len(set(grams)) / len(grams) if grams else math.nan


def self_bleu(texts: Sequence[str]) -> float:
    """Mean BLEU-4 over characters of each text against all others (Zhu et al., SIGIR 2018), 0–1: lower is more varied.

    Precisions are smoothed by adding one above unigrams; of more than 200 texts, evenly spaced ones are taken. nan for
    fewer than two.
    """
    step = max(1, math.ceil(len(texts) / MOST_COMPARED))
    chosen = [text for text in texts[::step] if text]
    if len(chosen) < 2:
        return math.nan
    counts = [[Counter(_grams(text, n)) for n in range(1, ORDER + 1)] for text in chosen]
    return sum(_bleu(i, chosen, counts) for i in range(len(chosen))) / len(chosen)


def _bleu(i: int, texts: Sequence[str], counts: Sequence[Sequence[Counter[str]]]) -> float:
    logs = 0.0
    for n in range(ORDER):
        mine = counts[i][n]
        found = sum(
            min(times, max(other[n][gram] for j, other in enumerate(counts) if j != i)) for gram, times in mine.items()
        )
        smoothing = int(n > 0)
        precision = (found + smoothing) / (mine.total() + smoothing) if mine.total() + smoothing else 0.0
        if precision == 0:
            return 0.0
        logs += math.log(precision) / ORDER
    length = len(texts[i])
    nearest = min((len(text) for j, text in enumerate(texts) if j != i), key=lambda each: (abs(each - length), each))
    return math.exp(logs + min(0.0, 1 - nearest / length))


def _grams(text: str, n: int) -> list[str]:
    return [text[i : i + n] for i in range(len(text) - n + 1)]
