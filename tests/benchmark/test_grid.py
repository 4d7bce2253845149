from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shouwang.benchmark.grid import DONE, PREDICTIONS, RESULT, Cell, cells, finished, run
from shouwang.benchmark.study import Study
from shouwang.evaluate import evaluate, gold_from, read_predictions
from shouwang.models.baselines import Floats
from tests.benchmark.invented import posts, small_study

STUDY = small_study()
GRID = cells(STUDY, ["levels", "high"], ["always"])


class Always:
    """Says the first class of every post; stops the run at its n-th training, as a kill would."""

    trained = 0

    def __init__(self, classes: int, dies_at: int | None = None) -> None:
        self.classes, self.dies_at = classes, dies_at

    def fit(self, texts: Sequence[str], y: Sequence[int]) -> None:
        Always.trained += 1
        if Always.trained == self.dies_at:
            raise KeyboardInterrupt

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        return np.eye(self.classes)[[0] * len(texts)]


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    Always.trained = 0


def go(root: Path, grid: Sequence[Cell] = GRID, study: Study = STUDY, dies_at: int | None = None) -> list[bool]:
    return [ran for _, ran in run(study, grid, root, lambda model, classes, seed: Always(classes, dies_at))]


def test_the_grid_is_every_task_model_round_and_seed() -> None:
    assert len(cells(STUDY, ["levels", "high"], ["a", "b"], [0, 1, 2])) == 2 * 2 * 4 * 3


def test_a_finished_grid_is_not_run_again(tmp_path: Path) -> None:
    assert go(tmp_path) == [True] * 8
    assert go(tmp_path) == [False] * 8
    assert Always.trained == 8


def test_after_a_kill_only_the_missing_cells_are_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, dies_at=4)
    assert [finished(cell, STUDY, tmp_path) for cell in GRID] == [True] * 3 + [False] * 5
    assert go(tmp_path) == [False] * 3 + [True] * 5


def test_a_cell_killed_before_its_marker_is_run_again(tmp_path: Path) -> None:
    go(tmp_path, GRID[:1])
    (GRID[0].folder(tmp_path) / DONE).unlink()
    assert go(tmp_path, GRID[:1]) == [True]


def test_other_posts_under_the_same_name_are_run_again(tmp_path: Path) -> None:
    go(tmp_path, GRID[:1])
    first = STUDY.rounds["fold1"]
    relabelled = replace(first, held_out=(replace(first.held_out[0], level=1), *first.held_out[1:]))
    assert go(tmp_path, GRID[:1], Study(STUDY.name, {**STUDY.rounds, "fold1": relabelled})) == [True]


def test_predictions_hold_ids_and_no_text_and_are_what_evaluate_reads(tmp_path: Path) -> None:
    go(tmp_path)
    for cell in GRID:
        written = (cell.folder(tmp_path) / PREDICTIONS).read_text(encoding="utf-8")
        assert not any(post.text in written for post in posts(cell.round))
        result = json.loads((cell.folder(tmp_path) / RESULT).read_text(encoding="utf-8"))
        gold = gold_from(cell.round, posts(cell.round))
        again = evaluate(gold, read_predictions(cell.folder(tmp_path) / PREDICTIONS)).tasks[cell.task]
        assert result["metrics"]["accuracy"]["value"] == pytest.approx(again.metrics["accuracy"].value, abs=1e-6)
        assert result["n"] == again.n == 15
