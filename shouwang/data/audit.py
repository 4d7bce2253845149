"""What is wrong with data before anyone trains on it; posts are named by id, never quoted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from shouwang import scale
from shouwang.data.duplicates import THRESHOLD, canonical, similar_within
from shouwang.posts import LabelledPost

LONGEST = 510
"""Characters from which a post is over-long: what an encoder of 512 tokens reads of Chinese text."""

Parts = Mapping[str, Sequence[LabelledPost]]


@dataclass(frozen=True, slots=True)
class PartReport:
    """One split by itself: ids of posts that stand out, and counts of posts.

    `levels` counts 0–10, `repeated` the posts that equal an earlier one of this part, and `near` those that resemble
    another without being equal.
    """

    posts: int
    levels: tuple[int, ...]
    high: int
    low: int
    unlabelled: int
    empty: tuple[str, ...]
    over_long: tuple[str, ...]
    outside: tuple[str, ...]
    repeated: int
    near: int


@dataclass(frozen=True, slots=True)
class Same:
    """Posts with the same canonical text, in reading order."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Two different texts at or above the threshold; each id is that of the first post with the text."""

    first: str
    second: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Posts with the same text and different levels, or different high/low labels."""

    ids: tuple[str, ...]
    levels: tuple[int | None, ...]
    highs: tuple[bool | None, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two parts that share text: how many posts of each also stand in the other, exactly, or only nearly."""

    first: str
    second: str
    exact_first: int
    exact_second: int
    near_first: int
    near_second: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything found; empty tuples where nothing was."""

    threshold: float
    parts: Mapping[str, PartReport]
    repeated_ids: tuple[str, ...]
    same: tuple[Same, ...]
    near: tuple[Near, ...]
    contradictions: tuple[Contradiction, ...]
    overlaps: tuple[Overlap, ...]


def audit(parts: Parts, *, threshold: float = THRESHOLD, longest: int = LONGEST) -> Audit:
    """Look through every part, and across all of them.

    Near duplicates are pairs of texts whose character pairs have a Jaccard similarity of at least `threshold`; texts
    under 8 characters are compared for equality only. `longest` is in characters.
    """
    texts = _Texts(parts, threshold)
    return Audit(
        threshold=threshold,
        parts={name: _part(name, posts, texts, longest) for name, posts in parts.items()},
        repeated_ids=_repeated_ids(parts),
        same=tuple(Same(tuple(p.id for p in posts)) for posts in texts.posts if len(posts) > 1),
        near=tuple(Near(texts.posts[i][0].id, texts.posts[j][0].id, round(s, 4)) for i, j, s in texts.pairs),
        contradictions=_contradictions(texts),
        overlaps=_overlaps(list(parts), texts),
    )


class _Texts:
    """The distinct texts: the posts that have each, how many in which part, and which parts hold a near one."""

    def __init__(self, parts: Parts, threshold: float) -> None:
        numbers: dict[str, int] = {}
        self.posts: list[list[LabelledPost]] = []
        self.counts: list[Counter[str]] = []
        for part, posts in parts.items():
            for post in posts:
                if not (text := canonical(post.text)):
                    continue
                if (number := numbers.setdefault(text, len(numbers))) == len(self.posts):
                    self.posts.append([])
                    self.counts.append(Counter())
                self.posts[number].append(post)
                self.counts[number][part] += 1
        self.pairs = [(m.left, m.right, m.similarity) for m in similar_within(list(numbers), threshold)]
        self.near_parts: dict[int, set[str]] = defaultdict(set)
        for i, j, _ in self.pairs:
            self.near_parts[i].update(self.counts[j])
            self.near_parts[j].update(self.counts[i])


def _part(name: str, posts: Sequence[LabelledPost], texts: _Texts, longest: int) -> PartReport:
    allowed = range(len(scale.LEVELS))
    levels = Counter(post.level for post in posts)
    highs = Counter(post.high for post in posts)
    return PartReport(
        posts=len(posts),
        levels=tuple(levels[value] for value in allowed),
        high=highs[True],
        low=highs[False],
        unlabelled=sum(post.level is None and post.high is None for post in posts),
        empty=tuple(post.id for post in posts if not canonical(post.text)),
        over_long=tuple(post.id for post in posts if len(post.text) > longest),
        outside=tuple(post.id for post in posts if post.level is not None and post.level not in allowed),
        repeated=sum(counts[name] - 1 for counts in texts.counts if counts[name]),
        near=sum(texts.counts[number][name] for number, near in texts.near_parts.items() if name in near),
    )


def _repeated_ids(parts: Parts) -> tuple[str, ...]:
    counts = Counter(post.id for posts in parts.values() for post in posts)
    return tuple(name for name, count in counts.items() if count > 1)


def _contradictions(texts: _Texts) -> tuple[Contradiction, ...]:
    found = []
    for posts in texts.posts:
        levels, highs = tuple(p.level for p in posts), tuple(p.high for p in posts)
        if max(len(set(levels) - {None}), len(set(highs) - {None})) > 1:
            found.append(Contradiction(tuple(p.id for p in posts), levels, highs))
    return tuple(found)


def _overlaps(names: Sequence[str], texts: _Texts) -> tuple[Overlap, ...]:
    exact: Counter[tuple[str, str]] = Counter()
    near: Counter[tuple[str, str]] = Counter()
    for number, counts in enumerate(texts.counts):
        for part, count in counts.items():
            for other in counts.keys() - {part}:
                exact[part, other] += count
            for other in texts.near_parts.get(number, set()) - counts.keys():
                near[part, other] += count
    return tuple(
        Overlap(a, b, exact[a, b], exact[b, a], near[a, b], near[b, a])
        for a, b in combinations(names, 2)
        if exact[a, b] or near[a, b] or near[b, a]
    )
