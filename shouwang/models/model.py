"""A model as users meet it: posts in, assessments out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.models import reasons
from shouwang.models.blend import Blend
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import HIGH_HEAD, INDICATOR_HEADS, sigmoid, softmax
from shouwang.models.operating import BALANCED, Operating, Stream
from shouwang.models.sets import Sets
from shouwang.posts import Assessment, Evidence, Post
from shouwang.scale import INDICATORS
from shouwang.text import Canonical, canonical

WINDOW = 400
"""Canonical characters read at once; a longer post gets the answer of the window with the highest risk."""

STRIDE = 350
SHOWN_FROM = 0.5
"""How strongly an indicator must be expressed for its evidence to be shown."""

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_Item = TypeVar("_Item")
Floats = NDArray[np.float64]


class _Window(NamedTuple):
    post: int
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Model:
    """Calibrated heads and the threshold on p_high from which a post counts as high.

    `point` names the operating point that the threshold is; a model without `operating` has this one only. Without
    `sets` no level sets are given.
    """

    name: str
    version: str
    heads: HashedLinear | Blend
    threshold: float
    point: str = BALANCED
    operating: Operating | None = None
    sets: Sets | None = None

    def at(self, point: str, stream: Stream | None = None) -> Model:
        """The same model at another operating point: a name, or "workload=200/1000" of a stream.

        Raises InputError for an unknown point, or when the model states none.
        """
        if self.operating is None:
            raise InputError(
                f"model {self.name} {self.version} states no operating points; it flags posts from p_high "
                f"{self.threshold:g} on: use it without naming one, or build it again with this version"
            )
        return replace(self, threshold=self.operating.point(point, stream).threshold, point=point)

    def assess(self, posts: Iterable[str | Post]) -> list[Assessment]:
        """One assessment per post, in order; bare texts are numbered from 1."""
        return list(self.stream(posts))

    def stream(self, posts: Iterable[str | Post]) -> Iterator[Assessment]:
        """As `assess`, lazily and in bounded memory."""
        numbered = (post if isinstance(post, Post) else Post(str(i), post) for i, post in enumerate(posts, 1))
        for batch in _chunks(numbered, self.heads.batch):
            yield from self._batch(batch)

    def _batch(self, posts: Sequence[Post]) -> Iterator[Assessment]:
        forms = [canonical(post.text) for post in posts]
        scopes = [_scope(form.text) for form in forms]
        windows = [
            window
            for number, (form, scope) in enumerate(zip(forms, scopes, strict=True))
            for window in _windows(number, form.text if scope == "ok" else "")
        ]
        chunks = _chunks(windows, self.heads.batch)
        logits = np.concatenate([self.heads.logits([window.text for window in chunk]) for chunk in chunks])
        worst = _worst(windows, logits[:, HIGH_HEAD])
        logits = logits[worst].astype(np.float64)
        indicators = sigmoid(logits[:, INDICATOR_HEADS])
        evidence = self._evidence([windows[i] for i in worst], forms, indicators)
        levels, high = softmax(logits[:, :HIGH_HEAD]), sigmoid(logits[:, HIGH_HEAD])
        for number, post in enumerate(posts):
            sets = self.sets if scopes[number] == "ok" else None
            yield Assessment(
                id=post.id,
                level=int(levels[number].argmax()),
                probabilities=tuple(levels[number].tolist()),
                high=bool(high[number] >= self.threshold) and scopes[number] == "ok",
                p_high=float(high[number]),
                indicators=dict(zip(INDICATORS, indicators[number].tolist(), strict=True)),
                model=f"{self.name} {self.version}",
                evidence=tuple(evidence.get(number, ())),
                scope=scopes[number],
                level_set=sets.levels(levels[number].tolist()) if sets else (),
                uncertain=sets.uncertain(float(high[number])) if sets else scopes[number] != "ok",
            )

    def _evidence(
        self, windows: Sequence[_Window], forms: Sequence[Canonical], indicators: Floats
    ) -> dict[int, list[Evidence]]:
        """By post, the spans of the original text behind each indicator that is expressed."""
        shown = [
            number for number, window in enumerate(windows) if window.text and indicators[number].max() >= SHOWN_FROM
        ]
        if not shown:
            return {}
        texts = [windows[number].text for number in shown]
        _, occurrences, entries = self.heads.explained(texts)
        # one place more for each, where what reaches its end ends
        before = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])])
        starts, ends = (places + before[occurrences.row] for places in (occurrences.start, occurrences.end))
        words = [reasons.words(text) for text in texts]
        found: dict[int, list[Evidence]] = {number: [] for number in shown}
        for column, indicator in enumerate(INDICATORS):
            shares = self.heads.shares(occurrences, entries, INDICATOR_HEADS[column])
            steps = reasons.steps(starts, ends, shares, before[-1])
            for row, number in enumerate(shown):
                if indicators[number, column] < SHOWN_FROM:
                    continue
                added = np.cumsum(steps[before[row] : before[row + 1] - 1])
                for span in reasons.strongest(words[row], added):
                    start = windows[number].start
                    first, last = forms[number].original(start + span.start, start + span.end)
                    found[number].append(Evidence(first, last, indicator, span.weight))
        return found


def _scope(text: str) -> str:
    if _HAN.search(text):
        return "ok"
    return "no-chinese" if any(map(str.isalnum, text)) else "no-words"


def _windows(post: int, text: str) -> Iterator[_Window]:
    for start in range(0, max(len(text) - WINDOW + STRIDE, 1), STRIDE):
        yield _Window(post, start, text[start : start + WINDOW])


def _worst(windows: Sequence[_Window], risk: NDArray[np.floating]) -> NDArray[np.int64]:
    """For every post, the index of its window with the highest risk (the first of equals)."""
    posts = np.array([window.post for window in windows])
    order = np.lexsort((np.arange(len(windows)), -risk, posts))
    return order[np.searchsorted(posts[order], np.arange(posts[-1] + 1))]


def _chunks(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
