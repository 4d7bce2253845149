from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shouwang.benchmark.study import load_study, round_names, study
from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from tests.benchmark.invented import PARTS, posts, small_study


def written(path: Path, chosen: list[LabelledPost]) -> str:
    rows = [{"id": p.id, "text": p.text, "level": p.level, "high": p.high} for p in chosen]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_the_test_round_trains_on_every_fold() -> None:
    found = small_study()
    assert tuple(found.rounds) == PARTS
    assert (len(found.rounds["fold1"].train), len(found.rounds["test"].train)) == (30, 45)


def test_a_training_post_that_is_scored_is_refused_unless_told_to_drop_it() -> None:
    folds = {"fold1": (posts("fold2"), posts("fold1"))}
    test = [replace(posts("fold1")[3], id="copy")]
    with pytest.raises(InputError, match=r"fold1-0-3 = copy.*--drop-leaks"):
        study("leaky", folds, test)
    found = study("leaky", folds, test, drop_leaks=True)
    assert found.rounds["test"].dropped == ("fold1-0-3",)
    assert len(found.rounds["test"].train) == 14


def test_posts_that_nobody_wrote_are_judged_by_nobody(tmp_path: Path) -> None:
    path = Path(written(tmp_path / "mine.jsonl", posts("fold1")))
    more = {"id": "new", "text": "雨停了，路上没有人", "level": 0, "origins": ["fold1-0-0"]}
    path.write_text(path.read_text(encoding="utf-8") + json.dumps(more) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"1 posts were made from others, such as new"):
        load_study(str(path))


def test_a_task_without_labels_is_refused() -> None:
    unlabelled = [replace(post, high=None) for post in posts("fold1")]
    found = study("levels only", {"fold1": (posts("fold2"), unlabelled)})
    assert found.rounds["fold1"].for_task("levels").held_out == tuple(unlabelled)
    with pytest.raises(InputError, match="fold1: no post has a label for task 'high'"):
        found.rounds["fold1"].for_task("high")


def test_training_posts_of_a_single_label_are_refused_before_a_model_meets_them() -> None:
    all_low = [replace(post, high=False) for post in posts("fold2")]
    found = study("one class", {"fold1": (all_low, posts("fold1"))}).rounds["fold1"]
    assert found.for_task("levels").train == tuple(all_low)
    with pytest.raises(InputError, match="fold1: all 15 training posts have the same label for task 'high'"):
        found.for_task("high")


def test_another_label_is_another_round() -> None:
    first = study("a", {"fold1": (posts("fold1"), posts("fold2"))}).rounds["fold1"]
    changed = [replace(posts("fold2")[0], level=1), *posts("fold2")[1:]]
    second = study("a", {"fold1": (posts("fold1"), changed)}).rounds["fold1"]
    assert first.sha256 != second.sha256


def test_a_file_of_ones_own_is_cut_into_five_folds(tmp_path: Path) -> None:
    data, test = written(tmp_path / "mine.jsonl", posts("fold1")), written(tmp_path / "other.jsonl", posts("fold2"))
    found = load_study(data, test)
    assert found.name == "mine+other"
    assert tuple(found.rounds) == ("fold1", "fold2", "fold3", "fold4", "fold5", "test")
    assert sum(len(each.held_out) for name, each in found.rounds.items() if name != "test") == 15
    assert "test" not in load_study(data).rounds


def test_the_names_of_the_rounds_are_known_without_reading_a_post(tmp_path: Path) -> None:
    data = written(tmp_path / "mine.jsonl", posts("fold1"))
    for test in (None, written(tmp_path / "other.jsonl", posts("fold2"))):
        assert round_names(data, test) == tuple(load_study(data, test).rounds)
    assert round_names("sos-1k") == ("fold1", "fold2", "fold3", "fold4", "fold5", "test")
    assert "test" not in round_names("everyday")
    with pytest.raises(InputError, match="Did you mean 'sos-1k'"):
        round_names("sos1k")


def test_a_file_with_a_bad_record_is_refused(tmp_path: Path) -> None:
    data = written(tmp_path / "mine.jsonl", [*posts("fold1"), LabelledPost("bad", "多云", 12)])
    with pytest.raises(InputError, match="1 records cannot be read"):
        load_study(data)


def test_sos_1k_comes_in_its_published_rounds(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(real_data))
    with pytest.raises(InputError, match="--drop-leaks"):
        load_study("sos-1k")
    found = load_study("sos-1k", drop_leaks=True)
    assert {name: len(each.held_out) for name, each in found.rounds.items()} == {
        "fold1": 200,
        "fold2": 200,
        "fold3": 200,
        "fold4": 200,
        "fold5": 199,
        "test": 250,
    }
    assert tuple(found.rounds) == round_names("sos-1k")
    assert found.rounds["test"].dropped == ("sos-1k/fold3/0122",)
