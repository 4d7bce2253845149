"""The variant layer of the canonical form: hidden words of risk read as what they say, where that is safe.

Net-speak in its usual contexts, split characters, and what is found by its sound (`shouwang.text.by_sound`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from shouwang.text.aligned import Aligned, Rule
from shouwang.text.by_sound import HAN, hidden_words, initials, pinyin
from shouwang.text.risk_words import HALF_INITIALS, HIDDEN, LOOSE_PARTS, PARTS, PARTS_AFTER

# --- phrases --------------------------------------------------------------------------------------------------------

_STOP = r"(?=$|[^\w]|[了吧啊呢的啦呀算掉])"

PHRASES: tuple[tuple[str, str], ...] = (
    (rf"(?<=[想去寻求等])(?:[4四丝斯肆鼠]|si?(?![A-Za-z])){_STOP}", "死"),
    (rf"(?<=[{HAN}]) ?s ?i(?![A-Za-z])|(?<![A-Za-z])s ?i ?(?=[{HAN}])", "死"),
    (rf"(?<=[{HAN}])(?<![第月日号点年有和共是差到第])4(?=[了掉](?:算|吧|$|[^\w]))", "死"),
    (rf"(?<=[{HAN}])s(?=[了掉](?![A-Za-z]))", "死"),
    (r"(?<![A-Za-z0-9])[s4](?=亡|了算)", "死"),
    (r"(?<=[我就都要去])鼠(?=[了掉])|(?<=[想要])[噶嘎](?=了)", "死"),
    (rf"(?<=[想要去会])(?:紫砂|字啥|zs(?![A-Za-z])){_STOP}(?!的[壶杯锅茶])", "自杀"),
    (rf"(?:紫砂|(?<![A-Za-z])zs)(?=未遂|的念头|的想法|的冲动|成功)|(?<=[{HAN}])zs(?=[了过])", "自杀"),
    (rf"(?<=[想要去])zc(?![A-Za-z]){_STOP}|(?<![A-Za-z])zc(?=的冲动|的想法|[了过])", "自残"),
    (rf"(?<=[想要去])tl(?![A-Za-z]){_STOP}", "跳楼"),
    (rf"(?<=[想要去])gw(?![A-Za-z]){_STOP}", "割腕"),
    (rf"(?<=[好很太真])tk(?![A-Za-z]){_STOP}", "痛苦"),
    (rf"(?<=[好很太真])jw(?![A-Za-z]){_STOP}", "绝望"),
    (r"(?<=[吃买吞片颗瓶])amy(?![A-Za-z])", "安眠药"),
    (r"(?<![A-Za-z])bxhl(?![A-Za-z])", "不想活了"),
    (r"(?<![A-Za-z])yyz(?![A-Za-z])|(?:(?<![A-Za-z])yy|玉玉)症", "抑郁症"),
    (r"(?:(?<=重度)|(?<=中度)|(?<=轻度)|(?<=得了)|(?<=患有)|(?<=确诊))(?:yy(?![A-Za-z])|玉玉)", "抑郁"),
)
"""Initials, digits and stand-ins that have become common, each only in its usual context: pattern and reading."""


_MAYBE_PHRASE = re.compile(
    r"[想去寻求等我就都要][4四丝斯肆鼠s]|[4s][了掉亡]|鼠掉|[噶嘎]了|(?<![A-Za-z])s ?i(?![A-Za-z])"
    r"|紫砂|字啥|玉玉|z[sc]|t[lk]|gw|jw|amy|bxhl|yy",
    re.IGNORECASE,
)


@cache
def _phrases() -> re.Pattern[str]:
    return re.compile("|".join(f"({pattern})" for pattern, _ in PHRASES), re.IGNORECASE)


def net_phrases(text: Aligned) -> Aligned:
    """想4了, 想zs, 重度yy as what they are read as."""
    if not _MAYBE_PHRASE.search(text.text):
        return text
    return text.replaced(_phrases(), lambda m: PHRASES[(m.lastindex or 1) - 1][1])


_LETTER_BESIDE_HAN = re.compile(rf"[{HAN}][A-Za-z](?![A-Za-z0-9])|(?<![A-Za-z0-9])[A-Za-z][{HAN}]")


@cache
def _half_initials() -> tuple[re.Pattern[str], Mapping[str, str]]:
    words = {
        word[:i] + syllable[0] + word[i + 1 :]: word
        for word in HALF_INITIALS
        for i, syllable in enumerate(HIDDEN[word].split())
    }
    longest_first = sorted(words, key=len, reverse=True)
    pattern = rf"(?<![A-Za-z0-9])(?=[A-Za-z])(?:{'|'.join(w for w in longest_first if w[0].isascii())})"
    pattern += rf"|(?:{'|'.join(w for w in longest_first if not w[0].isascii())})(?![A-Za-z0-9])"
    return re.compile(pattern, re.IGNORECASE), words


def half_initials(text: Aligned) -> Aligned:
    """A hidden word with one character written as its initial (自s, 抑y症)."""
    if not _LETTER_BESIDE_HAN.search(text.text):
        return text
    pattern, words = _half_initials()
    return text.replaced(pattern, lambda m: words[m[0].lower()])


# --- split characters -----------------------------------------------------------------------------------------------


def whole_characters(text: Aligned) -> Aligned:
    """氵可 as 河, by radicals that never stand alone; 木娄 as 楼 only where that completes a hidden word."""
    radicals, pattern, wholes = _parts()
    if not radicals.isdisjoint(text.text):
        text = text.replaced(pattern, lambda m: wholes[m[0]])
    some, words = _loose_parts()
    if some.search(text.text):
        text = text.replaced(words, lambda m: list(HIDDEN)[(m.lastindex or 1) - 1])
    return text


@cache
def _parts() -> tuple[frozenset[str], re.Pattern[str], Mapping[str, str]]:
    wholes = {"亖": "死"}
    wholes |= {radical + rest: whole for radical, pairs in PARTS.items() for rest, whole in _pairs(pairs)}
    wholes |= {rest + radical: whole for radical, pairs in PARTS_AFTER.items() for rest, whole in _pairs(pairs)}
    return frozenset({"亖", *PARTS, *PARTS_AFTER}), re.compile("|".join(wholes)), wholes


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    return zip(text[::2], text[1::2], strict=True)


@cache
def _loose_parts() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Any split character, and the hidden words (one group each) with their characters whole or split."""
    split = {whole: parts.split() for whole, parts in LOOSE_PARTS.items()}
    words = ["".join(f"(?:{'|'.join((c, *split.get(c, ())))})" for c in word) for word in HIDDEN]
    some = re.compile("|".join(parts for each in split.values() for parts in each))
    return some, re.compile("|".join(f"({word})" for word in words))


VARIANT_RULES: tuple[Rule, ...] = (whole_characters, net_phrases, half_initials, initials, pinyin, hidden_words)
