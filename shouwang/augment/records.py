"""What augmenting exchanges: new posts that carry their origin, who makes them, and what they are made for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import LabelledPost

Item = TypeVar("Item")


def in_parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, so many at once."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(frozen=True, slots=True)
class Augmented(LabelledPost):
    """A new post: the method that made it, the ids of the posts it comes from, and what else is to be kept of it
    (model, prompt version, seed, pivot language)."""

    method: str = ""
    origins: tuple[str, ...] = ()
    notes: Mapping[str, object] = field(default_factory=dict)

    def to_row(self) -> dict[str, object]:
        return {
            **{"id": self.id, "text": self.text, "level": self.level, "high": self.high},
            **{"method": self.method, "origins": list(self.origins), "notes": dict(self.notes)},
        }


class NothingMadeError(Exception):
    """An augmenter has nothing to give for this post; the reason is counted."""


Make = Callable[[LabelledPost, np.random.Generator], Sequence[Augmented]]
"""Pure given the rng; may raise NothingMadeError."""

Task = tuple[LabelledPost, np.random.Generator]
Leaking = Callable[[Sequence[LabelledPost], Sequence[LabelledPost]], Collection[str]]
"""Ids of the posts on the left that stand on the right too, word for word or nearly."""


@dataclass(frozen=True, slots=True)
class Augmenter:
    """`make`, and for one that asks a server `ahead`, which gets many tasks' answers at once so that `make` finds them.

    `each` is how many posts a call gives at most.
    """

    make: Make
    ahead: Callable[[Sequence[Task]], None] | None = None
    each: int = 1


@dataclass(frozen=True, slots=True)
class Split:
    """The training posts of one round, and every post that its models are judged on (validation and test).

    Raises InputError when it is no training split: nothing in it, or nothing held out, or posts of both by id.
    """

    name: str
    train: tuple[LabelledPost, ...]
    held_out: tuple[LabelledPost, ...]

    def __post_init__(self) -> None:
        if not any(post.level is not None for post in self.train):
            raise InputError(
                say(
                    f"{self.name}: no training post has a level, so there is nothing to augment",
                    f"{self.name}：训练帖都没有等级，无从增强",
                )
            )
        if not self.held_out:
            raise InputError(
                say(
                    f"{self.name}: no held-out posts; without them nobody can tell what would leak",
                    f"{self.name}：没有留出帖子，无法判断什么会泄漏",
                )
            )
        both = {post.id for post in self.train} & {post.id for post in self.held_out}
        if both:
            raise InputError(
                say(
                    f"{self.name}: {len(both)} posts are in training and held out too, such as '{min(both)}'; "
                    "only a training split is augmented",
                    f"{self.name}：{len(both)} 条帖子既在训练中又被留出，例如“{min(both)}”；只增强训练部分",
                )
            )

    def without_leaks(self, leaking: Leaking) -> Split:
        """The same without the training posts that also stand among those held out: what may be learned from or shown."""
        gone = leaking(self.train, self.held_out)
        return replace(self, train=tuple(post for post in self.train if post.id not in gone))


def child(
    origin: LabelledPost, text: str, method: str, rng: np.random.Generator, notes: Mapping[str, object] | None = None
) -> Augmented:
    """A new text with its origin's labels; the id tells both."""
    name = f"{origin.id}+{method}-{rng.integers(1 << 40):010x}"
    return Augmented(name, text, origin.level, origin.high, method, (origin.id,), notes or {})
