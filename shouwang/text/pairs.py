"""How common Chinese characters sound, and how likely one follows another: what tells a disguise from ordinary words.

The table (`pairs.safetensors`) was counted from SmileChat's client turns (CC0) and the words of jieba's dictionary (MIT)
by `shouwang.train.builtin.pairs`, and holds no longer stretch than two characters. The chance of a pair is smoothed by
absolute discounting with the chance of the single character (Ney, Essen and Kneser 1994).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

EDGE = "。"
"""Stands for whatever is no common Chinese character: punctuation, a letter, the end of the text."""

STEPS_PER_NAT = 12
"""Chances are stored as bytes: -12 times their natural logarithm, rounded."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """n common characters by number, `EDGE` first.

    `sounds` (n): syllable without tone, "" for `EDGE`. `alone` (n): chance of a character whatever stands before it.
    `shared` (n): the part of the chances after a character that `alone` spreads over all. `codes`: n · first + second
    of the pairs that have a chance of their own, in order; `chances`: those.
    """

    number: Mapping[str, int]
    sounds: Sequence[str]
    alone: Floats
    shared: Floats
    codes: Ints
    chances: Floats

    def after(self, first: Ints, second: Ints) -> Floats:
        """The chances (n, m) that m characters follow n."""
        codes = first[:, None] * len(self.number) + second
        at = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        own = np.where(self.codes[at] == codes, self.chances[at], 0)
        return np.asarray(self.shared[first][:, None] * self.alone[second] + own)

    def log_chance(self, text: str) -> float:
        """Natural logarithm of the chance of a text, given its first character."""
        return sum(math.log(self._chance(self.number.get(a, 0), self.number.get(b, 0))) for a, b in pairwise(text))

    def _chance(self, first: int, second: int) -> float:
        code = first * len(self.number) + second
        at = bisect_left(self.codes, code)
        own = self.chances[at] if at < len(self.codes) and self.codes[at] == code else 0.0
        return float(self.shared[first] * self.alone[second] + own)


@cache
def pairs() -> Pairs:
    """The table that comes with the package."""
    from safetensors.numpy import load

    stored = load(resources.files("shouwang.text").joinpath("pairs.safetensors").read_bytes())
    names = stored["syllables"].tobytes().decode("ascii").split(" ")
    return Pairs(
        {chr(point): i for i, point in enumerate(stored["characters"].tolist())},
        [names[i] for i in stored["sounds"].tolist()],
        np.exp(-stored["alone"].astype(np.float64)),
        stored["shared"].astype(np.float64),
        stored["codes"].astype(np.int64),
        np.exp(-stored["chances"].astype(np.float64) / STEPS_PER_NAT),
    )
