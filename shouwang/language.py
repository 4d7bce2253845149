"""Words in Chinese and English, side by side where they are used."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Literal, NamedTuple, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Words(NamedTuple):
    """One text in both languages; `str()` gives it in the language in use."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if language() == "zh" else self.en


def say(en: str, zh: str) -> str:
    """The text in the language in use."""
    return str(Words(en, zh))


def locale_language(environment: Mapping[str, str] = os.environ) -> Language:
    """Chinese on a Chinese locale, English otherwise; the variables in POSIX order of precedence."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    if sys.platform == "win32":  # which sets none of them, and calls its locales "Chinese (Simplified)_China"
        return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"
    return "en"


_chosen: ContextVar[Language | None] = ContextVar("language", default=None)


def language() -> Language:
    """The language in use: the one chosen with `use_language`, else the locale's."""
    return _chosen.get() or locale_language()


def use_language(chosen: Language | None) -> None:
    """Choose the language of this context (process, task or request); with None, the locale's again."""
    _chosen.set(chosen)
