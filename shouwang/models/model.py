"""A model as users meet it: posts in, assessments out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.models import reasons
from shouwang.models.blend import Blend
from shouwang.models.finetuned import Finetuned
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import HEADS, HIGH_HEAD, sigmoid, softmax
from shouwang.models.operating import BALANCED, Operating, Stream
from shouwang.models.reader import CanonicalReader, Reader
from shouwang.models.sets import Sets
from shouwang.posts import Assessment, Evidence, Post
from shouwang.scale import INDICATORS
from shouwang.text import Canonical

SHOWN_FROM = 0.5
"""How strongly an indicator must be expressed for its evidence to be shown; without indicators, high."""

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_HIRAGANA = re.compile(r"[\u3041-\u306d\u306f-\u3096]")
"""Without の, which Chinese posts borrow."""
_Item = TypeVar("_Item")
Floats = NDArray[np.float64]


class _Window(NamedTuple):
    post: int
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Model:
    """Calibrated heads and the threshold on p_high from which a post counts as high.

    A post too long to be read at once gets the answer of its window with the highest risk.
    `point` names the operating point that the threshold is; a model without `operating` has this one only. Without
    `sets` no level sets are given.
    """

    name: str
    version: str
    heads: HashedLinear | Blend | Finetuned
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
                say(
                    f"model {self.name} {self.version} states no operating points; it flags posts from p_high "
                    f"{self.threshold:g} on: use it without naming one, or build it again with this version",
                    f"模型 {self.name} {self.version} 没有工作点；它从 p_high {self.threshold:g} 起标出帖子："
                    "请不要指定工作点，或用本版本重新构建",
                )
            )
        return replace(self, threshold=self.operating.point(point, stream).threshold, point=point)

    def assess(self, posts: Iterable[str | Post]) -> list[Assessment]:
        """One assessment per post, in order; bare texts are numbered from 1."""
        return list(self.stream(posts))

    def stream(self, posts: Iterable[str | Post]) -> Iterator[Assessment]:
        """As `assess`, lazily and in bounded memory."""
        if isinstance(posts, str):  # which is an iterable of texts too: its characters
            raise InputError(say("one text where texts are expected; put it in a list", "这里应是多条文本；请放进列表"))
        numbered = (post if isinstance(post, Post) else Post(str(i), post) for i, post in enumerate(posts, 1))
        for batch in _chunks(numbered, self._reader.batch):
            yield from self._batch(batch)

    def _batch(self, posts: Sequence[Post]) -> Iterator[Assessment]:
        reader = self._reader
        forms = [reader.form(post.text) for post in posts]
        scopes = [_scope(form.text) for form in forms]
        windows = [
            window
            for number, (form, scope) in enumerate(zip(forms, scopes, strict=True))
            for window in _windows(reader, number, form.text if scope == "ok" else "")
        ]
        chunks = _chunks(windows, reader.batch)
        logits = np.concatenate([reader.logits([window.text for window in chunk]) for chunk in chunks])
        worst = _worst(windows, logits[:, HIGH_HEAD])
        logits = logits[worst].astype(np.float64)
        levels, strengths = softmax(logits[:, :HIGH_HEAD]), sigmoid(logits[:, HIGH_HEAD:])
        high = strengths[:, 0]
        evidence = _evidence(reader, [windows[i] for i in worst], forms, strengths, self.threshold)
        for number, post in enumerate(posts):
            sets = self.sets if scopes[number] == "ok" else None
            known = not np.isnan(levels[number, 0])
            yield Assessment(
                id=post.id,
                level=int(levels[number].argmax()) if known else None,
                probabilities=tuple(levels[number].tolist()) if known else (),
                high=bool(high[number] >= self.threshold) and scopes[number] == "ok",
                p_high=float(high[number]),
                indicators={
                    name: strength
                    for name, strength in zip(INDICATORS, strengths[number, 1:].tolist(), strict=True)
                    if not math.isnan(strength)
                },
                model=f"{self.name} {self.version}",
                evidence=tuple(evidence.get(number, ())),
                scope=scopes[number],
                level_set=sets.levels(levels[number].tolist()) if sets else (),
                uncertain=sets.uncertain(float(high[number])) if sets else scopes[number] != "ok",
            )

    @property
    def _reader(self) -> Reader:
        return self.heads if isinstance(self.heads, Finetuned) else CanonicalReader(self.heads)


def _evidence(
    reader: Reader, windows: Sequence[_Window], forms: Sequence[Canonical], strengths: Floats, threshold: float
) -> dict[int, list[Evidence]]:
    """By post, the spans of the original text behind each indicator that is expressed; `strengths` (n, 6), high first.

    Where there is none in a post that is flagged from that threshold, or likelier high than not, what is behind high.
    """
    words = [number for number, window in enumerate(windows) if window.text]
    found = _spans(reader, windows, forms, {number: _expressed(strengths[number]) for number in words})
    silent = [
        number for number in words if strengths[number, 0] >= min(threshold, SHOWN_FROM) and not found.get(number)
    ]
    return found | _spans(reader, windows, forms, {number: [HIGH_HEAD] for number in silent})


def _spans(
    reader: Reader, windows: Sequence[_Window], forms: Sequence[Canonical], wanted: Mapping[int, list[int]]
) -> dict[int, list[Evidence]]:
    """By post, the spans behind the heads that are wanted of it."""
    shown = [number for number, heads in wanted.items() if heads]
    if not shown:
        return {}
    texts = [windows[number].text for number in shown]
    found: dict[int, list[Evidence]] = {}
    for number, text, added in zip(shown, texts, reader.added(texts, [wanted[n] for n in shown]), strict=True):
        words, before = reasons.words(text), windows[number].start
        found[number] = [
            Evidence(*forms[number].original(before + span.start, before + span.end), _name(head), span.weight)
            for head in wanted[number]
            for span in reasons.strongest(words, added[head])
        ]
    return found


def _expressed(strengths: Floats) -> list[int]:
    """The heads of the indicators that are expressed; those that the model says nothing of are not (NaN)."""
    return [HIGH_HEAD + i for i in range(1, len(strengths)) if strengths[i] >= SHOWN_FROM]


def _name(head: int) -> Any:
    """What `Evidence` calls it."""
    return HEADS[head]


def _scope(text: str) -> str:
    if _HAN.search(text) and not _japanese(text):
        return "ok"
    return "no-chinese" if any(map(str.isalnum, text)) else "no-words"


def _japanese(text: str) -> bool:
    """Three hiragana or more, and one to every two characters: so were 2 of 310,630 posts and turns of Chinese data sets."""
    kana = len(_HIRAGANA.findall(text))
    return kana >= 3 and 2 * kana >= len(_HAN.findall(text))


def _windows(reader: Reader, post: int, text: str) -> Iterator[_Window]:
    for start, end in reader.windows(text):
        yield _Window(post, start, text[start:end])


def _worst(windows: Sequence[_Window], risk: NDArray[np.floating]) -> NDArray[np.int64]:
    """For every post, the index of its window with the highest risk (the first of equals)."""
    posts = np.array([window.post for window in windows])
    order = np.lexsort((np.arange(len(windows)), -risk, posts))
    return order[np.searchsorted(posts[order], np.arange(posts[-1] + 1))]


def _chunks(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
