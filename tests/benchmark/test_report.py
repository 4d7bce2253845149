from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shouwang.benchmark.contenders import contenders
from shouwang.benchmark.engines import run
from shouwang.benchmark.grid import Cell, cells, jobs
from shouwang.benchmark.report import HEADLINE, Report, report
from shouwang.benchmark.results import DONE, RESULT
from shouwang.benchmark.study import study
from shouwang.errors import InputError
from shouwang.evaluate import Options
from tests.benchmark.invented import posts, small_study

QUICK = Options(resamples=100)
STUDY = small_study()


def go(root: Path, grid: Sequence[Cell]) -> None:
    found = list(run(jobs(STUDY, grid, contenders(sorted({cell.model for cell in grid})), root)))
    assert not any(each.problem for each in found)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished grid of two models on both tasks, one of them with two seeds."""
    folder = tmp_path_factory.mktemp("run")
    go(folder, cells(STUDY, ["levels", "high"], ["majority"], [0, 1]) + cells(STUDY, ["levels", "high"], ["tfidf-lr"]))
    return folder


@pytest.fixture(scope="module")
def found(root: Path) -> Report:
    return report(root, options=QUICK)


def test_rows_go_from_the_weakest_model_to_the_strongest(found: Report) -> None:
    assert [(row.task, row.model) for row in found.rows] == [
        ("levels", "majority"),
        ("levels", "tfidf-lr"),
        ("high", "majority"),
        ("high", "tfidf-lr"),
    ]


def test_folds_and_seeds_have_a_mean_and_the_test_set_an_interval(found: Report) -> None:
    majority = found.rows[2]
    assert majority.seeds == (0, 1)
    assert majority.folds["accuracy"].mean == pytest.approx(2 / 3)
    assert (majority.folds["accuracy"].sd, majority.folds["accuracy"].runs) == (0, 6)
    assert (majority.test_seeds["accuracy"].sd, majority.test_seeds["accuracy"].runs) == (0, 2)
    assert (majority.fold_posts, majority.test_posts) == (45, 15)
    assert majority.test["accuracy"].low < 2 / 3 < majority.test["accuracy"].high


def test_models_are_compared_with_the_reference_on_the_same_posts(found: Report) -> None:
    majority, reference = found.rows[0], found.rows[1]
    assert reference.difference is reference.fold_difference is None
    assert majority.difference is not None
    assert majority.fold_difference is not None
    test = majority.test[HEADLINE].value - reference.test[HEADLINE].value
    folds = majority.folds[HEADLINE].mean - reference.folds[HEADLINE].mean
    assert majority.difference.value == pytest.approx(test, abs=1e-6)
    assert majority.fold_difference.value == pytest.approx(folds, abs=1e-6)
    assert majority.fold_difference.high < 0


def test_levels_are_scored_on_all_posts_that_the_folds_hold_out(found: Report) -> None:
    levels, high = found.rows[1].levels, found.rows[2].levels
    assert [each.posts for each in levels] == [15, 0, 0, 0, 15, 0, 0, 15, 0, 0, 0]
    assert levels[4].f1.value == 1
    assert (high[0].posts, high[0].recall.value, high[1].recall.value) == (30, 1, 0)


def test_an_unfinished_cell_is_left_out(tmp_path: Path) -> None:
    grid = cells(STUDY, ["levels"], ["majority"])
    go(tmp_path, grid)
    (grid[-1].folder(tmp_path) / DONE).unlink()
    (row,) = report(tmp_path, options=QUICK).rows
    assert (row.test, row.test_posts, row.folds["accuracy"].runs) == ({}, 0, 3)


def test_a_broken_cell_is_left_out_and_named(tmp_path: Path) -> None:
    grid = cells(STUDY, ["levels"], ["majority"])
    go(tmp_path, grid)
    path = grid[0].folder(tmp_path) / RESULT
    path.write_text("{")
    found = report(tmp_path, options=QUICK)
    assert found.rows[0].folds["accuracy"].runs == 2
    assert str(path) in found.broken[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"posts_sha256": "other"}, "run on other posts"),
        ({"folds_sha256": "other"}, "folds were cut from other data"),
        ({"contender": {"C": 1}}, "run with other settings"),
    ],
)
def test_cells_that_are_not_alike_are_not_put_side_by_side(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    grid = cells(STUDY, ["levels"], ["majority"], [0, 1])
    go(tmp_path, grid)
    path = grid[-1].folder(tmp_path) / RESULT
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=complaint):
        report(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"seconds": {}}, "'total' is missing"),
        ({"seconds": "12"}, "'seconds' is not what a cell writes there"),
        ({"seed": "0"}, "'seed' is not"),
        ({"task": "levles"}, "'task' is not"),
        ({"model": ["majority"]}, "'model' is not"),
        ({"dropped": 3}, "'dropped' is not"),
        ({"train_posts": 0}, "'train_posts' is not"),
        ({"n": None}, "'n' is not"),
    ],
)
def test_a_result_that_was_damaged_by_hand_is_left_out_and_named_with_what_to_do(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    grid = cells(STUDY, ["levels"], ["majority"])
    go(tmp_path, grid)
    path = grid[0].folder(tmp_path) / RESULT
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    found = report(tmp_path, options=QUICK)
    assert found.rows[0].folds["accuracy"].runs == 2
    assert found.broken[0].startswith(f"{path}: broken ({complaint}")
    assert "delete its folder, or run its cell again" in found.broken[0]


def test_one_cell_in_two_folders_is_not_counted_twice(tmp_path: Path) -> None:
    (cell, *_) = grid = cells(STUDY, ["levels"], ["majority"])
    go(tmp_path, grid)
    copy = shutil.copytree(cell.folder(tmp_path), tmp_path / "cells" / "older" / "seed-0")
    with pytest.raises(InputError, match="the same cell as") as caught:
        report(tmp_path)
    assert str(copy) in str(caught.value)


def test_a_run_of_changed_posts_that_was_cut_short_makes_no_mean_with_what_stood_there(tmp_path: Path) -> None:
    grid = cells(STUDY, ["levels"], ["majority"])
    go(tmp_path, grid)
    sides = {name: (each.train, each.held_out) for name, each in STUDY.rounds.items() if name != "test"}
    train, (first, *others) = sides["fold1"]
    other = study("invented", sides | {"fold1": (train, (replace(first, level=1), *others))}, posts("test"))
    list(run(jobs(other, grid[:1], contenders(["majority"]), tmp_path)))
    with pytest.raises(InputError, match="folds were cut from other data"):
        report(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished cell"):
        report(tmp_path)
