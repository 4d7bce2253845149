from __future__ import annotations

import json
from contextvars import copy_context
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from shouwang.cli import benchmark as room
from shouwang.errors import InputError
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
        return CliRunner().invoke(app, [*words, *arguments], env={"COLUMNS": "160"})

    return copy_context().run(call)


def test_a_dry_run_lists_the_cells_and_writes_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, "--dry-run")
    assert "24 of 24 cells to run." in result.output
    assert not (tmp_path / "run").exists()


def test_a_run_writes_one_table_and_one_json_and_says_where(tmp_path: Path) -> None:
    result = run(tmp_path, "--tasks", "high")
    assert result.exit_code == 0, result.output
    assert f"Table: {tmp_path / 'run' / 'report.md'}" in result.output
    assert "n of mine+other, high: folds 15, test 15" in result.output
    assert (tmp_path / "run" / "report.md").read_text(encoding="utf-8").startswith("| task | model |")
    assert json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))["rows"]
    assert "0 of 12 cells to run." in run(tmp_path, "--tasks", "high", "--dry-run").output


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
    ],
)
def test_a_wrong_name_is_met_before_any_work(tmp_path: Path, arguments: tuple[str, str], complaint: str) -> None:
    result = run(tmp_path, *arguments)
    assert isinstance(result.exception, InputError)
    assert complaint in str(result.exception)
