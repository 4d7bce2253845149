"""The contrast set: the words of risk where nobody is at risk, beside people who mean them.

Invented posts, none taken or adapted from anybody's. Over half hold the vocabulary of suicide and express none of it
(hyperbole, games, lyrics, news, quotation, negation, worry for somebody else …); most stand beside a first-person
expression of the same words, as in Gardner et al. 2020 (arXiv 2004.02709). `high` follows SOS-1K's separate high/low
labels: a decision, plan, method, time or farewell, spoken for oneself and now. A bare wish is low there, hence
here too: the category "wish" holds both, and flagging its low posts is no false alarm in a person's eyes.
One author wrote and labelled the set; `borderline` marks posts on which reasonable readers would disagree.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shouwang.errors import InputError
from shouwang.evaluate.intervals import Interval, wilson
from shouwang.posts import Post

FILE = Path(__file__).with_name("contrast.jsonl")


@dataclass(frozen=True, slots=True)
class ContrastPost(Post):
    """An invented post; `words` stand in its text and in that of its `pair`, which has the other `high`."""

    category: str
    high: bool
    words: str
    pair: str | None = None
    borderline: bool = False


@dataclass(frozen=True, slots=True)
class FlagRate:
    """How many of a category's n posts with that `high` were flagged; the rate lies in 0–1, with a Wilson interval."""

    category: str
    high: bool
    n: int
    flagged: int
    rate: Interval


def load() -> list[ContrastPost]:
    """The set that comes with the package, members of a pair next to each other."""
    return [ContrastPost(**json.loads(line)) for line in FILE.read_text(encoding="utf-8").splitlines()]


def by_category(posts: Sequence[ContrastPost], flagged: Sequence[bool]) -> list[FlagRate]:
    """Flag rates by category and `high`, in the order in which they first occur, low ones first.

    For low posts the rate is that of false alarms, for high ones recall. Raises InputError when the lengths differ.
    """
    _same_length(posts, flagged)
    groups: dict[tuple[bool, str], list[bool]] = {}
    for post, flag in zip(posts, flagged, strict=True):
        groups.setdefault((post.high, post.category), []).append(bool(flag))
    return [
        FlagRate(category, high, len(flags), sum(flags), wilson(sum(flags), len(flags)))
        for (high, category), flags in sorted(groups.items(), key=lambda item: item[0][0])
    ]


def pairs_told_apart(posts: Sequence[ContrastPost], flagged: Sequence[bool]) -> Interval:
    """Share of pairs (0–1) of which the high post is flagged and the other is not; all nan without pairs.

    Gardner et al. call it contrast consistency. Pairs of which one post is missing do not count.
    """
    _same_length(posts, flagged)
    by_id = {post.id: bool(flag) for post, flag in zip(posts, flagged, strict=True)}
    apart = [by_id[post.id] and not by_id[post.pair] for post in posts if post.high and post.pair in by_id]
    return wilson(sum(apart), len(apart))


def _same_length(posts: Sequence[ContrastPost], flagged: Sequence[bool]) -> None:
    if len(posts) != len(flagged):
        raise InputError(f"{len(posts)} contrast posts but {len(flagged)} flags: one flag per post is needed, in order")
