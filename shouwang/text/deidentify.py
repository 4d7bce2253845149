"""De-identification: what points to a person becomes a typed placeholder such as `[电话]`.

Rules find spans, one kind each; they run in the order of `RULES`, each on what the earlier ones left. They read the
text through a view of equal length in which full-width letters and digits of every form (and, for numbers that people
spell out, Chinese numerals) are ASCII. Emergency numbers and crisis lines stay: they point to help, not to a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from shouwang.text.aligned import Aligned, align

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Deidentified:
    """The text with placeholders, its offsets into the original, and how many of each kind were put in.

    `counts` holds the kinds of `RULES` that were found, in that order.
    """

    aligned: Aligned
    counts: Mapping[str, int]

    @property
    def text(self) -> str:
        return self.aligned.text

    def original(self, start: int, end: int) -> Span:
        """The original characters that [start, end) came from."""
        return self.aligned.original(start, end)


def deidentify(text: str) -> Deidentified:
    """The text without what points to a person, as far as rules can tell. Idempotent; any string is accepted."""
    aligned = align(text)
    found: Counter[str] = Counter()
    before = None
    while before is not aligned:  # until nothing is left to find, since a placeholder gives its neighbours a new edge
        before = aligned
        for kind, (placeholder, find) in RULES.items():
            spans = list(find(aligned.text))
            found[kind] += len(spans)
            aligned = aligned.edited((start, end, placeholder) for start, end in spans)
    return Deidentified(aligned, {kind: found[kind] for kind in RULES if found[kind]})


# --- views ----------------------------------------------------------------------------------------------------------

_FULL_WIDTH = range(0xFF01, 0xFF5F)
_NUMERALS = str.maketrans("〇零一二三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖幺", "001234567891223345667891")
_SIMPLIFIED = str.maketrans("號碼為區縣鎮鄉東樓棟單層園", "号码为区县镇乡东楼栋单层园")  # as far as the rules read it


@cache
def _plain() -> Mapping[int, int]:
    """Full-width forms and digits of every form (① ⑴ 𝟏 ¹) to ASCII, 號 to 号. Made when first needed: to look takes 0.03 s."""
    digits = ((point, unicodedata.digit(chr(point), -1)) for point in range(0x80, 0x20000))
    found = {point: ord("0") + digit for point, digit in digits if digit >= 0}
    return found | {c: c - 0xFEE0 for c in _FULL_WIDTH} | _SIMPLIFIED


@cache
def _plain_and_spoken() -> Mapping[int, int]:
    return {**_plain(), **_NUMERALS}


def _ascii(text: str) -> str:
    """The text in the characters that the rules know, one for each of its own."""
    return text if text.isascii() else text.translate(_plain())


def _spoken(text: str) -> str:
    """The same with Chinese numerals as digits."""
    return text if text.isascii() else text.translate(_plain_and_spoken())


def _matches(pattern: re.Pattern[str], view: str, group: str | int = 0) -> Iterator[Span]:
    for match in pattern.finditer(view):
        yield match.span(group)


def _digits(view: str) -> str:
    return "".join(c for c in view if c in "0123456789xX")


# --- rules ----------------------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![A-Za-z0-9.+_-])[A-Za-z0-9.+_-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}")
_REST_OF_URL = r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]*"
_URL = re.compile(
    rf"(?:https?|ftp)://[A-Za-z0-9]{_REST_OF_URL}"
    r"|(?<![A-Za-z0-9.@-])(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|cn|net|org|cc|me|io|top|xyz|info|tv|vip|app|link|site)"
    rf"(?![A-Za-z0-9-])(?:[/?:]{_REST_OF_URL})?",
    re.IGNORECASE,
)
_PAUSE = re.compile("[，！？；（）]")  # which the view turns into characters that an address may hold
_MENTION = re.compile(r"@(?!某人\])[\w·-]{1,30}")

_GAP = "[\\s\\-‐-―_.·•*/~()（）\u200b-\u200f\u2060\ufe0f\u20e3\ufeff]{0,3}"  # what people put between digits
_LEAD = r"(?:号码?|群|id|加我?|就?是|为|搜|[:：\s(（]){0,6}"
_WECHAT = re.compile(
    r"(?:微信|威信|薇信|(?<![A-Za-z])(?:v信|vx|wx|wechat|weixin)|[加+➕]我?的?\s?[vw](?![A-Za-z]))"
    rf"(?:{_LEAD}(?P<number>(?<![0-9])[0-9]{{6,14}}(?![0-9]))"
    rf"|{_LEAD}(?P<id>(?<![A-Za-z0-9_-])(?=[A-Za-z-]{{0,20}}[0-9_])[A-Za-z][A-Za-z0-9_-]{{5,19}})"
    r"|\s?(?:(?:号码?|id|就?是|[:：])\s?){1,3}(?P<word>(?<![A-Za-z0-9_-])[A-Za-z][A-Za-z0-9_-]{5,19}))"
    r"|(?P<own>(?<![A-Za-z0-9_-])wxid_[A-Za-z0-9]{6,20})",
    re.IGNORECASE,
)
_QQ = re.compile(
    rf"(?:扣扣|企鹅|球球|(?<![A-Za-z])qq?(?![A-Za-z])){_LEAD}(?P<number>[1-9](?:{_GAP}[0-9]){{4,11}})(?![0-9])",
    re.IGNORECASE,
)
_ID_CARD = re.compile(rf"(?<![0-9])[1-9](?:{_GAP}[0-9]){{16}}{_GAP}[0-9xX](?![0-9])")
_OLD_ID_CARD = re.compile(
    r"(?<![0-9])(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])[0-9]{4}"
    r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9])"
)
_MOBILE = re.compile(
    rf"(?<![0-9])(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}[0-9]){{9}}(?![0-9])",
)
_OTHER_PHONE = re.compile(r"(?<![0-9+])(?:\+|\(0|0)[0-9](?:[ \-()]{0,2}[0-9]){6,14}(?![0-9])")

_HAN = r"(?:(?![我你您他她在住到是的了去])[\u4e00-\u9fff])"
_NUMBER = r"[0-9一二三四五六七八九十百]{1,5}"
_ROOM = rf"(?:{_NUMBER}(?:号楼|号院|栋|幢|座|单元|楼|层|室|房|号)|[A-Za-z]座|[0-9]{{3,4}}(?![0-9]))"
_AREA = rf"(?:{_HAN}{{2,5}}(?:省|自治区))?(?:{_HAN}{{2,5}}市)?(?:{_HAN}{{1,5}}[区县])?(?:{_HAN}{{1,5}}[镇乡])?"
_STREET = rf"{_HAN}{{2,6}}(?:路|街|(?<![知难])道|巷|胡同)(?:[一二三四五六七八九十东南西北中]{{1,2}}段)?"
_ADDRESS = re.compile(
    rf"(?=[\u4e00-\u9fff]{{2,26}}?[路街道巷同])(?P<area>{_AREA}){_STREET}\s?(?P<number>{_NUMBER})\s?[号弄](?![线人])院?(?P<room>{_ROOM}{{0,4}})"
    rf"|(?P<estate>{_AREA}{_HAN}{{2,6}}(?:小区|花园|家园|公寓|社区|新村){_ROOM}{{1,4}})"
    r"|(?P<building>(?<![0-9])[0-9]{1,3}(?:栋|幢|号楼)(?:[0-9]{1,2}单元)?[0-9]{3,4}(?:室|房|(?![0-9平元块万人年米个户套多])))"
)

_MAYBE_ADDRESS = re.compile(r"[路街巷道同段区园寓村]\s?[0-9一二三四五六七八九十百A-Za-z东南西北中]|[0-9](?:栋|幢|号楼)")
_DAY = re.compile(r"[1-9]|[12][0-9]|3[01]|[一二三四五六七八九]|二?十[一二三四五六七八九]?|三十一?")

_LONG_NUMBER = re.compile(
    r"(?<![0-9])(?:(?:\(0[0-9]{2,3}\)[ -]?|0[0-9]{2,3}[ -]|[1-9][0-9]{1,2}-)[0-9]{7,8}|[0-9]{7,}|[0-9]{4}(?:[ -][0-9]{4}){2,4}(?:[ -][0-9]{1,4})?)(?![0-9])"
)
_PLAY = re.compile(r"([0-9])\1+|23+")  # 666666666, 2333333: laughter and praise
_SERVICE = re.compile(r"[48]00[0-9]{7}")  # lines of organisations
CRISIS_LINES = frozenset({"01082951332", "057185029595", "02583712977", "02163798990", "23892222", "28960000"})
"""Published crisis lines that are long enough to be taken for somebody's number (digits only)."""
_COUNTRY = re.compile(r"(?:00)?(?:86|852)")


