from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.text import clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天很累//@甲:抱抱//@乙:加油", "今天很累"),
        ("回复@某某:谢谢你", "谢谢你"),
        ("#树洞# 今天 @甲 很累 http://t.cn/abc", "今天 很累"),
        ("第一行<br/>第二行&nbsp;完<a href='x'>链接</a>", "第一行\n第二行 完链接"),
        ("很长的一段话...全文", "很长的一段话"),
        ("很长的一段话....全文 ", "很长的一段话."),
        ("转发微博", ""),
        ("3 < 5 而且 7 > 2", "3 < 5 而且 7 > 2"),
        ("今天转发微博被骂了", "今天转发微博被骂了"),
        ("若a<b 那我很累 c>d", "若a<b 那我很累 c>d"),
        ("<img src='a' alt='[泪]'/>很累<video controls></video><O:P>", "很累"),
        ("写信a.b@example.com，hi@某某", "写信a.b@example.com，hi"),
    ],
)
def test_only_the_authors_own_words_stay(text: str, expected: str) -> None:
    assert clean(text).text == expected


def test_a_cleaner_can_be_left_out() -> None:
    assert clean("#树洞# 很累", keep=frozenset({"topics"})).text == "#树洞# 很累"


@settings(max_examples=100, deadline=None)
@given(st.text() | st.lists(st.sampled_from(("@a", " ", "//@", "<br>", "#", "<", "&lt;", "字", "\n"))).map("".join))
def test_every_character_leads_back_to_the_original(text: str) -> None:
    done = clean(text)
    assert all(0 <= start < end <= len(text) for start, end in zip(done.starts, done.ends, strict=True))
    assert len(done.text) == len(done.starts)


@pytest.mark.parametrize("piece", [".", "…", " ", "\n", "... ", " //", "收起 ", "<!--", "&amp;"])
def test_a_very_long_record_takes_no_quadratic_time(piece: str) -> None:
    started = time.process_time()
    clean(piece * (100_000 // len(piece)) + "字")
    assert time.process_time() - started < 5
