from __future__ import annotations

import json
from contextvars import copy_context
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shouwang.cli import probe as room
from shouwang.errors import InputError
from shouwang.language import Language, use_language
from tests.tiny import save_tiny, save_tiny_blend

POSTS = [("a", "今天想死", True), ("b", "我很累", True), ("c", "今天的茶好喝", False)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """posts.jsonl, calm.jsonl, some.jsonl (one record unreadable), tiny (a model), blend (one with operating points)."""
    rows: list[dict[str, object]] = [{"id": name, "text": text, "high": high} for name, text, high in POSTS]
    _write(tmp_path / "posts.jsonl", rows)
    _write(tmp_path / "calm.jsonl", [{"id": "d", "text": "明天带伞"}])
    _write(tmp_path / "some.jsonl", [*rows, {"id": "e", "text": "好茶", "level": 12}])
    save_tiny(tmp_path / "tiny")
    save_tiny_blend(tmp_path / "blend")
    return tmp_path


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def run(folder: Path, *arguments: str, chosen: Language = "en") -> Result:
    words = [str(folder / word) if (folder / word).exists() else word for word in arguments]

    def call() -> Result:
        use_language(chosen)
        return CliRunner().invoke(room.app, words, env={"COLUMNS": "160"})

    return copy_context().run(call)


def test_robustness_counts_the_high_posts_and_names_the_worst_kind(folder: Path) -> None:
    result = run(folder, "robustness", "posts.jsonl", "--model", "tiny", "--everyday", "calm.jsonl", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 0
    assert (found["high_posts"], found["everyday_posts"], found["threshold"]) == (2, 1, 0.5)
    assert len(found["kinds"]) == 21
    assert found["worst_loss"] in found["kinds"]
    assert "想死" not in result.output


def test_robustness_at_a_named_operating_point_and_for_one_kind(folder: Path) -> None:
    arguments = ("robustness", "posts.jsonl", "--model", "blend", "--kind", "pinyin", "--json")
    found = [json.loads(run(folder, *arguments, "--operating-point", p).output) for p in ("recall95", "recall99")]
    assert found[0]["threshold"] > found[1]["threshold"]
    assert list(found[0]["kinds"]) == ["pinyin"]


def test_robustness_is_shown_as_a_table_in_both_languages(folder: Path) -> None:
    arguments = ("robustness", "posts.jsonl", "--model", "tiny", "--kind", "pinyin")
    assert "mean of all" in run(folder, *arguments).output
    assert "各方式平均" in run(folder, *arguments, chosen="zh").output


def test_levels_say_what_is_high_only_where_no_post_has_the_label_as_in_evaluate(folder: Path) -> None:
    by_level: list[dict[str, object]] = [
        {"id": "e", "text": "好累", "level": 9},
        {"id": "f", "text": "想走", "level": 6},
    ]
    for rows, high in ((by_level, 2), ([*by_level, {"id": "a", "text": "今天想死", "high": True}], 1)):
        _write(folder / "some.jsonl", rows)
        found = run(folder, "robustness", "some.jsonl", "--model", "tiny", "--kind", "pinyin", "--json")
        assert json.loads(found.output)["high_posts"] == high


def test_posts_without_a_high_one_are_refused(folder: Path) -> None:
    result = run(folder, "robustness", "calm.jsonl", "--model", "tiny")
    assert isinstance(result.exception, InputError)
    assert "no high posts" in str(result.exception)


@pytest.mark.parametrize("of", ["high", "wish"])
def test_faithfulness_counts_posts_with_and_without_evidence(folder: Path, of: str) -> None:
    report = folder / "report.json"
    arguments = ("faithfulness", "posts.jsonl", "--model", "tiny", "--of", of, "--draws", "3", "--output", str(report))
    result = run(folder, *arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (found["of"], found["draws"], found["n"] + found["without_evidence"]) == (of, 3, 3)
    assert f"{found['n']} posts with evidence" in result.output
    assert f"All details: {report}" in result.output


def test_a_record_that_cannot_be_read_is_named_and_the_exit_code_tells(folder: Path) -> None:
    result = run(folder, "faithfulness", "some.jsonl", "--model", "tiny")
    assert result.exit_code == 1
    assert "12 is outside 0–10" in result.output


def test_a_report_goes_into_a_new_folder_and_one_that_cannot_be_written_costs_no_result(folder: Path) -> None:
    arguments = ("faithfulness", "posts.jsonl", "--model", "tiny", "--draws", "1", "--json", "--output")
    report = folder / "new" / "report.json"
    assert json.loads(run(folder, *arguments, str(report)).output) == json.loads(report.read_text(encoding="utf-8"))
    refused = run(folder, *arguments, str(folder / "posts.jsonl" / "report.json"))
    assert isinstance(refused.exception, OSError)
    assert json.loads(refused.output)["draws"] == 1
