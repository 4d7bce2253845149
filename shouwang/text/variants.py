"""The variant layer of the canonical form: hidden words of risk read as what they say, where that is safe.

A hidden word is found by sound. Every character, pinyin syllable or look-alike that can stand for a syllable of the
vocabulary becomes that syllable's key, and a word is a row of keys. What is found is rewritten only if the rule for its
kind of disguise allows it (`_says`), so that 紫砂壶 stays a teapot and women stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from shouwang.text.aligned import Aligned, Edit, Rule, align
from shouwang.text.risk_words import (
    ANCHORS,
    BY_SOUND,
    COMMON,
    HIDDEN,
    INITIAL_ELSEWHERE,
    LOOKS,
    LOOSE_PARTS,
    ORDINARY,
    PARTS,
    PARTS_AFTER,
    SOUNDS,
    SPELLED,
    SYLLABLES,
)

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"

# --- phrases --------------------------------------------------------------------------------------------------------

_STOP = r"(?=$|[^\w]|[了吧啊呢的啦呀算掉])"

PHRASES: tuple[tuple[str, str], ...] = (
    (rf"(?<=[想去寻求等])(?:[4四丝斯肆鼠]|si?(?![A-Za-z])){_STOP}", "死"),
    (rf"(?<=[{_HAN}]) ?s ?i(?![A-Za-z])|(?<![A-Za-z])s ?i ?(?=[{_HAN}])", "死"),
    (rf"(?<=[{_HAN}])(?<![第月日号点年有和共是差到第])4(?=[了掉](?:算|吧|$|[^\w]))", "死"),
    (rf"(?<=[{_HAN}])s(?=[了掉](?![A-Za-z]))", "死"),
    (r"(?<![A-Za-z0-9])[s4](?=亡|了算)", "死"),
    (r"(?<=[我就都要去])鼠(?=[了掉])|(?<=[想要])[噶嘎](?=了)", "死"),
    (rf"(?<=[想要去会])(?:紫砂|字啥|zs(?![A-Za-z])){_STOP}(?!的[壶杯锅茶])", "自杀"),
    (rf"(?:紫砂|(?<![A-Za-z])zs)(?=未遂|的念头|的想法|的冲动|成功)|(?<=[{_HAN}])zs(?=[了过])", "自杀"),
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


_LETTER_BESIDE_HAN = re.compile(rf"[{_HAN}][A-Za-z](?![A-Za-z0-9])|(?<![A-Za-z0-9])[A-Za-z][{_HAN}]")


@cache
def _half_initials() -> tuple[re.Pattern[str], Mapping[str, str]]:
    words = {
        word[:i] + syllable[0] + word[i + 1 :]: word
        for word in BY_SOUND - INITIAL_ELSEWHERE
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


# --- words by sound -------------------------------------------------------------------------------------------------


class _Vocabulary(NamedTuple):
    keys: Mapping[str, str]  # character → key of its syllable
    spoken: Mapping[str, str]  # pinyin → key
    alone: Mapping[str, str]  # key → character
    words: Mapping[str, str]  # row of keys → word
    any_word: re.Pattern[str]  # any row of keys, long ones first
    any_hidden: re.Pattern[str]  # any row of a hidden word's


@cache
def _vocabulary() -> _Vocabulary:
    written = HIDDEN | SPELLED
    syllables = sorted({each for pinyin in written.values() for each in pinyin.split()} | SYLLABLES.keys())
    spoken = {syllable: chr(0xA000 + i) for i, syllable in enumerate(syllables)}  # Yi letters: not Han, and rare
    keys = {c: spoken[s] for word, pinyin in written.items() for c, s in zip(word, pinyin.split(), strict=True)}
    by_ear = {s for word in BY_SOUND for s in HIDDEN[word].split()}
    heard = {c: spoken[syllable] for syllable in by_ear for c in SOUNDS[syllable]}
    seen = {look: keys[c] for c in "".join(BY_SOUND) for look in LOOKS.get(c, "")}
    keys = seen | heard | keys
    words: dict[str, str] = {}
    for word, pinyin in reversed(written.items()):
        ways = ({keys[c], spoken[s]} for c, s in zip(word, pinyin.split(), strict=True))
        words |= {"".join(row): word for row in product(*ways)}
    rows = sorted(words, key=len, reverse=True)
    alone = {spoken[s]: c for word, pinyin in written.items() for c, s in zip(word, pinyin.split(), strict=True)}
    alone |= {spoken[syllable]: c for syllable, c in SYLLABLES.items()}
    any_hidden = re.compile("|".join(row for row in rows if words[row] in HIDDEN))
    return _Vocabulary(keys, spoken, alone, words, re.compile("|".join(rows)), any_hidden)


_LATIN = r"(?<![A-Za-z0-9_@/.])[A-Za-z]{1,40}(?:[1-5](?:[A-Za-z]{1,6}[1-5])*)?(?![A-Za-z0-9_@])"
_SYMBOL = r"(?:_|[^\w,。!?;:\n()《》<>\[\]【】“”‘’\"'#@])"
_GAP = rf"(?<=[{_HAN}A-Za-z1-5]){_SYMBOL}{{1,2}}(?=[{_HAN}A-Za-z])"
_LETTERS = re.compile(r"[A-Za-z][A-Za-z]")
_STRETCH = re.compile(rf"(?:(?<=[{_HAN}]) )?{_LATIN}(?:[ ']{_LATIN})*(?: (?=[{_HAN}]))?")
_UNEVEN = re.compile(rf"(?P<latin>{_LATIN})|(?P<gap>{_GAP})|([{''.join({*''.join(HIDDEN)})}])\3+")


def pinyin(text: Aligned) -> Aligned:
    """Stretches of letters that are pinyin throughout and hold a word of the vocabulary (wo xiang zi4sha1)."""
    if not _LETTERS.search(text.text):
        return text
    chinese = bool(re.search(f"[{_HAN}]", text.text))
    return text.edited(each for m in _STRETCH.finditer(text.text) for each in _read_aloud(m[0], m.start(), chinese))


def _read_aloud(stretch: str, offset: int, chinese: bool) -> list[Edit]:
    words = _vocabulary()
    spoken = [(m.start() + offset, _syllables(m[0].lower())) for m in re.finditer(r"[A-Za-z1-5]+", stretch)]
    keys = [key for start, syllables in spoken for key in _keys(start, syllables)]
    row = "".join(key for _, _, key in keys)
    found = {m.start(): words.words[m[0]] for m in words.any_word.finditer(row)}
    if not all(syllables for _, syllables in spoken) or not (found if chinese else HIDDEN.keys() & found.values()):
        return []
    i, start = 0, keys[0][0]
    edits: list[Edit] = [(offset, start, "")]
    while i < len(keys):
        reading = found.get(i) or words.alone[row[i]]
        i += len(reading)
        edits.append((start, keys[i - 1][1], reading))
        start = keys[i - 1][1]
    return [*edits, (start, offset + len(stretch), "")]


def hidden_words(text: Aligned) -> Aligned:
    """Words with pinyin in them (自sha), sound-alikes and look-alikes (割碗), or symbols (自/杀)."""
    keys = _vocabulary().keys
    sounds = align(text.text).edited(_uneven(text.text))
    sounds = Aligned("".join(map(keys.get, sounds.text, sounds.text)), sounds.starts, sounds.ends)
    return text.edited(_readings(text.text, sounds))


def _uneven(text: str) -> Iterator[Edit]:
    """Pinyin as keys, nothing for symbols between, one character for a doubled one."""
    for match in _UNEVEN.finditer(text):
        if match["gap"]:
            yield *match.span(), ""
        elif match["latin"]:
            yield from _keys(match.start(), _syllables(match["latin"].lower()))
        else:
            yield *match.span(), match[3]


def _keys(start: int, syllables: tuple[str, ...]) -> Iterator[Edit]:
    for syllable in syllables:
        yield start, start + len(syllable), _vocabulary().spoken[syllable.rstrip("12345")]
        start += len(syllable)


@lru_cache(10_000)
def _syllables(letters: str) -> tuple[str, ...]:
    """The letters as syllables of the vocabulary (with their tone digits), long ones first; () when they are not."""
    spoken = _vocabulary().spoken
    for length in range(min(7, len(letters)), 0, -1):
        if letters[:length].rstrip("12345") in spoken and not letters[length : length + 1].isdigit():
            if length == len(letters):
                return (letters,)
            if rest := _syllables(letters[length:]):
                return (letters[:length], *rest)
    return ()


def _readings(text: str, sounds: Aligned) -> Iterator[Edit]:
    words = _vocabulary()
    pattern = words.any_word if _LETTERS.search(text) else words.any_hidden
    at = 0
    while match := pattern.search(sounds.text, at):
        word = words.words[match[0]]
        first, last = match.span()
        start, end = sounds.original(first, last)
        surface = text[start:end]
        pieces = [text[sounds.starts[i] : sounds.ends[i]] for i in range(first, last)] if surface != word else []
        if pieces and _whole(text, start, end) and _says(word, pieces, surface):
            yield start, end, word
            at = last
        else:
            at = first + 1


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no letter goes on beyond the span (si in Desi了)."""
    return not (_LETTERS.match(text, start - 1, start + 1) or _LETTERS.match(text, end - 1, end + 1))


def _says(word: str, pieces: list[str], surface: str) -> bool:
    """Whether the pieces, one for each character of the word, are a disguise of it that can be read safely."""
    latin = [piece for piece in pieces if piece[0].isascii()]
    wrong = [(c, piece[0]) for c, piece in zip(word, pieces, strict=True) if not piece[0].isascii() and piece[0] != c]
    if word in SPELLED and (wrong or not latin):
        return False
    return not wrong or (word in BY_SOUND and _sounds_safe(word, wrong, surface))


def _sounds_safe(word: str, wrong: list[tuple[str, str]], surface: str) -> bool:
    """Whether wrong characters can be read as the right ones: not in ordinary words, nor common ones in a word of two
    (unless the other one is rare); a look-alike only if all other characters are right."""
    if surface in ORDINARY or len(surface) != len(word):
        return False
    if len(word) == 2 and any(found in COMMON for _, found in wrong) and ANCHORS.isdisjoint(surface):
        return False
    return len(wrong) == 1 or not any(found in LOOKS.get(c, "") for c, found in wrong)


VARIANT_RULES: tuple[Rule, ...] = (whole_characters, net_phrases, half_initials, pinyin, hidden_words)
