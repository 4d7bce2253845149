"""Posts as people disguise them, to measure what a model still sees.

Every kind is built from a dictionary (pypinyin, OpenCC, Unicode, character parts), not from the tables with which
`shouwang.text.canonical` reads disguises, so that it says how reading holds against what it was not written for.
The part data is extracted from cjk-decomp by Gavin Grover (Apache License 2.0).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np

from shouwang import lookup
from shouwang.errors import MissingExtraError

Disguise = Callable[[str, np.random.Generator], str]

RISK_WORDS: tuple[str, ...] = (
    *("自杀", "想死", "去死", "死了", "死亡", "轻生", "自尽", "自残", "不想活", "活不下去", "活着", "解脱", "结束生命"),
    *("离开世界", "生不如死", "遗书", "遗言", "永别", "告别", "跳楼", "割腕", "上吊", "烧炭", "安眠药", "吃药", "农药"),
    *("跳河", "跳海", "跳江", "天台", "刀片", "抑郁症", "抑郁", "绝望", "痛苦", "崩溃", "难受", "孤独", "没意义", "死"),
)
"""Words that carry the level of a post: what the kinds that work on words disguise."""

_HAN = "\u4e00-\u9fff"
_RISK = re.compile("|".join(sorted(RISK_WORDS, key=len, reverse=True)))


class Kind(NamedTuple):
    """A disguise of one character of the text, or of one risk word, at a time."""

    disguise: Disguise
    unit: re.Pattern[str]


def obfuscate(text: str, kind: str, rng: np.random.Generator, *, share: float = 1.0) -> str:
    """The text with a share (0–1) of the kind's units disguised: each unit with that probability.

    Raises InputError for an unknown kind, MissingExtraError where pypinyin is not installed.
    """
    disguise, unit = lookup.get(KINDS, kind, "kind of obfuscation")
    return unit.sub(lambda m: disguise(m[0], rng) if rng.random() < share else m[0], text)


# --- dictionaries ---------------------------------------------------------------------------------------------------


@cache
def common_characters() -> tuple[str, ...]:
    """The 3,755 characters of GB 2312 level 1."""
    codes = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return tuple(code.decode("gb2312") for code in codes if code < b"\xd7\xfa")


def _pinyin(text: str, *, tones: bool = False) -> list[str]:
    try:
        import pypinyin
    except ImportError:
        raise MissingExtraError("obfuscation by sound", "evaluate") from None
    style = pypinyin.Style.TONE if tones else pypinyin.Style.NORMAL
    return [syllables[0] for syllables in pypinyin.pinyin(text, style=style)]


@cache
def _sounds() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Common character → syllable, and syllable → common characters."""
    of = dict(zip(common_characters(), (_pinyin(c)[0] for c in common_characters()), strict=True))
    having: dict[str, str] = defaultdict(str)
    for character, syllable in of.items():
        having[syllable] += character
    return of, having


@cache
def _parts() -> Mapping[str, tuple[str, str, str]]:
    """Common character → layout (a across, stl and sbl around from the left), first and second part."""
    lines = resources.files("shouwang.evaluate").joinpath("han_parts.tsv").read_text("utf-8").splitlines()
    records = (line.split("\t") for line in lines if not line.startswith("#"))
    return {character: (layout, first, second) for character, layout, first, second in records if layout != "d"}


@cache
def _look_alikes() -> Mapping[str, str]:
    """Common character → common characters with the same right side (腕 and 碗)."""
    sides = {c: second for c, (layout, _, second) in _parts().items() if layout == "a"}
    having: dict[str, str] = defaultdict(str)
    for character, second in sides.items():
        having[second] += character
    return {c: having[second].replace(c, "") for c, second in sides.items() if len(having[second]) > 1}


@cache
def _traditional() -> Callable[[str], str]:
    import opencc

    return opencc.OpenCC("s2t").convert


@cache
def _radicals() -> Mapping[str, str]:
    """Character → the Kangxi radical that looks the same."""
    return {unicodedata.normalize("NFKC", chr(point)): chr(point) for point in range(0x2F00, 0x2FD6)}


