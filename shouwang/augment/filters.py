"""Why a new post is not kept: one function per reason, over a batch.

A post that leaks, or explains how to do harm, is refused whatever is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shouwang import lookup, scale
from shouwang.augment.distance import edit_share
from shouwang.augment.harm import explains_harm
from shouwang.augment.records import Augmented, Leaking, Split
from shouwang.posts import LabelledPost

Scorer = Callable[[Sequence[Augmented]], NDArray[np.float64]]
"""Probabilities (n, 11) of each level, by models that were not trained on the posts' origins."""

LEAST_CHANGED = 0.02
"""Share of characters that must differ from the origin: a word of two in a post of a hundred."""
LEAST_NEW = 0.2
"""The same for a post that was written anew, against each of its examples: small language models copy them."""
LONGEST = 500
TIMES_LONGER, TIMES_SHORTER = 2.5, 0.4
LEVELS_OFF = 3.0
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Context:
    """What filters look at: the split, who finds near duplicates, and (for `label`) who scores."""

    split: Split
    leaking: Leaking
    scorer: Scorer | None = None

    @cached_property
    def texts(self) -> Mapping[str, str]:
        return {post.id: post.text for post in self.split.train}

    @cached_property
    def graded(self) -> list[LabelledPost]:
        return [post for post in self.split.train if post.level is not None]

    def origin(self, post: Augmented) -> str | None:
        """The text that a post was made from; None where it was written anew."""
        return self.texts.get(post.origins[0]) if len(post.origins) == 1 else None


Filter = Callable[[Sequence[Augmented], Context], list[bool]]
"""Which of the posts are to go."""


def leaks(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """Stands among the held-out posts, word for word or nearly."""
    found = context.leaking(posts, context.split.held_out)
    return [post.id in found for post in posts]


def close(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """Hardly differs from its origin, or copies an example."""
    return [_copied(post, context) for post in posts]


def _copied(post: Augmented, context: Context) -> bool:
    least = LEAST_CHANGED if len(post.origins) == 1 else LEAST_NEW
    texts = (context.texts.get(origin) for origin in post.origins)
    return any(text is not None and edit_share(text, post.text) < least for text in texts)


def far(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """Nearly a training post of another level."""
    near = context.leaking(posts, context.graded)
    mine = [post for post in posts if post.id in near and post.level is not None]
    alike = context.leaking(context.graded, mine)  # the few that are worth comparing level by level
    theirs = [post for post in context.graded if post.id in alike]
    gone: set[str] = set()
    for level in {post.level for post in mine}:
        others = [post for post in theirs if post.level != level]
        gone.update(context.leaking([post for post in mine if post.level == level], others))
    return [post.id in gone for post in posts]


def language(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """Fewer than half of the letters are Chinese characters."""
    return [2 * len(_HAN.findall(post.text)) <= sum(c.isalnum() for c in post.text) for post in posts]


def length(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """No text, more than 500 characters, or far from its origin's length."""
    return [_odd_length(len(post.text.strip()), context.origin(post)) for post in posts]


def _odd_length(n: int, origin: str | None) -> bool:
    if origin is None:
        return not 2 <= n <= LONGEST
    return not max(1, TIMES_SHORTER * len(origin)) <= n <= max(LONGEST, len(origin)) or n > 10 + TIMES_LONGER * len(
        origin
    )


def harm(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """Explains how to do harm."""
    return [explains_harm(post.text) for post in posts]


def label(posts: Sequence[Augmented], context: Context) -> list[bool]:
    """Three levels or more from the mean level that the cross-fitted scorer expects; without a scorer nothing goes."""
    if context.scorer is None or not posts:
        return [False] * len(posts)
    expected = context.scorer(posts) @ np.arange(len(scale.LEVELS))
    return [abs(mean - (post.level or 0)) >= LEVELS_OFF for mean, post in zip(expected, posts, strict=True)]


FILTERS: dict[str, Filter] = {
    "harm": harm,
    "language": language,
    "length": length,
    "close": close,
    "far": far,
    "label": label,
}
DEFAULT = ("harm", "language", "length", "close", "far")
"""`label` is left to be chosen: docs/augment.md says what it does."""


def refused(posts: Sequence[Augmented], names: Sequence[str], context: Context) -> list[str | None]:
    """The first reason against each post, or None; that it leaks or explains harm comes before all others."""
    reasons: list[str | None] = [None] * len(posts)
    chosen = {"leak": leaks, "harm": harm} | {name: lookup.get(FILTERS, name, "filter") for name in names}
    for name, found in chosen.items():
        left = [i for i, reason in enumerate(reasons) if reason is None]
        for i, goes in zip(left, found([posts[i] for i in left], context), strict=True):
            reasons[i] = name if goes else None
    return reasons
