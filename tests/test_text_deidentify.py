from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.text import deidentify
from shouwang.text.deidentify import is_id_card


def with_check_digit(body: str) -> str:
    return next(body + check for check in "0123456789X" if is_id_card(body + check))


ID_CARD = with_check_digit("11010119900307123")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@小明_01 你还好吗", "[@某人] 你还好吗"),
        ("转发//@某某:抱抱", "转发//[@某人]:抱抱"),
        ("看http://t.cn/A6abcDE吧", "看[网址]吧"),
        ("看ｈｔｔｐ：／／ｔ．ｃｎ／Ａ６（zs），hhh", "看[网址]（zs），hhh"),
        ("在 www.example.com/a?b=1 上", "在 [网址] 上"),
        ("写信 a.b-c@example.com 给我", "写信 [邮箱] 给我"),
        ("电话13800138000", "电话[电话]"),
        ("电话138 0013 8000谢谢", "电话[电话]谢谢"),
        ("电话１３８－００１３－８０００", "电话[电话]"),
        ("打一三八零零一三八零零零", "打[电话]"),
        ("+86 138-0013-8000", "[电话]"),
        ("座机010-62751234", "座机[电话]"),
        ("身份证11010519491231002X", "身份证[身份证]"),
        (f"身份证{ID_CARD}", "身份证[身份证]"),
        ("老证 110105491231002 丢了", "老证 [身份证] 丢了"),
        ("qq:123456789", "qq:[QQ]"),
        ("扣扣 一二三四五六", "扣扣 [QQ]"),
        ("加我QQ群 123456", "加我QQ群 [QQ]"),
        ("微信号 abc_12345", "微信号 [微信]"),
        ("加v abc12345", "加v [微信]"),
        ("vx：wozaizheli", "vx：[微信]"),
        ("卡号6222020200012345678", "卡号[号码]"),
        ("卡号 6222 0202 0001 2345", "卡号 [号码]"),
        ("我住在幸福市中山区人民路12号3单元502室", "我住在[地址]"),
        ("阳光小区3栋2单元501室", "[地址]"),
        ("人民路128号", "[地址]"),
        ("臺北市中山區中山北路二段12號3樓", "[地址]"),
        ("中山道100号", "[地址]"),
        ("加我v：abc_12345，微信號：wozaizheli", "加我v：[微信]，微信號：[微信]"),
        ("人民路一百二十八号", "[地址]"),
        ("幸福市中山区人民路 12 号", "[地址]"),
        ("中山区人民南路四段12号", "[地址]"),
        ("人民路88号院5号楼1203", "[地址]"),
        ("我在5号楼302", "我在[地址]"),
        ("12栋3单元402", "[地址]"),
        ("微信号是：wozaizheli", "微信号是：[微信]"),
        ("微信号 ：wozaizheli", "微信号 ：[微信]"),
        ("WeChat ID: wozaizheli", "WeChat ID: [微信]"),
        ("微信id abc_123", "微信id [微信]"),
        ("找wxid_1a2b3c4d5e", "找[微信]"),
        ("电话138 / 0013 / 8000", "电话[电话]"),
        ("⑴⑶⑻⑴⑶⑻⑴⑶⑻⑴⑶", "[电话]"),
        ("𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎", "[电话]"),
        ("1️⃣ 3️⃣ 8️⃣ 0️⃣ 0️⃣ 1️⃣ 3️⃣ 8️⃣ 0️⃣ 0️⃣ 0️⃣", "[电话]️⃣"),
    ],
)
def test_what_points_to_a_person_becomes_a_typed_placeholder(text: str, expected: str) -> None:
    assert deidentify(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "拨打12356，或者110、120、119",
        "12356 12355 12320 110 120",
        "热线400-161-9995，也可以打4001619995",
        "北京热线010-82951332",
        "上海热线（021）63798990，或021 63798990",
        "从国外打+86 10 8295 1332、+86 10-82951332、+864001619995",
        "香港热线+852 2389 2222",
        "2333333333 66666666",
        "我们上路10号出发，坐5路10号线",
        "我用微信wechat聊天，qq也行",
        "一二三四五六七八九十",
        "2024年12月31日 23:59",
        "他在路上走了20公里",
        "整条街一百号人在看",
        "人民路三十一号",
        "我们早知道100号会下雨",
        "3栋1000平",
        "微信 identification",
        "我想@ 一下",
    ],
)
def test_help_lines_and_ordinary_numbers_stay(text: str) -> None:
    assert deidentify(text).text == text


def test_every_kind_is_counted() -> None:
    done = deidentify("@甲 @乙 电话13800138000 qq123456 http://example.com/x")
    assert done.counts == {"mention": 2, "url": 1, "phone": 1, "qq": 1}


def test_a_wrong_check_digit_is_just_a_long_number() -> None:
    wrong = ID_CARD[:-1] + ("1" if ID_CARD[-1] != "1" else "2")
    assert deidentify(wrong).counts == {"number": 1}


def test_a_placeholder_maps_back_to_what_it_stands_for() -> None:
    text = "我的电话13800138000别告诉别人"
    done = deidentify(text)
    start = done.text.index("[电话]")
    assert text[slice(*done.original(start, start + 4))] == "13800138000"


PIECES = (
    *(
        "@",
        "小明",
        "13800138000",
        "1",
        "２",
        "三",
        " ",
        "-",
        "http://",
        "t.cn/a",
        ".com",
        "qq",
        "微信",
        "vx",
        "号",
        "：",
    ),
    *(
        "路",
        "市",
        "区",
        "小区",
        "3栋",
        "502室",
        "12356",
        "[@某人]",
        "[QQ]",
        "[微信]",
        "\u200b",
        "😭",
        "\ud800",
        "a_1",
        ID_CARD,
    ),
)
TEXTS = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_it_is_idempotent_and_keeps_offsets(text: str) -> None:
    done = deidentify(text)
    again = deidentify(done.text)
    assert (again.text, again.counts) == (done.text, {})
    assert len(done.text) == len(done.aligned.starts) == len(done.aligned.ends)
    for i, character in enumerate(done.text):
        start, end = done.original(i, i + 1)
        assert 0 <= start < end <= len(text)
        assert character == text[start:end] or character in "[@某人邮箱网址微信QQ身份证电话地号码]"


@pytest.mark.parametrize(
    "piece", ["1", "a", "@", "a.", "1-", "中", "中路1号", "http://", "微信", "q1", "一", "市", "1 3"]
)
def test_a_very_long_post_takes_no_quadratic_time(piece: str) -> None:
    started = time.process_time()
    deidentify(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 5
