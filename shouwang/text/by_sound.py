"""Hidden words found by how they sound: pinyin, sound-alikes, initials; and look-alikes, and symbols within.

Every character, syllable or look-alike that can stand for a syllable of the vocabulary becomes that syllable's key, and
a word is a row of keys. Letters are read by rules; other characters only where the word is far likelier between its
neighbours than what stands there (`shouwang.text.pairs`), so that 紫砂壶 stays a teapot.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shouwang.text.aligned import Aligned, Edit, align
from shouwang.text.pairs import EDGE, pairs
from shouwang.text.risk_words import HIDDEN, LOOKS, ORDINARY, SOUNDS, SPELLED, SYLLABLES

LIKELIER = 7.0
"""How much larger (natural logarithm) the chance of a hidden word must be than that of the characters in its place."""

SHARE = 0.0005
"""The least share that a hidden word must have among all that its initials can stand for between their neighbours.

So small because who writes letters among characters means to hide something, which the chances know nothing of.
"""

DEATH, DEATHLY = "死", "si"
"""Read by ear only: whoever writes si may mean anything."""

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_HAN_THEN_LETTER = re.compile(rf"[{HAN}][A-Za-z]")


# --- vocabulary -----------------------------------------------------------------------------------------------------


class _Vocabulary(NamedTuple):
    keys: Mapping[str, str]  # character → key of its syllable
    spoken: Mapping[str, str]  # pinyin → key
    alone: Mapping[str, str]  # key → character
    words: Mapping[str, str]  # row of keys → word
    any_word: re.Pattern[str]  # any row of keys, long ones first
    any_hidden: re.Pattern[str]  # any row of a hidden word's


@cache
def _heard() -> Mapping[str, str]:
    """Character → syllable: of the vocabulary's words, and of the characters that sound like one of a hidden word's."""
    by_ear = {syllable for pinyin in HIDDEN.values() for syllable in pinyin.split()}
    common = {c: s for c, s in zip(pairs().number, pairs().sounds, strict=True) if s in by_ear}
    further = {c: syllable for syllable, more in SOUNDS.items() for c in more}
    own = {c: s for word, p in (HIDDEN | SPELLED).items() for c, s in zip(word, p.split(), strict=True)}
    return common | further | own


@cache
def _vocabulary() -> _Vocabulary:
    written, heard = HIDDEN | SPELLED, _heard()
    syllables = sorted({*heard.values(), *SYLLABLES})
    spoken = {syllable: chr(0xA000 + i) for i, syllable in enumerate(syllables)}  # Yi letters: not Han, and rare
    keys = {look: spoken[heard[c]] for c, looks in LOOKS.items() for look in looks if c in heard}
    keys |= {character: spoken[syllable] for character, syllable in heard.items()}
    words: dict[str, str] = {spoken[DEATHLY]: DEATH}
    for word, pinyin in reversed(written.items()):
        ways = ({keys[c], spoken[s]} for c, s in zip(word, pinyin.split(), strict=True))
        words |= {"".join(row): word for row in product(*ways)}
    for word in HIDDEN:
        row = "".join(keys[c] for c in word)
        for i, c in enumerate(word):
            for look in LOOKS.get(c, ""):  # which has the key of its own sound, if that is known
                words.setdefault(row[:i] + keys[look] + row[i + 1 :], word)
    rows = sorted(words, key=len, reverse=True)
    alone = {spoken[s]: c for word, pinyin in written.items() for c, s in zip(word, pinyin.split(), strict=True)}
    alone |= {spoken[syllable]: c for syllable, c in SYLLABLES.items()}
    any_hidden = re.compile("|".join(row for row in rows if words[row] not in SPELLED))
    return _Vocabulary(keys, spoken, alone, words, re.compile("|".join(rows)), any_hidden)


# --- pinyin ---------------------------------------------------------------------------------------------------------

_LATIN = r"(?<![A-Za-z0-9_@/.])[A-Za-z]{1,40}(?:[1-5](?:[A-Za-z]{1,6}[1-5]){0,99})?(?![A-Za-z0-9_@])"
_SYMBOL = r"(?:_|[^\w,。!?;:\n()《》<>\[\]【】“”‘’\"'#@])"
_GAP = rf"(?<=[{HAN}A-Za-z1-5]){_SYMBOL}{{1,2}}(?=[{HAN}A-Za-z])"
_LETTERS = re.compile(r"[A-Za-z][A-Za-z]")
_STRETCH = re.compile(rf"(?:(?<=[{HAN}]) )?{_LATIN}(?:[ ']{_LATIN})*(?: (?=[{HAN}]))?")
_UNEVEN = re.compile(rf"(?P<latin>{_LATIN})|(?P<gap>{_GAP})|([{''.join({*''.join(HIDDEN)})}])\3+")


def pinyin(text: Aligned) -> Aligned:
    """Stretches of letters that are pinyin throughout and hold a word of the vocabulary (wo xiang zi4sha1)."""
    if not _LETTERS.search(text.text):
        return text
    chinese = bool(re.search(f"[{HAN}]", text.text))
    return text.edited(each for m in _STRETCH.finditer(text.text) for each in _read_aloud(m[0], m.start(), chinese))


def _read_aloud(stretch: str, offset: int, chinese: bool) -> list[Edit]:
    words = _vocabulary()
    spoken = [(m.start() + offset, _syllables(m[0].lower())) for m in re.finditer(r"[A-Za-z1-5]+", stretch)]
    keys = [key for start, syllables in spoken for key in _keys(start, syllables)]
    row = "".join(key for _, _, key in keys)
    found = {m.start(): word for m in words.any_word.finditer(row) if (word := words.words[m[0]]) != DEATH}
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


# --- characters -----------------------------------------------------------------------------------------------------


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


def _readings(text: str, sounds: Aligned) -> Iterator[Edit]:
    words = _vocabulary()
    pattern = words.any_word if _LETTERS.search(text) else words.any_hidden
    at = 0
    while match := pattern.search(sounds.text, at):
        at = match.start() + 1
        for last in range(match.end(), match.start(), -1):
            word = words.words.get(sounds.text[match.start() : last])
            if word and (edit := _reading(text, sounds, match.start(), last, word)):
                yield edit
                at = last
                break


def _reading(text: str, sounds: Aligned, first: int, last: int, word: str) -> Edit | None:
    """The word in place of what sounds or looks like it, if it is hidden there."""
    start, end = sounds.original(first, last)
    if text[start:end] == word or not _whole(text, start, end):
        return None
    pieces = [text[sounds.starts[i] : sounds.ends[i]] for i in range(first, last)]
    return (start, end, word) if _says(text, start, end, word, pieces) else None


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no letter goes on beyond the span (si in Desi了)."""
    return not (_LETTERS.match(text, start - 1, start + 1) or _LETTERS.match(text, end - 1, end + 1))


