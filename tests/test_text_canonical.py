from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.text import canonical
from shouwang.text.pairs import pairs
from shouwang.text.risk_words import HALF_INITIALS, HIDDEN, SPELLED, SYLLABLES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ｗｏ，很ＯＫ！", "wo,很OK!"),
        ("生命沒有意義", "生命没有意义"),
        ("活\u200b着\u0000好\ufeff累", "活着好累"),
        ("a&nbsp;b&amp;lt;c", "a b<c"),
        ("好\ud800", "好\ufffd"),
        ("ǐ,é,ⓢ,🅢,🅰", "i,e,s,s,a"),
        ("我 好 累", "我好累"),
        ("我*好*累*啊", "我好累啊"),
        ("我,好,累,啊", "我好累啊"),
        ("我😀好😀累", "我好累"),
        ("h a o lei", "hao lei"),
        ("哈哈哈哈哈哈……", "哈哈哈..."),
        ("今今天天我我我好好累累", "今天我好累"),
        ("开心😀 今天,很好。", "开心😀 今天,很好。"),
        ("红、黄、蓝", "红、黄、蓝"),
        ("I have a plan", "I have a plan"),
    ],
)
def test_the_plain_layer_writes_one_spelling(text: str, expected: str) -> None:
    assert canonical(text, variants=False).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我想zisha", "我想自杀"),
        ("wo bu xiang huo le", "我不想活了"),
        ("我 好 想 z ì s h ā 了", "我好想自杀了"),
        ("想zi4 sha1", "想自杀"),
        ("去tiao楼", "去跳楼"),
        ("割碗", "割腕"),
        ("抑育症", "抑郁症"),
        ("自/杀", "自杀"),
        ("歹匕了算了", "死了算了"),
        ("足兆木娄", "跳楼"),
        ("想4了", "想死了"),
        ("我想zs", "我想自杀"),
        ("想紫砂", "想自杀"),
        ("重度yy", "重度抑郁"),
        ("亖了", "死了"),
        ("想ZS", "想自杀"),
        ("想自s", "想自杀"),
        ("s了算了", "死了算了"),
        ("得了抑Y症", "得了抑郁症"),
        ("好想丝了算了", "好想死了算了"),
        ("每天都好统枯", "每天都好痛苦"),
        ("火着没有意义", "活着没有意义"),
        ("我好tk", "我好痛苦"),
        ("想去sl", "想去死了"),
    ],
)
def test_the_variant_layer_reads_hidden_words(text: str, expected: str) -> None:
    assert canonical(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "紫砂壶泡茶",
        "想要紫砂的壶",
        "x死我了,A痛B苦,自study",
        "women can dance,Desi了",
        "我要4个,4点了",
        "zs老师的zsh脚本",
        "个完的孩子杀鱼",
        "想思考艺术",
        "女子口巾目民",
        "麻木又疲惫",
        "Amy的资金",
        "https://zisha.example.com",
        "爸爸妈妈都好好的",
        "他说“想死”了",
        "她撕了作业,私下找四个人思考",
        "或者明天去听一语成谶",
        "大S和小S,gd路,yyds",
    ],
)
def test_ordinary_writing_stays(text: str) -> None:
    assert canonical(text).text == text


def test_offsets_lead_back_to_what_was_written() -> None:
    text = "今晚 z i s h a 了"
    done = canonical(text)
    start = done.text.index("自杀")
    assert text[slice(*done.original(start, start + 2))] == "z i s h a"


def test_an_empty_span_maps_to_an_empty_span() -> None:
    assert canonical("").original(0, 0) == (0, 0)
    assert canonical("好 累").original(1, 1) == (1, 1)


def test_the_tables_agree() -> None:
    assert all(len(word) == len(pinyin.split()) for word, pinyin in (HIDDEN | SPELLED).items())
    assert HIDDEN.keys() >= HALF_INITIALS
    assert all(len(character) == 1 for character in SYLLABLES.values())
    assert not HIDDEN.keys() & SPELLED.keys()


def test_a_pair_that_was_often_seen_is_likelier() -> None:
    assert pairs().log_chance("想死") > pairs().log_chance("想四")
    assert pairs().log_chance("司机") > pairs().log_chance("死机")


def test_the_chances_after_a_character_sum_to_one() -> None:
    everything = np.arange(len(pairs().number))
    assert pairs().after(everything[:50], everything).sum(axis=1) == pytest.approx(1, abs=0.05)  # stored as bytes


PIECES = (
    *HIDDEN.values(),
    "想",
    "死",
    "si",
    "zi",
    "sha",
    "4",
    "自",
    "杀",
    " ",
    "*",
    "😀",
    "\u200b",
    "氵",
    "可",
    "木娄",
    "跳",
    "&nbsp;",
    "\ud800",
    "…",
)
TEXTS = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.booleans())
def test_offsets_stay_in_order_and_in_range(text: str, variants: bool) -> None:
    done = canonical(text, variants=variants)
    assert len(done.text) == len(done.starts) == len(done.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(done.starts, done.ends, strict=True))
    assert list(done.starts) == sorted(done.starts)
    assert list(done.ends) == sorted(done.ends)


@pytest.mark.parametrize(
    "piece",
    ["死", "死 ", "a ", "zisha", "zi4", "紫砂", "&amp;", "😀", "zi ", "a1", "歹", "想4", "自自", " ", "wo", "nnng"],
)
def test_a_very_long_post_takes_no_quadratic_time(piece: str) -> None:
    canonical("啊")
    started = time.process_time()
    canonical(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 5


def test_the_example_of_the_docs_is_true() -> None:
    form = canonical("我 好 想 z ì s h ā")
    assert (form.text, form.original(3, 5)) == ("我好想自杀", (6, 15))
