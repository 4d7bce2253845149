from __future__ import annotations

import json
from pathlib import Path

import pytest

from shouwang.benchmark.grid import DONE, RESULT, cells, run
from shouwang.benchmark.report import HEADLINE, Report, markdown, report
from shouwang.errors import InputError
from shouwang.evaluate import Options
from tests.benchmark.invented import small_study

QUICK = Options(resamples=100)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished grid of two models on both tasks."""
    folder = tmp_path_factory.mktemp("run")
    study = small_study()
    assert len(list(run(study, cells(study, ["levels", "high"], ["majority", "tfidf-lr"]), folder))) == 16
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


def test_folds_have_a_mean_and_the_test_set_an_interval(found: Report) -> None:
    majority = found.rows[2]
    assert majority.folds["accuracy"].mean == pytest.approx(2 / 3)
    assert (majority.folds["accuracy"].sd, majority.folds["accuracy"].folds) == (0, 3)
    assert (majority.fold_posts, majority.test_posts) == (45, 15)
    assert majority.test["accuracy"].low < 2 / 3 < majority.test["accuracy"].high


def test_models_are_compared_with_the_reference_on_the_same_test_posts(found: Report) -> None:
    majority, reference = found.rows[0], found.rows[1]
    assert reference.difference is None
    assert majority.difference is not None
    assert majority.difference.first == pytest.approx(majority.test[HEADLINE].value, abs=1e-6)
    assert majority.difference.value < 0


def test_the_table_is_one_markdown_table_with_n(found: Report) -> None:
    lines = markdown(found).splitlines()
    assert [line.count("|") for line in lines[:6]] == [8] * 6
    assert "| levels | tfidf-lr | 1.000 ± 0.000 | 1.000 [1.000, 1.000] |" in lines[3]
    assert "invented, levels: 3 folds with 45 posts held out in all; test n = 15.  " in lines


def test_an_unfinished_cell_is_left_out(root: Path, tmp_path: Path) -> None:
    study = small_study()
    grid = cells(study, ["levels"], ["majority"])
    list(run(study, grid, tmp_path))
    (grid[-1].folder(tmp_path) / DONE).unlink()
    (row,) = report(tmp_path, options=QUICK).rows
    assert (row.test, row.test_posts, row.folds["accuracy"].folds) == ({}, 0, 3)


def test_cells_run_on_other_posts_are_not_put_side_by_side(tmp_path: Path) -> None:
    study = small_study()
    grid = cells(study, ["levels"], ["majority", "tfidf-lr"])
    list(run(study, grid, tmp_path))
    path = grid[-1].folder(tmp_path) / RESULT
    path.write_text(json.dumps(json.loads(path.read_text()) | {"posts_sha256": "other"}))
    with pytest.raises(InputError, match="run on other posts"):
        report(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished cell"):
        report(tmp_path)
