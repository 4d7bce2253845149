"""Posts of one's own that nobody has labelled, with the labels that a teacher gives them.

Self-training: the teacher learned from the training posts of the round alone, and what it teaches a second model comes
from how people really write (Xie et al. 2020, arXiv 1911.04252; Du et al. 2021, arXiv 2010.02194).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shouwang.augment.filters import FILTERS, Context, refused
from shouwang.augment.records import Augmented, NothingMadeError
from shouwang.posts import LabelledPost, Post

METHOD = "unlabelled"
AT_THE_DOOR = ("harm", "language", "length")
"""Filters that need neither a level nor an origin: what they refuse is not shown to the teacher."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Taught:
    """A post of the pool with the level and the high/low that the teacher holds likeliest.

    `probability` is that of the level; `high` is None where the teacher learned no high/low.
    """

    post: Post
    level: int
    high: bool | None
    probability: float


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is to deal, who taught it, and the round whose training posts the teacher learned from."""

    posts: Sequence[Taught]
    teacher: str
    round: str


@dataclass(slots=True)
class Unlabelled:
    """Deals posts of the wanted level at random, each once.

    They come from no training post, so their origin is in the notes: the pool's id, and the round that taught them.
    """

    pool: Pool
    _left: dict[int, list[Taught]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for each in self.pool.posts:
            self._left[each.level].append(each)

    def make(self, post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
        level = post.level or 0
        left = self._left[level]
        if not left:
            raise NothingMadeError("the pool has no more posts of this level")
        dealt = left.pop(int(rng.integers(len(left))))
        notes = {
            "pool": dealt.post.id,
            "teacher": self.pool.teacher,
            "probability": round(dealt.probability, 4),
            "round": self.pool.round,
        }
        name = f"level-{level}+{METHOD}-{hashlib.sha256(dealt.post.text.encode('utf-8', 'replace')).hexdigest()[:10]}"
        return [Augmented(name, dealt.post.text, level, dealt.high, METHOD, (), notes)]


def admitted(
    posts: Iterable[Post], context: Context, filters: Collection[str], canonical: Callable[[str], str]
) -> tuple[list[Post], Counter[str]]:
    """The posts that may be taught, and how many were refused for each reason.

    Refused: without text, repeated (equal in `canonical` form), equal or nearly equal to a held-out post ("leak") or to
    a training post ("known"), and what those of the chosen filters refuse that need no level.
    """
    gone: Counter[str] = Counter()
    first: dict[str, Augmented] = {}
    for place, post in enumerate(posts):
        form = canonical(post.text)
        if not form or form in first:
            gone["repeated" if form else "no text"] += 1
            continue
        first[form] = Augmented(f"{place}", post.text, method=METHOD, notes={"id": post.id})
    names = [name for name in FILTERS if name in filters and name in AT_THE_DOOR]
    there = list(first.values())
    known = context.leaking(there, context.split.train)
    kept = []
    for each, why in zip(there, refused(there, names, context), strict=True):
        reason = why or ("known" if each.id in known else None)
        if reason:
            gone[reason] += 1
        else:
            kept.append(Post(str(each.notes["id"]), each.text))
    return kept, gone


def taught(posts: Sequence[Post], levels: Floats, high: Floats | None) -> list[Taught]:
    """Each post with its likeliest level of `levels` (n, 11), and high where `high` (n,) is half or more."""
    best = levels.argmax(axis=1)
    return [
        Taught(post, int(level), None if high is None else bool(high[i] >= 0.5), float(levels[i, level]))
        for i, (post, level) in enumerate(zip(posts, best, strict=True))
    ]
