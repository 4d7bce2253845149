from __future__ import annotations

import json

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.evaluate.predictions import Gold, Prediction, Predictions
from shouwang.evaluate.report import Options, evaluate, jsonable
from shouwang.posts import LabelledPost, Skipped
from tests.evaluate.invented import sure_of

QUICK = Options(resamples=50)


def gold(levels: dict[str, int], skipped: tuple[Skipped, ...] = ()) -> Gold:
    posts = {name: LabelledPost(name, "一条编造的帖子", level, level > 5) for name, level in levels.items()}
    return Gold("gold", posts, skipped)


def predicted(levels: dict[str, int], source: str = "model") -> Predictions:
    return Predictions(source, {k: Prediction(k, tuple(sure_of(v)[0]), float(v > 5)) for k, v in levels.items()})


GOLD = {"a": 1, "b": 4, "c": 7, "d": 9}


def test_both_tasks_are_measured_with_n_and_intervals() -> None:
    found = evaluate(gold(GOLD), predicted({"a": 1, "b": 4, "c": 7, "d": 1}), options=QUICK)
    assert list(found.tasks) == ["levels", "high"]
    levels = found.tasks["levels"]
    assert (levels.n, levels.metrics["accuracy"].value, levels.per_class["9"].recall.value) == (4, 0.75, 0)
    assert found.tasks["high"].confusion == [[2, 0], [1, 1]]
    assert found.complete


def test_another_file_that_answers_one_task_of_two_is_refused_with_the_option_that_helps() -> None:
    other = Predictions("other", {name: Prediction(name, None, float(level > 5)) for name, level in GOLD.items()})
    with pytest.raises(InputError, match=r"other answers task 'high' alone; .* add --task high"):
        evaluate(gold(GOLD), predicted(GOLD), other=other, options=QUICK)
    assert evaluate(gold(GOLD), predicted(GOLD), ["high"], other, QUICK).tasks["high"].comparison


def test_a_post_without_an_answer_makes_the_report_incomplete() -> None:
    found = evaluate(gold(GOLD), predicted({"a": 1}), options=QUICK)
    assert found.tasks["levels"].only_gold == ("b", "c", "d")
    assert not found.complete


def test_a_skipped_record_makes_the_report_incomplete_and_is_named() -> None:
    found = evaluate(gold(GOLD, (Skipped("gold:5", "level 12 is outside 0–10"),)), predicted(GOLD), options=QUICK)
    assert found.skipped == {"gold": ("gold:5: level 12 is outside 0–10",)}
    assert not found.complete


def test_what_was_skipped_is_named_where_one_file_is_gold_and_predictions() -> None:
    labelled = gold(GOLD, (Skipped("gold:5", "level 12 is outside 0–10"),))
    answers = Predictions("gold", predicted(GOLD).records, (Skipped("gold:6", "no 'id'"),))
    found = evaluate(labelled, answers, options=QUICK)
    assert found.skipped == {"gold": ("gold:5: level 12 is outside 0–10", "gold:6: no 'id'")}


def test_a_comparison_uses_the_posts_that_both_answer() -> None:
    other = predicted({"a": 2, "b": 4, "c": 7, "x": 3}, "other")
    comparison = evaluate(gold(GOLD), predicted(GOLD), ["levels"], other, QUICK).tasks["levels"].comparison
    assert comparison is not None
    assert (comparison.n, comparison.left_out) == (3, ("d",))
    assert comparison.metrics["accuracy"].value == pytest.approx(1 / 3)


def test_the_threshold_moves_where_high_begins() -> None:
    half = Predictions("model", {name: Prediction(name, None, 0.4) for name in GOLD})
    low, high = (evaluate(gold(GOLD), half, options=Options(t, 50)).tasks["high"] for t in (0.5, 0.3))
    assert (low.metrics["recall"].value, high.metrics["recall"].value) == (0, 1)


def test_a_task_that_the_predictions_do_not_answer_is_refused_when_asked_for() -> None:
    only_high = Predictions("model", {"a": Prediction("a", None, 0.4)})
    assert list(evaluate(gold(GOLD), only_high, options=QUICK).tasks) == ["high"]
    with pytest.raises(InputError, match="task 'levels'"):
        evaluate(gold(GOLD), only_high, ["levels"], options=QUICK)


def test_nothing_in_common_is_refused() -> None:
    unlabelled = Gold("gold", {"a": LabelledPost("a", "一条编造的帖子")})
    with pytest.raises(InputError, match="share no task"):
        evaluate(unlabelled, predicted(GOLD), options=QUICK)


def test_a_report_is_json_without_nan_and_without_text() -> None:
    report = evaluate(gold(GOLD), predicted(GOLD), options=QUICK)
    line = json.dumps(jsonable(report), allow_nan=False, ensure_ascii=False)
    assert "编造" not in line
    assert json.loads(line)["tasks"]["levels"]["per_class"]["0"]["f1"]["value"] is None
    assert jsonable([np.nan, 0.1]) == [None, 0.1]
