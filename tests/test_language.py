from __future__ import annotations

from contextvars import copy_context
from pathlib import Path

import pytest

import shouwang
from shouwang.language import Words, language, locale_language, say, use_language

TEA = Words("tea", "茶")


@pytest.fixture(autouse=True)
def english() -> None:
    use_language("en")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.Big5"}, "zh"),
        ({"LANG": "ZH_CN"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_CTYPE": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "en"),
    ],
)
def test_the_locale_chooses(environment: dict[str, str], expected: str) -> None:
    assert locale_language(environment) == expected


def test_words_follow_the_language_in_use() -> None:
    assert (str(TEA), say("rain", "雨")) == ("tea", "rain")
    use_language("zh")
    assert (str(TEA), say("rain", "雨")) == ("茶", "雨")


def test_a_choice_stays_in_its_context() -> None:
    context = copy_context()
    context.run(use_language, "zh")
    assert (language(), context.run(language)) == ("en", "zh")


def test_commands_and_pages_address_their_reader_politely_in_chinese() -> None:
    room = Path(shouwang.__file__).parent
    read = {path: path.read_text(encoding="utf-8") for path in (*room.glob("cli/*.py"), *room.rglob("*.html"))}
    assert any("您" in text for text in read.values())
    assert not [path.name for path, text in read.items() if "你" in text]
