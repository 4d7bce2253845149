"""The augmenters by name, and what they need. To add one, add an entry to `AUGMENTERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import rjieba

from shouwang import lookup
from shouwang.augment import synonyms, thesaurus
from shouwang.augment.records import Augmenter, Split
from shouwang.augment.round_trip import RoundTrip
from shouwang.augment.unlabelled import METHOD, Pool, Unlabelled
from shouwang.errors import InputError
from shouwang.language import Words, say

if TYPE_CHECKING:
    from shouwang.augment.translators import Kept
    from shouwang.llm import Client


@dataclass(frozen=True, slots=True)
class Material:
    """What augmenters may work with; only what is named is used, and nothing is sent without `translator` or `client`.

    `split` is without training posts that leak (`Split.without_leaks`): any of the others may be shown as an example.
    """

    split: Split
    dictionary: Path | None = None
    vectors: Path | None = None
    translator: Kept | None = None
    pivots: tuple[str, ...] = ("en",)
    client: Client | None = None
    pool: Pool | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """`build` makes the augmenter; it raises InputError when something is missing."""

    name: Words
    build: Callable[[Material], Augmenter]


def _synonyms(material: Material) -> Augmenter:
    known = [thesaurus.of_file(material.dictionary)] if material.dictionary else []
    if material.vectors:
        seen = {word for post in material.split.train for word in rjieba.cut(post.text)}
        known.append(thesaurus.of_vectors(material.vectors, seen))
    return Augmenter(partial(synonyms.synonyms, thesaurus.merged(thesaurus.own(), *known)))


def _round_trip(material: Material) -> Augmenter:
    if material.translator is None:
        raise InputError(
            say(
                "round_trip sends posts to a translator, and none is named; nothing was sent. Name one with --translator",
                "round_trip 要把帖子发给翻译服务，但没有指定；没有发送任何内容。请用 --translator 指定",
            )
        )
    trip = RoundTrip(material.translator, material.pivots)
    return Augmenter(trip.make, trip.ahead)


def _generated(material: Material) -> Augmenter:
    if material.client is None:
        raise InputError(
            say(
                "generated asks a language model, and no endpoint is named; nothing was sent. Name one with --endpoint and "
                "--model",
                "generated 要向语言模型提问，但没有指定接口；没有发送任何内容。请用 --endpoint 和 --model 指定",
            )
        )
    from shouwang.augment.generated import PER_CALL, Generated

    writer = Generated(material.client, material.split.train)
    return Augmenter(writer.make, writer.ahead, each=PER_CALL)


def _unlabelled(material: Material) -> Augmenter:
    if material.pool is None:
        raise InputError(
            say(
                "unlabelled takes posts from a pool of yours, and none is named. Name a file with --pool",
                "unlabelled 从您自己的帖子池中取帖，但没有指定。请用 --pool 指定文件",
            )
        )
    return Augmenter(Unlabelled(material.pool).make)


AUGMENTERS: dict[str, Method] = {
    "synonyms": Method(Words("synonyms for everyday words", "替换日常词语的同义词"), _synonyms),
    "swap": Method(Words("neighbouring words change places", "相邻词语互换"), lambda _: Augmenter(synonyms.swap)),
    "drop": Method(Words("function words left out", "略去虚词"), lambda _: Augmenter(synonyms.drop)),
    "round_trip": Method(Words("translation and back", "往返翻译"), _round_trip),
    "generated": Method(Words("written by a language model", "语言模型撰写"), _generated),
    METHOD: Method(Words("your own posts, labelled by a teacher", "自有帖子，由教师模型标注"), _unlabelled),
}


def augmenters(names: Sequence[str], material: Material) -> dict[str, Augmenter]:
    """By name, in that order. Raises InputError for an unknown name or missing material, before anything is sent."""
    return {name: lookup.get(AUGMENTERS, name, "method").build(material) for name in names}