# --- kinds ----------------------------------------------------------------------------------------------------------


def _one_of(choices: str, rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


def _followed_by(choices: str) -> Disguise:
    return lambda text, rng: text + _one_of(choices, rng)


def _joined_by(choices: str) -> Disguise:
    """One of the choices between all characters."""
    return lambda text, rng: _one_of(choices, rng).join(text)


def _homophones(word: str, rng: np.random.Generator) -> str:
    of, having = _sounds()
    return "".join(_one_of(having[of[c]].replace(c, "") or c, rng) if c in of else c for c in word)


def _one_homophone(word: str, rng: np.random.Generator) -> str:
    i = rng.integers(len(word))
    return word[:i] + _homophones(word[i], rng) + word[i + 1 :]


def _half_pinyin(word: str, rng: np.random.Generator) -> str:
    i = rng.integers(len(word))
    return word[:i] + _pinyin(word)[i] + word[i + 1 :]


def _split(word: str, rng: np.random.Generator) -> str:
    return "".join("".join(_parts()[c][1:]) if c in _parts() else c for c in word)


def _look_alike(word: str, rng: np.random.Generator) -> str:
    places = [i for i, c in enumerate(word) if c in _look_alikes()]
    if not places:
        return word
    i = places[rng.integers(len(places))]
    return word[:i] + _one_of(_look_alikes()[word[i]], rng) + word[i + 1 :]


def _swapped(word: str, rng: np.random.Generator) -> str:
    i = rng.integers(max(1, len(word) - 1))
    return word[:i] + word[i : i + 2][::-1] + word[i + 2 :]


def _enclosed(word: str, rng: np.random.Generator) -> str:
    return "".join(chr(ord(c) - ord("a") + 0x24D0) if c.isascii() else c for c in "".join(_pinyin(word)))


_ANY = re.compile(r".", re.DOTALL)
_HAN_BEFORE_HAN = re.compile(rf"[{_HAN}](?=[{_HAN}])")
_HAN_CHARACTER = re.compile(rf"[{_HAN}]")

KINDS: dict[str, Kind] = {
    "zero-width": Kind(_followed_by("\u200b\u200c\u200d\u2060\ufeff"), _ANY),
    "combining-marks": Kind(_followed_by("\u0336\u0332\u0305\u20d2"), _HAN_CHARACTER),
    "spaces": Kind(_followed_by(" "), _HAN_BEFORE_HAN),
    "symbols": Kind(_followed_by("*-_/|~^+=·"), _HAN_BEFORE_HAN),
    "emoji": Kind(_followed_by("😭🙂🌧💔✨🐟"), _HAN_BEFORE_HAN),
    "doubled": Kind(lambda text, rng: text * int(rng.integers(2, 4)), _HAN_CHARACTER),
    "traditional": Kind(lambda text, rng: _traditional()(text), re.compile(rf"[{_HAN}]+")),
    "kangxi-radicals": Kind(lambda text, rng: _radicals().get(text, text), _HAN_CHARACTER),
    "html-entities": Kind(lambda text, rng: f"&#x{ord(text):x};", _HAN_CHARACTER),
    "symbol-in-word": Kind(_joined_by("*-_/|~. "), _RISK),
    "pinyin": Kind(lambda word, rng: "".join(_pinyin(word)), _RISK),
    "pinyin-with-tones": Kind(lambda word, rng: " ".join(_pinyin(word, tones=True)), _RISK),
    "pinyin-letter-by-letter": Kind(lambda word, rng: " ".join("".join(_pinyin(word))), _RISK),
    "pinyin-enclosed": Kind(_enclosed, _RISK),
    "half-pinyin": Kind(_half_pinyin, _RISK),
    "initials": Kind(lambda word, rng: "".join(syllable[0] for syllable in _pinyin(word)), _RISK),
    "homophones": Kind(_homophones, _RISK),
    "one-homophone": Kind(_one_homophone, _RISK),
    "split-characters": Kind(_split, _RISK),
    "look-alike": Kind(_look_alike, _RISK),
    "swapped": Kind(_swapped, _RISK),
}
"""Name → how, and on what: the whole text, or its risk words."""
