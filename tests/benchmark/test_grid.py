from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from shouwang.benchmark.contenders import CLASSES, Answer
from shouwang.benchmark.engines import Done, run
from shouwang.benchmark.grid import ASKED, Cell, cells, check_writable, jobs, state
from shouwang.benchmark.results import DONE, PREDICTIONS, RESULT
from shouwang.benchmark.study import Round, Study
from shouwang.errors import InputError
from shouwang.evaluate import Task, evaluate, gold_from, read_predictions
from tests.benchmark.invented import posts, small_study

STUDY = small_study()
GRID = cells(STUDY, ["levels", "high"], ["always"])


@dataclass
class Always:
    """Says the first class of every post; stops the run at its n-th training, as a kill would, or fails at it."""

    strength: int = 1
    dies_at: int | None = None
    fails_at: int | None = None
    fails_with: Exception = InputError("out of memory; try --set batch=8")  # noqa: RUF009 - read only
    trained: int = 0
    name: str = "always"
    on_gpu: bool = False

    def identity(self, task: Task) -> dict[str, object]:
        return {"strength": self.strength}

    def added_sha256(self, round_: str, seed: int) -> str | None:
        return None

    def answer(self, task: Task, posts: Round, seed: int, folder: Path) -> Answer:
        self.trained += 1
        if self.trained == self.dies_at:
            (folder / "left over").write_text("")
            raise KeyboardInterrupt
        if self.trained == self.fails_at:
            raise self.fails_with
        return Answer(np.eye(CLASSES[task])[[0] * len(posts.held_out)], {"train": 0.5})


def go(root: Path, always: Always | None = None, grid: Sequence[Cell] = GRID, study: Study = STUDY) -> list[Done]:
    return list(run(jobs(study, grid, {"always": always or Always()}, root)))


def ran(done: Sequence[Done]) -> int:
    return sum(each.ran for each in done)


def test_two_models_whose_folders_are_one_on_some_disks_are_refused() -> None:
    with pytest.raises(InputError, match="two models are called 'macbert', but for capital letters"):
        cells(STUDY, ["levels"], ["MacBERT", "always", "macbert"])


def test_the_grid_is_every_task_model_round_and_seed() -> None:
    assert len(cells(STUDY, ["levels", "high"], ["a", "b"], [0, 1, 2])) == 2 * 2 * 4 * 3


def test_no_two_models_share_a_folder(tmp_path: Path) -> None:
    names = [
        "macbert:paper",
        "macbert-paper",
        "macbert%3Apaper",
        "a/b",
        "a--b",
        "a\\b",
        "tfidf-lr+*.jsonl",
        "tfidf-lr+x.jsonl",
    ]
    folders = {cell.folder(tmp_path) for cell in cells(STUDY, ["high"], names) if cell.round == "test"}
    assert len(folders) == len(names)
    assert {folder.relative_to(tmp_path).parts[:3] for folder in folders} == {("cells", "invented", "high")}


def test_a_finished_grid_is_not_run_again(tmp_path: Path) -> None:
    always = Always()
    assert ran(go(tmp_path, always)) == 8
    assert ran(go(tmp_path, always)) == 0
    assert always.trained == 8


def test_after_a_kill_only_the_missing_cells_are_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, Always(dies_at=4))
    again = jobs(STUDY, GRID, {"always": Always()}, tmp_path)
    assert [state(job).finished for job in again] == [True] * 3 + [False] * 5
    assert (GRID[3].folder(tmp_path) / "left over").exists()
    assert ran(go(tmp_path)) == 5


def test_a_cell_killed_before_its_marker_is_run_again(tmp_path: Path) -> None:
    go(tmp_path, grid=GRID[:1])
    (GRID[0].folder(tmp_path) / DONE).unlink()
    assert ran(go(tmp_path, grid=GRID[:1])) == 1


def test_other_posts_under_the_same_name_are_run_again(tmp_path: Path) -> None:
    go(tmp_path, grid=GRID[:1])
    first = STUDY.rounds["fold1"]
    relabelled = replace(first, held_out=(replace(first.held_out[0], level=1), *first.held_out[1:]))
    assert ran(go(tmp_path, grid=GRID[:1], study=Study(STUDY.name, {**STUDY.rounds, "fold1": relabelled}))) == 1


def test_other_settings_are_run_again_in_an_emptied_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, Always(dies_at=1), GRID[:1])
    assert ran(go(tmp_path, Always(strength=2), GRID[:1])) == 1
    left = {path.name for path in GRID[0].folder(tmp_path).iterdir()}
    assert left == {ASKED, PREDICTIONS, RESULT, DONE}


def test_a_cell_that_fails_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    done = go(tmp_path, Always(fails_at=3))
    assert [each.problem for each in done if each.problem] == ["out of memory; try --set batch=8"]
    assert ran(done) == 7
    assert ran(go(tmp_path)) == 1


def test_a_librarys_error_fails_its_cell_alone_and_its_message_which_may_quote_a_post_is_not_shown(
    tmp_path: Path,
) -> None:
    done = go(tmp_path, Always(fails_at=3, fails_with=ValueError("一条帖子的原文")))
    (problem,) = [each.problem for each in done if each.problem]
    assert problem.startswith("ValueError at benchmark/grid.py:")
    assert ran(done) == 7
    assert ran(go(tmp_path)) == 1


@pytest.mark.parametrize("name", [RESULT, PREDICTIONS])
def test_a_broken_result_file_is_named_and_its_cell_run_again(tmp_path: Path, name: str) -> None:
    go(tmp_path, grid=GRID[:2])
    path = GRID[1].folder(tmp_path) / name
    path.write_text(path.read_text(encoding="utf-8")[:40], encoding="utf-8")
    first, second = go(tmp_path, grid=GRID[:2])
    assert (first.ran, first.broken, second.ran) == (False, None, True)
    assert second.broken is not None
    assert str(path) in second.broken


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="results cannot be written there"):
        check_writable(tmp_path / "file" / "run")
    always = Always()
    with pytest.raises(InputError, match="choose another --output"):
        go(tmp_path / "file", always)
    assert always.trained == 0


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
