from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from shouwang.models.tokens import UNK, encode
from shouwang.train.builtin import vocabulary
from shouwang.train.builtin.backbone import Backbone
from tests.train.builtin import invented
from tests.train.builtin.invented import PIECES, SINGLE

WHOLE = vocabulary.build(invented.backbone())
KEEP = vocabulary.keep_pieces(invented.backbone(), [PIECES.index("query")])
PRUNED = vocabulary.build(invented.backbone(), KEEP)


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return tokenizer.encode(text, add_special_tokens=False).tokens


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=f"{SINGLE}今1 ", max_size=12))
def test_text_of_kept_pieces_is_split_as_the_whole_tokenizer_splits_it(text: str) -> None:
    assert pieces(PRUNED, text) == pieces(WHOLE, text)


def test_a_row_of_the_pruned_tokenizer_names_the_backbones_row() -> None:
    ids = PRUNED.encode("天气真好", add_special_tokens=False).ids
    assert [PIECES[KEEP[i]] for i in ids] == ["▁", "天气", "真", "好"]


def test_specials_seen_pieces_and_han_are_kept_and_long_foreign_words_are_not(backbone: Backbone) -> None:
    kept = {PIECES[i] for i in KEEP}
    assert KEEP.tolist() == sorted(set(KEEP.tolist()))
    assert [PIECES[i] for i in KEEP[: vocabulary.SPECIALS]] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert {"天气", "▁今天", *SINGLE} <= kept
    assert {"query", "か", "▁12", "ing", ":"} <= kept  # seen; single; digits; three letters; a sign
    assert set(PIECES) - kept == {"かな"}
    assert {PIECES[i] for i in vocabulary.keep_pieces(backbone, [])} == kept - {"query"}


def test_pieces_seen_are_those_of_the_text_after_the_character_table(backbone: Backbone) -> None:
    seen = vocabulary.seen_pieces(WHOLE, {ord("，"): " ", ord("氣"): "气"}, ["天氣，真好"])
    assert {PIECES[i] for i in seen} == {"▁", "query", ":", "天气", "真", "好"}


@pytest.mark.parametrize(("text", "unknown"), [("天气", 0), ("猫", 1)])
def test_what_no_piece_spells_is_unknown(text: str, unknown: int) -> None:
    (ids,) = encode(PRUNED, {}, [text])
    assert (ids == UNK).sum() == unknown
    assert np.array_equal(ids[[0, -1]], [0, 2])
