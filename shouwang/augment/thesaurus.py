"""Words that may stand for one another: the project's own table, a user's dictionary, neighbours in an embedding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shouwang.augment.protect import carries_level
from shouwang.augment.records import in_parts
from shouwang.errors import InputError
from shouwang.language import say

Thesaurus = Mapping[str, tuple[str, ...]]
"""A word → what may stand in its place, nearest first."""

NEAREST = 5
CLOSE = 0.6
"""Cosine from which a neighbour in an embedding is taken for a synonym."""
MOST_VECTORS = 200_000
ROWS_AT_ONCE = 1_000


@cache
def own() -> Thesaurus:
    """The table that comes with the project."""
    text = resources.files(__package__).joinpath("synonyms.tsv").read_text(encoding="utf-8")
    return of_groups(line.split("\t") for line in text.splitlines() if not line.startswith("#"))


def of_file(path: Path) -> Thesaurus:
    """A user's dictionary: one group of words a line, separated by tabs or blanks; `#` starts a comment.

    Words that carry a level are left out. Raises InputError when it cannot be read or holds no group.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            say(
                f"{path}: no dictionary in UTF-8 can be read there ({error})", f"{path}：读不到 UTF-8 的词典（{error}）"
            )
        ) from None
    found = of_groups(line.partition("#")[0].split() for line in lines)
    if not found:
        raise InputError(
            say(
                f"{path}: no line with two words that may be exchanged; one group of words a line, separated by tabs or "
                "blanks, is expected",
                f"{path}：没有一行含有两个可以互换的词；应每行一组，词之间用制表符或空格分开",
            )
        )
    return found


def of_groups(groups: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Every word of a group for every other one; one that carries a level is in none."""
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        words = [word for word in dict.fromkeys(group) if word and not carries_level(word)]
        for word in words:
            others = (*found.get(word, ()), *(other for other in words if other != word))
            if others:
                found[word] = tuple(dict.fromkeys(others))
    return found


def of_vectors(path: Path, words: Iterable[str]) -> Thesaurus:
    """Up to 5 neighbours of each word at a cosine of 0.6 or more, in an embedding in word2vec's text format.

    Only the first 200,000 vectors are read, which are the commonest words. Raises InputError for another format.
    """
    names, vectors = _vectors(path)
    at = {name: i for i, name in enumerate(names)}
    wanted = [word for word in dict.fromkeys(words) if word in at and not carries_level(word)]
    found: dict[str, tuple[str, ...]] = {}
    for part in in_parts(wanted, ROWS_AT_ONCE):
        cosine = vectors[[at[word] for word in part]] @ vectors.T
        for word, row in zip(part, cosine, strict=True):
            near = (names[i] for i in np.argsort(-row)[: 4 * NEAREST] if row[i] >= CLOSE)
            others = [other for other in near if other != word and not carries_level(other)][:NEAREST]
            if others:
                found[word] = tuple(others)
    return found


def _vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    names, rows = [], []
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                name, *values = line.split()
                if number == 1 and len(values) == 1:
                    continue  # how many words, and how long their vectors are
                names.append(name)
                rows.append(np.array(values, np.float32))
                if len(names) == MOST_VECTORS:
                    break
        matrix = np.stack(rows)
    except (OSError, ValueError) as error:
        raise InputError(
            say(
                f"{path}: no embedding in word2vec's text format ({error})",
                f"{path}：不是 word2vec 文本格式的词向量（{error}）",
            )
        ) from None
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return names, matrix / np.maximum(length, 1e-12)


def merged(*several: Thesaurus) -> Thesaurus:
    """All of them; what several say of one word is joined."""
    found: dict[str, tuple[str, ...]] = {}
    for each in several:
        for word, others in each.items():
            found[word] = tuple(dict.fromkeys((*found.get(word, ()), *others)))
    return found
