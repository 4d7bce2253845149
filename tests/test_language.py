from __future__ import annotations

from contextvars import copy_context

import pytest

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
