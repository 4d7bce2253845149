"""New posts by exchanging, moving or leaving out words that carry no level (after EDA, Wei and Zou, EMNLP 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import rjieba

from shouwang.augment.protect import CLOSED, protected
from shouwang.augment.records import Augmented, NothingMadeError, child
from shouwang.augment.thesaurus import Thesaurus
from shouwang.posts import LabelledPost

SHARE = 0.3
"""Of the words that may be changed, how many are (at least one)."""

FUNCTION_WORDS = frozenset(
    [
        "的",
        "呢",
        "吧",
        "啊",
        "呀",
        "嘛",
        "哦",
        "啦",
        "地",
        "得",
        "那个",
        "这个",
        "然后",
        "反正",
        "其实",
        "所以",
        "而且",
        "但是",
        "还有",
        "话说",
    ]
)
"""What can be left out with the sense unchanged. 了 is none: 收拾好了 says that it is done."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    free: bool


def words(text: str) -> list[Word]:
    """The text's words in order; together they are the text. A word is free when nothing in it is protected."""
    kept, at, found = protected(text), 0, []
    for each in rjieba.cut(text):
        span = range(at, at + len(each))
        found.append(Word(each, each not in CLOSED and kept.isdisjoint(span)))
        at += len(each)
    return found


def synonyms(thesaurus: Thesaurus, post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
    """One new post in which a share of the free words that the thesaurus knows are exchanged."""
    parts = words(post.text)
    known = [i for i, word in enumerate(parts) if word.free and word.text in thesaurus]
    edits = []
    for i in _some(known, rng, "no word that may be exchanged"):
        others = thesaurus[parts[i].text]
        edits.append({i: others[rng.integers(len(others))]})
    return [child(post, _edited(parts, edits, post.text), "synonyms", rng)]


def swap(post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
    """One new post in which free words stand in their neighbour's place."""
    parts = words(post.text)
    pairs = [i for i in range(len(parts) - 1) if all(w.free and w.text.isalpha() for w in parts[i : i + 2])]
    chosen = _some(pairs, rng, "no two words that may change places")
    edits = [{i: parts[i + 1].text, i + 1: parts[i].text} for i in chosen if i - 1 not in chosen]
    return [child(post, _edited(parts, edits, post.text), "swap", rng)]


def drop(post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
    """One new post without some of its free function words."""
    parts = words(post.text)
    droppable = [i for i, word in enumerate(parts) if word.free and word.text in FUNCTION_WORDS]
    edits = [{i: ""} for i in _some(droppable, rng, "no function word that may be left out")]
    return [child(post, _edited(parts, edits, post.text), "drop", rng)]


def _edited(parts: Sequence[Word], edits: Sequence[Mapping[int, str]], text: str) -> str:
    """The text with those words in other words' place; an edit that makes or breaks a protected word is left out.

    It can: 四周 before 一点 reads as 周一. Raises NothingMadeError when no edit is left.
    """
    kept, texts = _guarded(text), [word.text for word in parts]
    for edit in edits:
        tried = [edit.get(i, word) for i, word in enumerate(texts)]
        if _guarded("".join(tried)) == kept:
            texts = tried
    new = "".join(texts)
    if new == text:
        raise NothingMadeError("every change would have touched a word that carries a level")
    return new


def _guarded(text: str) -> str:
    return "".join(text[i] for i in sorted(protected(text)))


def _some(places: Sequence[int], rng: np.random.Generator, none: str) -> list[int]:
    """A random share of the places, in order. Raises NothingMadeError where there is none."""
    if not places:
        raise NothingMadeError(none)
    return sorted(rng.choice(places, max(1, round(SHARE * len(places))), replace=False).tolist())
