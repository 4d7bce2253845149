from __future__ import annotations

import json
from contextvars import copy_context
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from shouwang.cli import benchmark as room
from shouwang.errors import SOME_SKIPPED, InputError
from shouwang.language import Language, use_language
from tests.benchmark.invented import posts
from tests.benchmark.test_study import written


def run(folder: Path, *arguments: str, chosen: Language = "en") -> Result:
    app = typer.Typer()
    app.command()(room.command)
    data, test = written(folder / "mine.jsonl", posts("fold1")), written(folder / "other.jsonl", posts("fold2"))
    words = ["--data", data, "--test", test, "--output", str(folder / "run"), "--models", "majority,tfidf-svm"]

    def call() -> Result:
        use_language(chosen)
        return CliRunner().invoke(app, [*words, *arguments], env={"COLUMNS": "250"})

    return copy_context().run(call)


def test_a_dry_run_lists_the_cells_and_writes_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, "--dry-run")
    assert "24 of 24 cells to run." in result.output
    assert not (tmp_path / "run").exists()


def test_a_run_writes_tables_a_page_and_one_json_and_says_where(tmp_path: Path) -> None:
    result = run(tmp_path, "--tasks", "high")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "run"
    assert f"Tables: {folder / 'report.md'}; with pictures: {folder / 'report.html'}" in result.output
    assert "mine+other, high: 15 posts held out by folds in all, 5 runs on them; test n = 15; seeds 0." in result.output
    assert "| task | model |" in (folder / "report.md").read_text(encoding="utf-8")
    assert (folder / "report.html").read_text(encoding="utf-8").count("<svg") == 2
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["rows"]


def test_a_plan_estimates_by_finished_cells(tmp_path: Path) -> None:
    assert "No estimate for majority, tfidf-svm" in run(tmp_path, "--dry-run").output
    run(tmp_path, "--tasks", "high")
    assert "0 of 12 cells to run." in run(tmp_path, "--tasks", "high", "--dry-run").output
    assert (
        "for 12 of them, judged by finished cells, 2 at a time."
        in run(tmp_path, "--dry-run", "--processes", "2").output
    )
    plan = json.loads(run(tmp_path, "--dry-run", "--json").stdout)
    assert (sum(cell["finished"] for cell in plan["cells"]), plan["estimate"]["known"]) == (12, 12)


def test_a_cell_that_fails_is_named_the_others_are_reported_and_the_code_is_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path, "--tasks", "high", "--models", f"majority,{tmp_path / 'empty'}")
    assert result.exit_code == SOME_SKIPPED
    assert "high · empty · fold1 · seed 0: not finished: " in result.output
    assert (tmp_path / "run" / "report.md").exists()


def test_a_broken_file_is_named_and_its_cell_run_again(tmp_path: Path) -> None:
    run(tmp_path, "--tasks", "high")
    path = tmp_path / "run/cells/mine+other/high/majority/fold1/seed-0/result.json"
    path.write_text("{", encoding="utf-8")
    again = run(tmp_path, "--tasks", "high")
    assert again.exit_code == 0
    assert f"run again: {path}: broken" in again.output
    assert json.loads(path.read_text(encoding="utf-8"))["n"]


def test_a_report_can_be_made_again_from_files_alone(tmp_path: Path) -> None:
    run(tmp_path, "--tasks", "high")
    (tmp_path / "run" / "report.md").unlink()
    result = run(tmp_path, "--report-only", "--data", "nowhere.jsonl")
    assert result.exit_code == 0
    assert (tmp_path / "run" / "report.md").exists()


def test_json_is_for_machines_and_the_table_speaks_chinese(tmp_path: Path) -> None:
    result = run(tmp_path, "--tasks", "high", "--json")
    assert {row["model"] for row in json.loads(result.stdout)["rows"]} == {"majority", "tfidf-svm"}
    assert "加权 F1" in run(tmp_path, "--tasks", "high", chosen="zh").output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--models", "tfidf-lg"), "No model 'tfidf-lg'. Did you mean 'tfidf-lr'?"),
        (("--tasks", "hihg"), "No task 'hihg'. Did you mean 'high'?"),
        (("--seeds", "a"), "--seeds 'a' is not a list"),
        (("--seeds", "0,-1"), "--seeds '0,-1' is not a list of whole numbers from 0 on"),
        (("--models", ","), "',' names nothing"),
        (("--set", "epoch=2"), "No setting 'epoch'. Did you mean 'epochs'?"),
        (("--engine", "rya"), "No engine 'rya'. Did you mean 'ray'?"),
    ],
)
def test_a_wrong_name_is_met_before_any_work(tmp_path: Path, arguments: tuple[str, str], complaint: str) -> None:
    result = run(tmp_path, *arguments)
    assert isinstance(result.exception, InputError)
    assert complaint in str(result.exception)


def test_what_is_wrong_is_said_in_chinese_too(tmp_path: Path) -> None:
    assert "不是从 0 起的整数列表" in str(run(tmp_path, "--seeds", "a", chosen="zh").exception)