def _says(text: str, start: int, end: int, word: str, pieces: list[str]) -> bool:
    """Whether the pieces, one for each character of the word, are a disguise of it that can be read safely."""
    latin = any(piece[0].isascii() for piece in pieces)
    wrong = [(c, piece[0]) for c, piece in zip(word, pieces, strict=True) if not piece[0].isascii() and piece[0] != c]
    if (word in SPELLED and (wrong or not latin)) or (word == DEATH and not wrong):
        return False
    return not wrong or (end - start == len(word) and _alike(word, wrong) and _likelier(text, start, end, word))


def _alike(word: str, wrong: list[tuple[str, str]]) -> bool:
    """Whether wrong characters all sound like the right ones, or one looks like it and no other is wrong."""
    if all(_sound(c) == _sound(found) for c, found in wrong):
        return True
    return len(wrong) == 1 < len(word) and wrong[0][1] in LOOKS.get(wrong[0][0], "")


def _sound(character: str) -> str:
    return _heard().get(character, character)


def _likelier(text: str, start: int, end: int, word: str) -> bool:
    """Whether the word is far likelier between its neighbours than the characters that stand there."""
    left, found, right = text[start - 1 : start] or EDGE, text[start:end], text[end : end + 1] or EDGE
    if found in ORDINARY:
        return False
    if any(c not in pairs().number for c in found):
        return word != DEATH  # so rare that it is nothing but a disguise
    return pairs().log_chance(left + word + right) - pairs().log_chance(left + found + right) > LIKELIER


# --- initials -------------------------------------------------------------------------------------------------------


@cache
def _initials() -> tuple[re.Pattern[str], Mapping[str, Sequence[str]], Mapping[str, NDArray[np.int64]]]:
    """Any hidden word's initials after a Chinese character; initials → words; initial → numbers of characters."""
    words: dict[str, list[str]] = defaultdict(list)
    for word, pinyin in HIDDEN.items():
        words["".join(syllable[0] for syllable in pinyin.split())].append(word)
    numbers: dict[str, list[int]] = defaultdict(list)
    for i, sound in enumerate(pairs().sounds):
        numbers[sound[:1]].append(i)
    letters = f"(?:{'|'.join(sorted(words, key=len, reverse=True))})(?![A-Za-z0-9_@/.-])"
    pattern = rf"(?<=[{HAN}]){letters}"
    return re.compile(pattern, re.IGNORECASE), words, {letter: np.array(n) for letter, n in numbers.items()}


def initials(text: Aligned) -> Aligned:
    """Hidden words by their initials (好想zs), where they may well be meant."""
    if not _HAN_THEN_LETTER.search(text.text):
        return text
    return text.edited(_meant(text.text))


def _meant(text: str) -> Iterator[Edit]:
    for match in _initials()[0].finditer(text):
        start, end = match.span()
        letters = match[0].lower()
        if match[0] not in (letters, letters.upper()) or letters in ORDINARY:
            continue  # a name, or a common abbreviation
        word = _word_of(letters, text[start - 1 : start] or EDGE, text[end : end + 1] or EDGE)
        if word:
            yield start, end, word


@lru_cache(10_000)
def _word_of(letters: str, left: str, right: str) -> str:
    """The hidden word that the letters may well stand for between two characters; "" for none."""
    word, chance = max(
        ((word, pairs().log_chance(left + word + right)) for word in _initials()[1][letters]), key=lambda each: each[1]
    )
    everything = np.ones(1)
    for first, second in pairwise((left, *letters, right)):
        everything = everything @ _follow(first, second)
    return word if math.exp(chance) > SHARE * everything.item() else ""


@lru_cache(32)
def _follow(first: str, second: str) -> NDArray[np.float64]:
    """The chances (n, m) that one follows the other: characters, or for a letter all characters that begin with it."""
    return pairs().after(
        *(_initials()[2].get(each, np.array([pairs().number.get(each, 0)])) for each in (first, second))
    )
