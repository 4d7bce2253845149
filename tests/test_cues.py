from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.cues import CUES, Context, Cue, find
from shouwang.scale import INDICATORS
from shouwang.text import canonical
from tests import examples


def kinds(text: str) -> set[str]:
    return {CUES[cue].kind for cue, _, _ in find(canonical(text).text)}


def test_every_cue_has_a_name_of_its_own_and_a_known_kind() -> None:
    assert len({cue.name for cue in CUES}) == len(CUES)
    assert {cue.kind for cue in CUES} <= {*INDICATORS, *get_args(Context)}


def test_every_indicator_has_cues() -> None:
    assert {cue.kind for cue in CUES} >= set(INDICATORS)


@pytest.mark.parametrize("cue", CUES, ids=lambda cue: cue.name)
def test_a_pattern_compiles_and_never_matches_nothing(cue: Cue) -> None:
    assert not cue.regex.match("")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我真的好想死", "wish"),
        ("不想活了", "wish"),
        ("我已经决定好了，遗书也写完了", "plan"),
        ("站在天台上想跳下去", "method"),
        ("就在今晚", "time"),
        ("每天都好痛苦", "pain"),
        ("再见了，对不起大家", "farewell"),
        ("谁能救救我", "help"),
        ("我不敢，我怕疼", "hold"),
        ("今天笑死我了", "everyday"),
    ],
)
def test_a_plain_sentence_of_each_kind_is_found(text: str, kind: str) -> None:
    assert kind in kinds(text)


def test_a_disguised_word_is_found_in_its_canonical_form() -> None:
    assert "wish" in kinds("想*死*了")


def test_laughing_oneself_to_death_is_no_wish() -> None:
    assert "wish" not in kinds("今天的综艺笑死我了")


def test_a_match_says_which_cue_and_where() -> None:
    text = "我今晚想死"
    assert {text[start:end] for cue, start, end in find(text) if CUES[cue].kind == "wish"} == {"想死"}


@settings(max_examples=50, deadline=None)
@given(st.text("我想死不活了今晚药0😀，。", max_size=30))
def test_every_match_stands_inside_the_text(text: str) -> None:
    assert all(0 <= cue < len(CUES) and 0 <= start < end <= len(text) for cue, start, end in find(text))


def test_most_posts_that_settle_a_method_hold_a_cue_of_one() -> None:
    posts = [post for post in examples.labelled() if post.level in (7, 9)]
    assert sum("method" in kinds(post.text) for post in posts) >= len(posts) * 0.8


def test_long_texts_are_searched_in_a_moment() -> None:
    assert sum(1 for _ in find("想" * 20_000 + "死")) >= 1
