from __future__ import annotations

import pytest

from shouwang.augment.protect import carries_level, protected


def kept(text: str) -> str:
    return "".join(text[i] for i in sorted(protected(text)))


@pytest.mark.parametrize("words", ["想死", "割腕", "遗书", "今晚", "对不起", "绝望", "没有"])
def test_what_carries_a_level_is_protected_wherever_it_stands(words: str) -> None:
    assert set(words) <= set(kept(f"邻居的花园{words}漂亮"))


def test_a_disguised_word_is_protected_where_it_was_written() -> None:
    text = "邻居今天z杀漂亮"
    assert "z杀" in kept(text)


def test_everyday_words_are_free() -> None:
    assert kept("邻居的花园漂亮") == ""
    assert not carries_level("朋友")


@pytest.mark.parametrize("word", ["我", "不", "非常", "明天", "死", "没劲"])
def test_closed_classes_are_never_exchanged(word: str) -> None:
    assert carries_level(word)
