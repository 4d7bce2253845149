from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shouwang.cli.data import app
from shouwang.data.sources import SOURCES, Source
from shouwang.errors import InputError
from tests.data.invented import write

runner = CliRunner(env={"COLUMNS": "200", "LANGUAGE": "en"})


def test_list_names_every_source_and_whether_it_is_here(tiny: Source, copy: Path) -> None:
    table = runner.invoke(app, ["list", "--folder", str(copy)])
    assert all(name in table.output for name in SOURCES)
    rows = json.loads(runner.invoke(app, ["list", "--folder", str(copy), "--json"]).output)
    assert {row["name"]: row["here"] for row in rows}["tiny"] is True
    assert {row["name"]: row["here"] for row in rows}["sos-1k"] is False


@pytest.mark.parametrize("name", SOURCES)
def test_show_says_licence_and_checksums(name: str) -> None:
    shown = runner.invoke(app, ["show", name])
    assert shown.exit_code == 0
    assert f"Licence stated there: {SOURCES[name].licence}" in shown.output
    row = json.loads(runner.invoke(app, ["show", name, "--json"]).output)
    assert [file["sha256"] for file in row["files"]] == [file.sha256 for file in SOURCES[name].files]


def test_tables_speak_chinese(tiny: Source) -> None:
    assert "其声明的许可" in runner.invoke(app, ["show", "tiny"], env={"LANGUAGE": "zh_CN"}).output


def test_fetch_takes_a_copy_and_says_where_files_are(tiny: Source, copy: Path, tmp_path: Path) -> None:
    command = ["fetch", "tiny", "--from", str(copy), "--to", str(tmp_path / "to")]
    first = runner.invoke(app, command)
    assert first.exit_code == 0
    assert "copied" in first.output
    again = json.loads(runner.invoke(app, [*command, "--json"]).stdout)
    assert {each["how"] for each in again} == {"kept"}
    assert Path(again[0]["path"]).is_file()


def test_audit_names_posts_and_shows_none(tiny: Source, copy: Path, tmp_path: Path) -> None:
    write(tmp_path, {"own.jsonl": '{"id": "mine", "text": "晚饭吃什么好呢", "level": 4}\n'})
    output = tmp_path / "audit.json"
    command = ["audit", "tiny", str(tmp_path / "own.jsonl"), "--folder", str(copy)]
    result = runner.invoke(app, [*command, "--output", str(output)])
    assert result.exit_code == 0
    assert "tiny/test/0001 (0) = mine (4)" in result.output
    assert f"All ids: {output}" in result.output
    details = json.loads(output.read_text("utf-8"))
    assert details["same"] == [{"ids": ["tiny/test/0001", "mine"]}]
    assert json.loads(runner.invoke(app, [*command, "--json"]).output) == details
    assert "晚饭" not in result.output + output.read_text("utf-8")


def test_audit_counts_what_it_could_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"own.csv": "text,level\n好累,2\n好困,12\n"})
    result = runner.invoke(app, ["audit", str(tmp_path / "own.csv")])
    assert result.exit_code == 1
    assert "own.csv:3 (post own.csv:3): label 'level' 12 is outside 0–10" in result.output


def test_a_card_is_written_where_asked(tiny: Source, copy: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, ["card", "tiny", "--folder", str(copy), "--output", str(tmp_path / "card.md")])
    assert "Written:" in result.output
    assert (tmp_path / "card.md").read_text("utf-8").startswith("# invented")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"own\.csv: no such file"):
        runner.invoke(app, ["audit", str(tmp_path / "own.csv")], catch_exceptions=False)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_what_a_data_set_is_and_its_parts_are_not_cut_short_in_80_columns(language: str) -> None:
    narrow = {"COLUMNS": "80", "LANGUAGE": language}
    assert "…" not in runner.invoke(app, ["list"], env=narrow).output
    first = [
        line.split("│")[1]
        for line in runner.invoke(app, ["show", "sos-1k-augmented"], env=narrow).output.splitlines()
        if line.startswith("│")
    ]
    assert "…" not in "".join(first)
