"""The command line as a whole: what there is, and that all of it speaks both languages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

import shouwang

HAN = re.compile(r"[\u4e00-\u9fff]")
COMMANDS = (
    *(
        "annotate",
        "assess",
        "benchmark",
        "data",
        "evaluate",
        "export",
        "ingest",
        "operating-points",
        "probe",
        "serve",
        "train",
    ),
    *("train-default", "watch"),
)
LISTED = """
import json, sys
from shouwang.language import use_language
use_language(sys.argv[1])
import typer
from shouwang.cli import application

def listed(command, path):
    yield path, {"": command.help, **{p.name: p.help for p in command.params if p.name != "help"}}
    for name, each in getattr(command, "commands", {}).items():
        yield from listed(each, f"{path} {name}".strip())

print(json.dumps(dict(listed(typer.main.get_command(application()), ""))))
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", "LANGUAGE": "", "COLUMNS": "100", **environment},
        timeout=60,
    )


@cache
def helps(language: str) -> dict[str, dict[str, str | None]]:
    """The help of every command ("" is the whole) and of its parameters."""
    done = run("-c", LISTED, language)
    assert not done.stderr
    found: dict[str, dict[str, str | None]] = json.loads(done.stdout)
    return found


def test_every_command_is_there() -> None:
    assert helps("en").keys() >= {"", *COMMANDS, "data list", "data audit"}


def test_both_languages_have_the_same_commands_and_options() -> None:
    chinese = helps("zh")
    assert {path: set(each) for path, each in helps("en").items()} == {path: set(chinese[path]) for path in chinese}


def test_every_command_and_option_has_help_in_english() -> None:
    for path, each in helps("en").items():
        for name, text in each.items():
            assert text, (path, name)
            assert not HAN.search(text), (path, name)


def test_every_command_and_option_has_help_in_chinese() -> None:
    for path, each in helps("zh").items():
        for name, text in each.items():
            assert HAN.search(text or ""), (path, name)


def test_no_line_of_help_is_cut_short_in_80_columns() -> None:
    done = run("-m", "shouwang", "--lang", "zh", "probe", "robustness", "--help", COLUMNS="80")
    assert "…" not in done.stdout
    assert "文件或数据集" in "".join(done.stdout.replace("│", "").split())


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", ["It ranks text for people who decide", "findahelpline.com"]), ("zh", ["不替人做决定", "12356"])],
)
def test_help_names_every_command_and_where_to_turn(language: str, says: list[str]) -> None:
    done = run("-m", "shouwang", "--lang", language, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(each in done.stdout for each in (*COMMANDS, *says))


def test_a_command_that_is_named_is_the_only_one_imported() -> None:
    code = (
        "import sys; from shouwang.cli import application; application(['assess', '-']); "
        "print(*sorted(name for name in sys.modules if name.startswith('shouwang.cli.')))"
    )
    loaded = run("-c", code).stdout.split()
    assert "shouwang.cli.assess" in loaded
    assert "shouwang.cli.annotate" not in loaded


def test_the_version() -> None:
    done = run("-m", "shouwang", "--version")
    assert (done.returncode, done.stdout) == (0, f"{shouwang.__version__}\n")


@pytest.mark.parametrize("arguments", [["tea"], ["assess", "--tea"], ["--lang", "fr", "assess"]])
def test_what_is_not_there_is_2_without_a_traceback(arguments: list[str]) -> None:
    done = run("-m", "shouwang", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr
