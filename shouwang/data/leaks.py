"""Training posts that also stand in the test set: found, and refused, before anything is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shouwang.data.duplicates import THRESHOLD, canonical, similar_between
from shouwang.data.splits import SplitResult, drop
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.posts import LabelledPost

NAMED_IN_ERROR = 20


@dataclass(frozen=True, slots=True)
class Leak:
    """A training post, the test post most like it, and how alike they are: 1 is the same text, up to white space,
    width and case."""

    train_id: str
    test_id: str
    similarity: float


def leaks(train: Sequence[LabelledPost], test: Sequence[LabelledPost], *, threshold: float = THRESHOLD) -> list[Leak]:
    """The training posts that equal a test post or nearly do, in training order.

    `threshold` is the Jaccard similarity of character pairs; texts under 8 characters leak only when they are equal.
    """
    train_texts, test_texts = _distinct(train), _distinct(test)
    best = {text: (1.0, text) for text in train_texts.keys() & test_texts.keys() if text}
    left, right = list(train_texts), list(test_texts)
    for match in similar_between(left, right, threshold):
        text, other = left[match.left], right[match.right]
        if text not in best or best[text][0] < match.similarity:
            best[text] = (match.similarity, other)
    found = ((post, best.get(canonical(post.text))) for post in train)
    return [Leak(post.id, test_texts[hit[1]], round(hit[0], 4)) for post, hit in found if hit]


def refuse_leaks(
    train: Sequence[LabelledPost], test: Sequence[LabelledPost], *, drop_leaks: bool, threshold: float = THRESHOLD
) -> SplitResult:
    """The training posts that may be used; call it before any score on `test`.

    Raises InputError that names the leaking posts, unless `drop_leaks`: then they come back as `dropped`.
    """
    found = leaks(train, test, threshold=threshold)
    if found and not drop_leaks:
        named = "; ".join(f"{leak.train_id} = {leak.test_id}" for leak in found[:NAMED_IN_ERROR])
        more = (
            say("; and {} more", "；另有 {} 条").format(len(found) - NAMED_IN_ERROR)
            if len(found) > NAMED_IN_ERROR
            else ""
        )
        raise InputError(
            say(
                f"{len(found)} of {len(train)} training posts also stand among those that are scored, word for word or "
                f"nearly: {named}{more}. A score on these would be too high; train without them: --drop-leaks",
                f"{len(train)} 条训练帖中有 {len(found)} 条也在被评的帖子之中（逐字或几乎相同）：{named}{more}。"
                "这样的分数会偏高；请加 --drop-leaks，训练时去掉它们",
            )
        )
    return drop(train, {leak.train_id for leak in found})


def _distinct(posts: Sequence[LabelledPost]) -> dict[str, str]:
    """Canonical texts, each with the id of the first post that has it."""
    texts: dict[str, str] = {}
    for post in posts:
        texts.setdefault(canonical(post.text), post.id)
    return texts
