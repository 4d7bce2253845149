from __future__ import annotations

import math

import pytest

from shouwang.augment.distance import distinct, edit_share, self_bleu


@pytest.mark.parametrize(
    ("old", "new", "share"), [("", "", 0), ("雨", "", 1), ("下雨天", "下雪天", 1 / 3), ("雨", "雨", 0)]
)
def test_edit_share_counts_changed_characters(old: str, new: str, share: float) -> None:
    assert edit_share(old, new) == pytest.approx(share)


def test_distinct_is_the_share_of_different_ngrams() -> None:
    assert distinct(["雨雨雪", "雨"], 1) == pytest.approx(2 / 4)
    assert distinct(["雨雨雪"], 2) == pytest.approx(1)
    assert math.isnan(distinct(["雨"], 2))


def test_self_bleu_is_one_for_copies_and_low_for_strangers() -> None:
    assert self_bleu(["今天下雨了吗", "今天下雨了吗"]) == pytest.approx(1)
    assert self_bleu(["今天下雨了吗", "明早起风没有"]) == 0
    assert math.isnan(self_bleu(["今天"]))