def emails(text: str) -> Iterator[Span]:
    return _matches(_EMAIL, _ascii(text))


def urls(text: str) -> Iterator[Span]:
    """Addresses with a scheme, and bare ones under a common top-level domain; Chinese punctuation ends them."""
    for start, end in _matches(_URL, _ascii(text)):
        pause = _PAUSE.search(text, start, end)
        yield start, pause.start() if pause else end


def mentions(text: str) -> Iterator[Span]:
    """@name as Weibo reads it: up to 30 letters, digits, `_` and `-`."""
    return _matches(_MENTION, _ascii(text))


def wechat_ids(text: str) -> Iterator[Span]:
    """The id after 微信, vx, 加v…: digits, a word with a digit in it, or any word after a colon or 号."""
    for match in _WECHAT.finditer(_ascii(text)):
        yield match.span(match.lastgroup or 0)


def qq_numbers(text: str) -> Iterator[Span]:
    return _matches(_QQ, _spoken(text), "number")


def id_cards(text: str) -> Iterator[Span]:
    """18 digits whose last is the ISO 7064 MOD 11-2 check digit of the others, or the old 15-digit form."""
    view = _spoken(text)
    found = [m.span() for m in _ID_CARD.finditer(view) if is_id_card(_digits(m[0]))]
    found += _matches(_OLD_ID_CARD, view)
    return iter(sorted(found))


