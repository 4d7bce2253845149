from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from shouwang.augment.distance import distinct, edit_share, self_bleu
from shouwang.augment.plan import Result
from shouwang.augment.records import Augmented
from shouwang.augment.report import report
from tests.augment.invented import split


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


def test_a_report_counts_by_level_and_method_and_measures_distance() -> None:
    kept = [Augmented("n", "今天友人约我去公园散步，天气很好", 0, False, "synonyms", ("a-1",))]
    result = Result(kept, Counter({("synonyms", 4, "close"): 2}), Counter(), {0: 3, 4: 2}, {0: 4, 4: 3}, {4: 1})
    found: Any = report(result, split(), lambda texts: np.eye(2)[[0] * len(texts)])
    assert found["levels"][1] == {"level": 4, "before": 2, "goal": 3, "new": {}, "short": 1}
    assert found["filtered"] == [{"method": "synonyms", "level": 4, "reason": "close", "posts": 2}]
    assert found["methods"]["synonyms"] == {
        **{"posts": 1, "edit": 2 / 16, "embedding": 0.0, "self_bleu": None},
        "distinct": {"1": 15 / 16, "2": 1.0, "3": 1.0},
    }
