from __future__ import annotations

import json
from pathlib import Path

import polars
import pytest

from shouwang.errors import InputError
from shouwang.evaluate.predictions import gold_from, match, read_gold, read_predictions
from shouwang.files import jsonl_to_csv
from shouwang.posts import Assessment, LabelledPost
from tests.evaluate.invented import sure_of


def assessed(name: str, level: int) -> dict[str, object]:
    p = tuple(map(float, sure_of(level)[0]))
    indicators = dict.fromkeys(("pain", "wish", "plan", "method", "time"), 0.0)
    return Assessment(name, level, p, level > 5, level / 10, indicators, "invented 1").to_row()  # type: ignore[arg-type]


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def gold(*posts: tuple[str, int | None, bool | None]) -> list[LabelledPost]:
    return [LabelledPost(name, "一条编造的帖子", level, high) for name, level, high in posts]


def test_jsonl_csv_and_parquet_are_read_alike(tmp_path: Path) -> None:
    jsonl = written(tmp_path / "p.jsonl", [assessed("a", 3), assessed("b", 9)])
    jsonl_to_csv(jsonl, tmp_path / "p.csv")
    polars.read_ndjson(jsonl).write_parquet(tmp_path / "p.parquet")
    first, *others = (read_predictions(tmp_path / f"p.{ending}").records for ending in ("jsonl", "csv", "parquet"))
    assert first["b"].probabilities == tuple(sure_of(9)[0])
    assert first["b"].p_high == 0.9
    assert others == [first, first]


def test_ids_on_one_side_only_are_listed(tmp_path: Path) -> None:
    labelled = gold_from("gold", gold(("a", 3, None), ("b", 4, None), ("c", None, None)))
    predictions = read_predictions(written(tmp_path / "p.jsonl", [assessed("x", 0), assessed("a", 3)]))
    found = match("levels", labelled, predictions)
    assert [post.id for post in found.posts] == ["a"]
    assert (found.only_gold, found.only_predicted, found.unlabelled) == (("b",), ("x",), ("c",))


def test_an_id_is_read_alike_in_gold_and_predictions(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"id": 4.0, "p_high": 0.2},
        {"id": " b ", "p_high": 0.9},
        {"id": None, "p_high": 0},
    ]
    predictions = read_predictions(written(tmp_path / "p.jsonl", rows))
    posts: list[dict[str, object]] = [{"id": 4, "text": "编造", "high": 0}, {"id": "b", "text": "编造", "high": 1}]
    found = match("high", read_gold(written(tmp_path / "g.jsonl", posts)), predictions)
    assert [post.id for post in found.posts] == ["4", "b"]
    assert "no 'id'" in str(predictions.skipped[0])


def test_a_post_out_of_scope_is_never_predicted_high_however_low_the_threshold(tmp_path: Path) -> None:
    rows = [assessed("a", 1) | {"scope": "no-words"}, assessed("b", 1)]
    predictions = read_predictions(written(tmp_path / "p.jsonl", rows))
    found = match("high", gold_from("gold", gold(("a", 0, False), ("b", 6, True))), predictions, threshold=0.05)
    assert found.answers.predicted.tolist() == [0, 1]


def test_posts_stand_in_the_order_of_gold(tmp_path: Path) -> None:
    labelled = gold_from("gold", gold(("a", 3, None), ("b", 4, None)))
    predictions = read_predictions(written(tmp_path / "p.jsonl", [assessed("b", 9), assessed("a", 3)]))
    assert match("levels", labelled, predictions).answers.predicted.tolist() == [3, 9]


def test_high_labels_are_used_where_there_are_any_and_else_the_level_decides(tmp_path: Path) -> None:
    predictions = read_predictions(written(tmp_path / "p.jsonl", [assessed("a", 3), assessed("b", 9)]))
    separate = match("high", gold_from("gold", gold(("a", 3, True), ("b", 9, None))), predictions)
    assert (separate.answers.gold.tolist(), separate.unlabelled) == ([1], ("b",))
    derived = match("high", gold_from("gold", gold(("a", 3, None), ("b", 9, None))), predictions)
    assert (derived.answers.gold.tolist(), derived.gold_high_from_level) == ([0, 1], True)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", [assessed(name, 3) for name in "abcdefgabcdefg"])
    with pytest.raises(InputError, match="ids a, b, c, d, e and 2 more found more than once"):
        read_predictions(path)
    with pytest.raises(InputError, match="id a found more than once"):
        gold_from("gold", gold(("a", 1, None), ("a", 1, None)))


def test_files_that_share_no_id_are_refused(tmp_path: Path) -> None:
    predictions = read_predictions(written(tmp_path / "p.jsonl", [assessed("x", 3)]))
    with pytest.raises(InputError, match="no post is in both"):
        match("levels", gold_from("gold", gold(("a", 1, None))), predictions)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"p_high": 0.5}, "no 'id'"),
        ({"id": "a"}, "neither"),
        ({"id": "a", "p_high": 1.5}, "0 to 1"),
        ({"id": "a", "p_high": "often"}, "0 to 1"),
        ({"id": "a", "p_high": float("nan")}, "0 to 1"),
        ({"id": "a", "probabilities": [0.5, 0.5]}, "11 numbers"),
        ({"id": "a", "probabilities": [0.5] * 11}, "sum to 1"),
        ({"id": "a", "probabilities": "[0.5"}, "JSON"),
    ],
)
def test_a_bad_record_is_skipped_and_says_why(tmp_path: Path, row: dict[str, object], complaint: str) -> None:
    found = read_predictions(written(tmp_path / "p.jsonl", [assessed("good", 3), row]))
    assert list(found.records) == ["good"]
    assert complaint in str(found.skipped[0])
    assert "p.jsonl:2" in str(found.skipped[0])


def test_a_file_without_a_single_prediction_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text("")
    with pytest.raises(InputError, match="no prediction could be read"):
        read_predictions(tmp_path / "p.jsonl")


def test_gold_is_read_from_a_labelled_file_and_a_level_outside_the_scale_is_skipped(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "今天下雨", "level": 1, "high": False}, {"id": "b", "text": "今天晴", "level": 12}]
    found = read_gold(written(tmp_path / "g.jsonl", rows))
    assert found.records == {"a": LabelledPost("a", "今天下雨", 1, False)}
    assert "outside 0–10" in str(found.skipped[0])