def is_id_card(number: str) -> bool:
    """Whether 17 digits and a check character (0–9, X) agree (GB 11643, ISO 7064 MOD 11-2)."""
    body, check = number[:-1], number[-1:].upper()
    if len(body) != 17 or not body.isdecimal():
        return False
    return "10X98765432"[sum(int(d) * 2 ** (17 - i) for i, d in enumerate(body)) % 11] == check


def phones(text: str) -> Iterator[Span]:
    """Mainland mobile numbers however they are spaced or spelled, and whatever else phonenumbers finds valid."""
    spoken, view = _spoken(text), _ascii(text)
    found = list(_matches(_MOBILE, spoken))
    found += [m.span() for m in _OTHER_PHONE.finditer(view) if _is_phone(m[0]) and not _clashes(m.span(), found)]
    return iter(sorted(found))


def _is_phone(number: str) -> bool:
    import phonenumbers  # heavy, and few posts hold a candidate

    if _helps(_digits(number)):
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, "CN"))
    except phonenumbers.NumberParseException:
        return False


def _helps(number: str) -> bool:
    """Whether these digits are an organisation's or a crisis line's, with or without the code of the country."""
    without = number.removeprefix(country[0]) if (country := _COUNTRY.match(number)) else number
    return any(_SERVICE.fullmatch(each) or each in CRISIS_LINES for each in (number, without, f"0{without}"))


def _clashes(span: Span, taken: list[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)


def addresses(text: str) -> Iterator[Span]:
    """Street and number (with an area, a room, or a number that is no day of a month), housing estate and building."""
    view = _ascii(text)
    if not _MAYBE_ADDRESS.search(view):
        return
    for match in _ADDRESS.finditer(view):
        if match["number"] and not match["area"] and not match["room"] and _DAY.fullmatch(match["number"]):
            continue  # 上路10号 is a date
        yield match.span()


def long_numbers(text: str) -> Iterator[Span]:
    """Seven digits or more: bank cards, student numbers, local telephone numbers."""
    for match in _LONG_NUMBER.finditer(_ascii(text)):
        digits = _digits(match[0])
        if not (_PLAY.fullmatch(digits) or _helps(digits)):
            yield match.span()


RULES: dict[str, tuple[str, Callable[[str], Iterator[Span]]]] = {
    "email": ("[邮箱]", emails),
    "url": ("[网址]", urls),
    "mention": ("[@某人]", mentions),
    "wechat": ("[微信]", wechat_ids),
    "qq": ("[QQ]", qq_numbers),
    "id-card": ("[身份证]", id_cards),
    "phone": ("[电话]", phones),
    "address": ("[地址]", addresses),
    "number": ("[号码]", long_numbers),
}
