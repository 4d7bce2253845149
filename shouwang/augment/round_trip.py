"""New posts by translation into another language and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from shouwang.augment.records import Augmented, NothingMadeError, Task, child
from shouwang.augment.translators import CHINESE, Kept
from shouwang.posts import LabelledPost
from shouwang.text import deidentify


@dataclass(slots=True)
class RoundTrip:
    """Chinese → one of `pivots`, drawn for each post → Chinese. Texts are de-identified before anything else."""

    translator: Kept
    pivots: tuple[str, ...]
    _failed: set[tuple[str, str]] = field(default_factory=set)

    def ahead(self, tasks: Sequence[Task]) -> None:
        """Translate all of them in batches, so that `make` finds every answer in the cache."""
        self._failed.clear()  # what failed an hour ago may work now
        texts: dict[str, list[str]] = defaultdict(list)
        for post, rng in tasks:
            text = deidentify(post.text).text
            if _has_chinese(text):
                texts[self._pivot(deepcopy(rng))].append(text)
        for pivot, mine in texts.items():
            there = self.translator.translate(mine, CHINESE, pivot)
            back = self.translator.translate([text for text in there if text], pivot, CHINESE)
            returned = iter(back)
            for text, between in zip(mine, there, strict=True):
                if not between or next(returned) is None:
                    self._failed.add((text, pivot))

    def make(self, post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
        text, pivot = deidentify(post.text).text, self._pivot(rng)
        if not _has_chinese(text):
            raise NothingMadeError("no Chinese words")
        if (text, pivot) in self._failed:
            raise NothingMadeError("no translation")
        there = self.translator.translate([text], CHINESE, pivot)[0]
        back = self.translator.translate([there], pivot, CHINESE)[0] if there else None
        if back is None:
            raise NothingMadeError("no translation")
        return [child(post, back.strip(), "round_trip", rng, {"pivot": pivot})]

    def _pivot(self, rng: np.random.Generator) -> str:
        return self.pivots[rng.integers(len(self.pivots))]


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)
