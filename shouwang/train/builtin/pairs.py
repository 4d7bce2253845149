"""Counts the table of `shouwang.text.pairs`.

    SHOUWANG_DATA=FOLDER python -m shouwang.train.builtin.pairs dict.txt shouwang/text/pairs.safetensors

`dict.txt` is the word list of jieba 0.42.1 (`pip download --no-deps jieba==0.42.1`; MIT): one word a line, with how often it was found.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shouwang.data.load import records
from shouwang.evaluate.obfuscate import common_characters
from shouwang.text import canonical
from shouwang.text.pairs import EDGE, STEPS_PER_NAT
from shouwang.text.risk_words import HIDDEN

DICTIONARY = 0.3
"""What a word of the dictionary counts beside one of the turns: so that their sums are of one size."""

SEEN_AT_LEAST = 8
DISCOUNT = 0.75

_NOT_HAN = re.compile("[^\u4e00-\u9fff]+")


def common() -> list[str]:
    """The characters of GB 2312 level 1, and those of the hidden words beyond them."""
    return sorted({*common_characters(), *"".join(HIDDEN)})


def counted(turns: Iterable[str], dictionary: Iterable[str]) -> dict[str, float]:
    """How often each pair of characters stands in the turns and in the dictionary's words."""
    found: dict[str, float] = defaultdict(float)
    for turn in turns:
        text = f"{EDGE}{_NOT_HAN.sub(EDGE, turn).strip(EDGE)}{EDGE}"
        for pair in map("".join, pairwise(text)):
            found[pair] += 1
    for line in dictionary:
        word, times, _ = line.split(" ")
        if not _NOT_HAN.search(word):
            for pair in map("".join, pairwise(word)):
                found[pair] += DICTIONARY * int(times)
    return found


def tabled(found: Mapping[str, float]) -> dict[str, NDArray[np.generic]]:
    """The arrays as they are stored."""
    from pypinyin import lazy_pinyin

    characters = [EDGE, *common()]
    n, number = len(characters), {character: i for i, character in enumerate(characters)}
    pairs = [(number.get(pair[0], -1), number.get(pair[1], -1), times) for pair, times in found.items()]
    first, second, times = (np.array(column) for column in zip(*pairs, strict=True))
    before = np.maximum(np.bincount(first[first >= 0], times[first >= 0], n), 1)
    alone = np.bincount(second[second >= 0], times[second >= 0], n) + 0.5
    kept = np.flatnonzero((first >= 0) & (second >= 0) & (times >= SEEN_AT_LEAST))
    kept = kept[np.argsort(first[kept] * n + second[kept])]
    own = (times[kept] - DISCOUNT) / before[first[kept]]
    sounds = ["", *lazy_pinyin("".join(characters[1:]))]
    names = sorted(set(sounds))
    return {
        "characters": np.array([ord(character) for character in characters], np.uint16),
        "syllables": np.frombuffer(" ".join(names).encode(), np.uint8),
        "sounds": np.array([names.index(sound) for sound in sounds], np.uint16),
        "alone": -np.log(alone / alone.sum()).astype(np.float16),
        "shared": (1 - np.bincount(first[kept], own, n)).astype(np.float16),
        "codes": (first[kept] * n + second[kept]).astype(np.uint32),
        "chances": np.minimum(np.rint(-STEPS_PER_NAT * np.log(own)), 255).astype(np.uint8),
    }


def main(dictionary: str, output: str) -> None:
    from safetensors.numpy import save_file

    turns = (canonical(record.post.text, variants=False).text for record in records("smilechat"))
    with Path(dictionary).open(encoding="utf-8") as lines:
        save_file(tabled(counted(turns, lines)), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
