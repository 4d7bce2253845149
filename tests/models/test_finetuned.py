"""From an encoder's heads to an assessment, with logits written down by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from shouwang.models.batches import Ints
from shouwang.models.finetuned import MOST_PIECES, Finetuned, Floats, Score, _pieces, answers, log_odds
from shouwang.models.heads import Task
from shouwang.models.mixture import HIGH_HEAD, INDICATOR_HEADS, sigmoid
from shouwang.models.model import Model
from shouwang.posts import Assessment
from shouwang.scale import INDICATORS
from shouwang.triage.batch import assess_records

SURE = 50.0


class Written:
    """The same logits for every post; the first token of a text adds 2 to every target, the others nothing."""

    def __init__(self, logits: Sequence[float]) -> None:
        self.logits = logits

    def __call__(self, posts: Sequence[Ints]) -> NDArray[np.float32]:
        return np.tile(np.array(self.logits, np.float32), (len(posts), 1))

    def contributions(self, ids: Ints, pieces: Ints, score: Score) -> Floats:
        targets = score(np.array([self.logits], np.float64)).shape[1]
        found = np.zeros((targets, len(ids)))
        found[:, 0] = 2
        return found


def assessed(heads: dict[Task, int], logits: Sequence[float]) -> Assessment:
    tokenizer = Tokenizer(WordLevel({"茶": 0, "[UNK]": 1}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = Split("", "isolated")
    (found,) = Model("w", "1", Finetuned(tokenizer, Written(logits), heads, 32), 0.5).assess(["茶好喝"])
    return found


def at_level(level: int) -> list[float]:
    return [SURE * (each == level) for each in range(11)]


def test_both_heads_answer_for_themselves() -> None:
    found = assessed({"levels": 11, "high": 2}, [*at_level(7), np.log(3), 0.0])
    assert (found.level, found.high) == (7, False)
    assert found.p_high == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("level", "indicators"),
    [
        (0, {"pain": 0, "wish": 0, "plan": 0, "method": 0, "time": 0}),
        (1, {"pain": 0.5, "wish": 0, "plan": 0, "method": 0, "time": 0}),
        (5, {"wish": 1, "plan": 0, "method": 0, "time": 0}),
        (8, {"wish": 1, "plan": 1, "time": 0.5}),
        (10, {"wish": 1, "time": 1}),
    ],
)
def test_levels_alone_give_indicators_by_the_scales_table_and_high_by_its_cut(
    level: int, indicators: dict[str, float]
) -> None:
    found = assessed({"levels": 11}, at_level(level))
    assert found.indicators == pytest.approx(indicators, abs=1e-6)
    assert found.p_high == pytest.approx(float(level >= 6), abs=1e-6)


def test_an_indicator_counts_the_levels_at_which_the_table_says_something() -> None:
    logits = np.log([1e-9] * 4 + [0.3, 1e-9, 0.3, 0.4] + [1e-9] * 3)[None]
    method = sigmoid(answers(logits, {"levels": 11}))[0, INDICATOR_HEADS[INDICATORS.index("method")]]
    assert method == pytest.approx(0.4 / 0.7, abs=1e-6), "level 6 leaves the method open"


def test_an_indicator_that_is_open_at_most_levels_is_not_given() -> None:
    logits = np.log([0.3, *[1e-9] * 3, 0.7, *[1e-9] * 6])[None]
    pain = INDICATOR_HEADS[INDICATORS.index("pain")]
    assert np.isnan(log_odds(logits, {"levels": 11})[0, pain])
    assert not np.isnan(answers(logits, {"levels": 11})[0, pain])


def test_thresholds_of_a_cumulative_link_become_levels() -> None:
    found = assessed({"levels": 10}, [SURE] * 4 + [-SURE] * 6)
    assert (found.level, found.high) == (4, False)


def test_high_alone_leaves_the_level_unknown_and_says_so() -> None:
    found = assessed({"high": 2}, [0.0, 2.0])
    assert (found.level, found.level_name, found.probabilities, found.expected_level) == (None, None, (), None)
    assert found.indicators == {}
    assert found.p_high == pytest.approx(1 / (1 + np.exp(-2)))
    assert [(each.indicator, each.start, each.end) for each in found.evidence] == [("high", 0, 1)]
    row = found.to_row()
    assert [row[name] for name in ("level", "level_name", "probabilities", "expected_level")] == [None] * 4
    assert Assessment.from_row(row).level is None


def test_posts_of_unknown_level_rank_by_high() -> None:
    from dataclasses import replace

    from shouwang.posts import Post

    one = assessed({"high": 2}, [0.0, 2.0])
    shares = {"a": 0.6, "b": 0.9}
    ranked = assess_records(
        [Post("a", "茶"), Post("b", "茶")], lambda posts: (replace(one, id=p.id, p_high=shares[p.id]) for p in posts)
    )
    assert [post.id for post, _ in ranked.top] == ["b", "a"]


def test_pieces_are_words_and_no_more_than_so_many() -> None:
    places = np.array([0, *range(4), 0])
    ends = np.array([0, *range(1, 5), 0])
    assert _pieces("今天下雨", places, ends).tolist() == [-1, 0, 0, 1, 1, -1]
    text = "茶，" * 200
    starts = np.arange(len(text))
    assert len(set(_pieces(text, starts, starts + 1).tolist())) == MOST_PIECES


def test_high_is_the_difference_of_its_two_logits() -> None:
    assert log_odds(np.array([[1.0, 3.5]]), {"high": 2})[0, HIGH_HEAD] == 2.5
