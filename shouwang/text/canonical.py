"""The canonical form: one spelling for what people write in many ways, with offsets back to what they wrote.

Two layers, one function per rule. The plain layer is about characters (width, invisible characters, traditional
characters, spacing between all characters, repetition) and says the same in fewer spellings. The variant layer
(`shouwang.text.variants`) reads the ways in which words of risk are hidden, and changes a text only where that is safe.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from shouwang.text.aligned import Aligned, Rule, applied
from shouwang.text.variants import VARIANT_RULES

if TYPE_CHECKING:
    from opencc import OpenCC

Canonical = Aligned
"""A canonical text and where each of its characters came from."""


def canonical(text: str, *, variants: bool = True) -> Canonical:
    """The canonical form of a text; without `variants`, only the plain layer. Any string is accepted."""
    return applied(PLAIN_RULES + VARIANT_RULES if variants else PLAIN_RULES, text)


# --- HTML -----------------------------------------------------------------------------------------------------------

_ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}\d{0,2});")


def without_entities(text: Aligned) -> Aligned:
    """`&nbsp;` and its kind as the characters they stand for."""
    return text.replaced(_ENTITY, lambda m: html.unescape(f"&{m[1]};")) if "&" in text.text else text


# --- characters -----------------------------------------------------------------------------------------------------

_TO_NORMALISE = (  # characters that compatibility forms, marks or controls concern, but for rare ones of old scripts
    *(range(0x3400), range(0xA000, 0xAC00), range(0xD7A4, 0xE000), range(0xF900, 0x10000)),
    *(range(0x1D400, 0x1D800), range(0x1EE00, 0x1EF00), range(0x1F100, 0x1F300), range(0x1FBF0, 0x1FBFA)),
    *(range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200)),
)
_TO_SIMPLIFY = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x2FA20))
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_LETTER_BLOCKS = (0x1F150, 0x1F170)  # negative circled and squared A–Z, which NFKC leaves alone


def plain_characters(text: Aligned) -> Aligned:
    """NFKC, simplified characters, Latin letters without accents, no invisible characters, marks or controls.

    Character by character, so that offsets stay; a lone surrogate becomes U+FFFD; tabs and other blanks become spaces.
    """
    table = {c: new for c in set(text.text) if (new := _plain(c)) != c}
    return text.edited((i, i + 1, table[c]) for i, c in enumerate(text.text) if c in table) if table else text


@lru_cache(1 << 16)
def _plain(character: str) -> str:
    """What a character becomes; itself if it is plain. Found when it is first met: a table of all takes 0.15 s."""
    new = _normal(character) if _among(character, _TO_NORMALISE) else character
    return "".join(_converter().convert(each) if _among(each, _TO_SIMPLIFY) else each for each in new)


def _among(character: str, ranges: Sequence[range]) -> bool:
    return any(ord(character) in points for points in ranges)


def _normal(character: str) -> str:
    point = ord(character)
    for block in _LETTER_BLOCKS:
        if block <= point < block + 26:
            return chr(ord("a") + point - block)
    kind = unicodedata.category(character)
    if kind == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    if character in "\n\r\u2028\u2029\x85":
        return "\n"
    if kind == "Zs" or character in "\t\v\f":
        return " "
    if kind in ("Cc", "Cf", "Mn", "Me") or character in _INVISIBLE:
        return ""
    whole = unicodedata.normalize("NFKD", character)
    if whole[0].isascii() and whole[0].isalpha():  # an accent, a tone mark of pinyin
        return "".join(c for c in whole if not unicodedata.combining(c))
    return "".join(c for c in unicodedata.normalize("NFKC", character) if not unicodedata.combining(c))


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC  # an import that only this needs

    return OpenCC("t2s")


# --- spacing and repetition -----------------------------------------------------------------------------------------

HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"
_SYMBOL = r"(?:_|[^\w,。.!?、;:\"'“”‘’()《》<>\[\]#@])"  # what stands between all characters only to hide them
_BETWEEN_HAN = re.compile(rf"[{HAN}](?:{_SYMBOL}{{1,3}}[{HAN}]){{2,}}")
_SAME_BETWEEN_HAN = re.compile(rf"[{HAN}]([^{HAN}\d\n]{{1,3}})[{HAN}](?:\1[{HAN}]){{2,}}")
_BETWEEN_LETTERS = re.compile(rf"(?<![A-Za-z])[A-Za-z](?:{_SYMBOL}{{1,3}}[A-Za-z]){{2,}}(?![A-Za-z])")
_LONE = re.compile(rf"[^{HAN}][{HAN}][^{HAN}]|(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
_NOT_HAN = re.compile(rf"[^{HAN}]+")
_NOT_LETTER = re.compile(r"[^A-Za-z]+")
_OPEN_PAIR = re.compile(rf"(?<=[{HAN}]){_SYMBOL}{{1,3}}(?=[{HAN}])")
_CLOSED_PAIR = re.compile(rf"[{HAN}](?=[{HAN}])")
_RUN = re.compile(rf"([{HAN}])\1*")
_AGAIN = re.compile(rf"([{HAN}])\1+")
_BLANK = re.compile(r"[^\S\n]*\n\s*|[^\S\n]{2,}|[^\S\n ]")
_REPEATED = re.compile(r"(.)\1{3,}", re.DOTALL)


def closed_up(text: Aligned) -> Aligned:
    """Without what stands between ALL characters of a stretch: symbols or blanks between three or more single Han
    characters or letters, the same punctuation or letters between four or more. Other punctuation and words stay."""
    if not _LONE.search(text.text):
        return text
    if len(_OPEN_PAIR.findall(text.text)) > max(2, 2 * len(_CLOSED_PAIR.findall(text.text))):  # all over the text
        text = text.replaced(_OPEN_PAIR, "")
    for stretch, between in (
        (_BETWEEN_HAN, _NOT_HAN),
        (_SAME_BETWEEN_HAN, _NOT_HAN),
        (_BETWEEN_LETTERS, _NOT_LETTER),
    ):
        text = text.edited(
            (gap.start(), gap.end(), "")
            for found in stretch.finditer(text.text)
            for gap in between.finditer(text.text, found.start(), found.end())
        )
    return text


def single_blanks(text: Aligned) -> Aligned:
    """Blanks in a row as one; lines keep one end."""
    return text.replaced(_BLANK, lambda m: "\n" if "\n" in m[0] else " ")


def short_repeats(text: Aligned) -> Aligned:
    """A character at most three times in a row; each Han character once where nearly all of them are repeated."""
    repeated = len(_AGAIN.findall(text.text))
    if repeated >= 4 and repeated * 3 > len(_RUN.findall(text.text)) * 2:
        text = text.edited((m.start() + 1, m.end(), "") for m in _AGAIN.finditer(text.text))
    return text.edited((m.start() + 3, m.end(), "") for m in _REPEATED.finditer(text.text))


PLAIN_RULES: tuple[Rule, ...] = (without_entities, plain_characters, closed_up, single_blanks, short_repeats)
