from __future__ import annotations

import json
from contextvars import copy_context
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from shouwang.cli import evaluate as room
from shouwang.errors import SOME_SKIPPED, InputError
from shouwang.language import Language, use_language
from tests.evaluate.invented import sure_of

GOLD = {"a": 0, "b": 4, "c": 7, "d": 9}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """gold.jsonl, good.jsonl (all right), poor.jsonl (one right)."""
    use_language("en")
    _write(
        tmp_path / "gold.jsonl",
        [{"id": k, "text": "一条编造的帖子", "level": v, "high": v > 5} for k, v in GOLD.items()],
    )
    _write(tmp_path / "good.jsonl", [_said(k, v) for k, v in GOLD.items()])
    _write(tmp_path / "poor.jsonl", [_said(k, 4) for k in GOLD])
    return tmp_path


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _said(name: str, level: int) -> dict[str, object]:
    return {"id": name, "probabilities": sure_of(level)[0].tolist(), "p_high": float(level > 5)}


def run(folder: Path, *arguments: str, chosen: Language = "en") -> Result:
    app = typer.Typer()
    app.command()(room.command)
    words = [str(folder / word) if (folder / word).exists() else word for word in arguments]

    def call() -> Result:
        use_language(chosen)
        return CliRunner().invoke(app, [*words, "--bootstrap", "50"], env={"COLUMNS": "160"})

    return copy_context().run(call)


def test_a_table_shows_n_values_and_intervals(folder: Path) -> None:
    result = run(folder, "poor.jsonl", "--gold", "gold.jsonl")
    assert result.exit_code == 0, result.output
    assert "levels 0–10 (n = 4)" in result.output
    assert "high risk (n = 4)" in result.output
    assert "weighted F1" in result.output
    assert "0.250" in result.output


def test_the_table_speaks_chinese(folder: Path) -> None:
    assert "加权 F1" in run(folder, "poor.jsonl", "--gold", "gold.jsonl", chosen="zh").output


def test_json_goes_to_machines_and_the_report_to_a_file(folder: Path) -> None:
    report = folder / "report.json"
    result = run(folder, "good.jsonl", "--gold", "gold.jsonl", "--json", "--output", str(report))
    assert json.loads(result.output) == json.loads(report.read_text(encoding="utf-8"))
    assert json.loads(result.output)["tasks"]["levels"]["metrics"]["accuracy"]["value"] == 1


def test_the_table_says_which_file_holds_the_details(folder: Path) -> None:
    result = run(folder, "good.jsonl", "--gold", "gold.jsonl", "--output", str(folder / "report.json"))
    assert f"All details: {folder / 'report.json'}" in result.output


def test_two_prediction_files_are_compared(folder: Path) -> None:
    result = run(folder, "good.jsonl", "--gold", "gold.jsonl", "--compare", "poor.jsonl", "--task", "levels")
    assert "+0.750" in result.output
    assert "high risk (n" not in result.output


def test_a_picture_is_drawn_for_each_task(folder: Path) -> None:
    result = run(folder, "good.jsonl", "--gold", "gold.jsonl", "--confusion", str(folder / "c.svg"))
    assert result.exit_code == 0
    assert (folder / "c-levels.svg").exists()
    assert (folder / "c-high.svg").exists()


def test_a_post_without_a_prediction_is_named_and_the_exit_code_tells(folder: Path) -> None:
    _write(folder / "few.jsonl", [_said("a", 0), _said("z", 0)])
    result = run(folder, "few.jsonl", "--gold", "gold.jsonl", "--task", "levels")
    assert result.exit_code == 1
    assert "3 labelled posts without a prediction:\n  b\n  c\n  d" in result.output
    assert "1 predictions without a gold post:\n  z" in result.output


def test_a_gold_file_that_is_not_there_is_named(folder: Path) -> None:
    result = run(folder, "good.jsonl", "--gold", "nowhere.jsonl")
    assert isinstance(result.exception, InputError)
    assert "nowhere.jsonl: no such file" in str(result.exception)


def test_an_unknown_data_set_is_named(folder: Path) -> None:
    result = run(folder, "good.jsonl", "--gold", "soss-1k/test")
    assert isinstance(result.exception, InputError)
    assert "Did you mean 'sos-1k'" in str(result.exception)


def test_a_data_set_is_gold(folder: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(real_data))
    _write(folder / "sos.jsonl", [_said(f"sos-1k/test/{k:04}", 4) for k in range(1, 251)])
    found = json.loads(run(folder, "sos.jsonl", "--gold", "sos-1k/test", "--json").output)
    assert [found["tasks"][task]["n"] for task in ("levels", "high")] == [250, 250]
    assert found["tasks"]["levels"]["only_gold"] == []


def test_a_data_set_is_gold_even_in_a_folder_that_holds_one_of_that_name(
    folder: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(real_data))
    monkeypatch.chdir(real_data)
    _write(folder / "sos.jsonl", [_said(f"sos-1k/test/{k:04}", 4) for k in range(1, 251)])
    assert (
        run(folder, "sos.jsonl", "--gold", "sos-1k", "--json").exit_code == SOME_SKIPPED
    )  # the folds are not answered


def test_an_id_that_stands_twice_is_told_in_chinese_too(folder: Path) -> None:
    _write(folder / "twice.jsonl", [_said("a", 1), _said("a", 2)])
    result = run(folder, "twice.jsonl", "--gold", "gold.jsonl", chosen="zh")
    assert "编号 a 重复出现；每个编号请只保留一条预测" in str(result.exception)
