"""Cleaning of scraped posts: what is not the author's own words goes, offsets stay mappable to the original."""

from __future__ import annotations

import re

from shouwang.text.aligned import Aligned, Rule, applied
from shouwang.text.canonical import single_blanks, without_entities

_TAG = re.compile(  # a name, and attributes: what is Chinese stands after a =, or somebody wrote it (a<b 我很累>)
    r"<!--.{0,1000}?-->|</?[A-Za-z][A-Za-z0-9:-]{0,30}(?:\s[^<>=\u3400-\u9fff]{0,500}(?:=[^<>]{0,500})?)?/?>", re.DOTALL
)
_REPOSTED = re.compile(r"(?<!\s)\s*//\s*@.*", re.DOTALL)
_REPLY = re.compile(r"^\s*(?:回复|回覆|Reply to)\s*@[\w·-]{1,30}\s*[:：]?\s*")
_MENTION = re.compile(r"@(?!(?<=[A-Za-z0-9_+-]@)[A-Za-z0-9-]{1,63}\.[A-Za-z])[\w·-]{1,30}")  # but in an address of mail
_URL = re.compile(r"(?:https?|ftp)://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+", re.IGNORECASE)
_TOPIC = re.compile(r"#[^#\n]{1,60}#")
_EMPTY_REPOST = re.compile(r"^\s*(?:转发微博|转发|轉發微博|Repost)\s*$")
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")  # but the joiner of emoji
_FOLDED = re.compile(  # from where a run begins, since to try every place in it takes quadratic time
    r"(?<!…)(?<!\.{3})(?:\.{3}|…)+\s*(?:展开全文|全文)\s*[a-z]?\s*$|(?<!\s)\s*收起d?\s*$"
)


def without_invisible(text: Aligned) -> Aligned:
    """Zero-width characters and marks of direction."""
    return text.replaced(_INVISIBLE, "")


def without_tags(text: Aligned) -> Aligned:
    """HTML tags go; one that ends a line leaves a line's end."""
    return text.replaced(_TAG, lambda m: "\n" if m[0][:3].lower() in ("<br", "</p", "</d") else "")


def without_reposts(text: Aligned) -> Aligned:
    """The chain of other people's words from the first `//@name:` on, and a bare "转发微博"."""
    return text.replaced(_REPOSTED, "").replaced(_EMPTY_REPOST, "")


def without_reply_head(text: Aligned) -> Aligned:
    """`回复@name:` at the start."""
    return text.replaced(_REPLY, "")


def without_mentions(text: Aligned) -> Aligned:
    return text.replaced(_MENTION, "")


def without_urls(text: Aligned) -> Aligned:
    return text.replaced(_URL, "")


def without_topics(text: Aligned) -> Aligned:
    """`#topic#`, which the author chose from a list rather than wrote."""
    return text.replaced(_TOPIC, "")


def without_folding(text: Aligned) -> Aligned:
    """What the site adds to a long post: `...全文`, `收起d`."""
    return text.replaced(_FOLDED, "")


def stripped(text: Aligned) -> Aligned:
    """No blanks at either end."""
    kept = text.text.strip()
    start = text.text.index(kept)
    end = start + len(kept)
    return text.edited(each for each in ((0, start, ""), (end, len(text.text), "")) if each[0] < each[1])


CLEANERS: dict[str, Rule] = {
    "entities": without_entities,
    "invisible": without_invisible,
    "tags": without_tags,
    "reposts": without_reposts,
    "reply-head": without_reply_head,
    "urls": without_urls,
    "mentions": without_mentions,
    "topics": without_topics,
    "folding": without_folding,
    "blanks": single_blanks,
    "ends": stripped,
}
"""What `clean` does, in this order; any of them can be left out."""


def clean(text: str, *, keep: frozenset[str] = frozenset()) -> Aligned:
    """The author's own words, without what the cleaners (except those named in `keep`) take out."""
    return applied((rule for name, rule in CLEANERS.items() if name not in keep), text)
