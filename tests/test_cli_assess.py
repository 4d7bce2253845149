from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
from typer.testing import CliRunner

from shouwang.cli import application
from shouwang.cli.assess_table import levels, marked
from shouwang.errors import InputError
from shouwang.language import Language, use_language
from shouwang.models import store
from shouwang.posts import Assessment, Evidence, Post
from shouwang.scale import INDICATORS, Indicator
from shouwang.triage.identifiers import deidentified
from tests.tiny import save_tiny, save_tiny_blend

TEA, RAIN = "今天喝到好喝的茶", "下雨了，带伞"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with random weights."""
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def blend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small blend with random weights, operating points and level sets."""
    folder = tmp_path_factory.mktemp("blend")
    save_tiny_blend(folder)
    return folder


@pytest.fixture
def run(tiny: Path, tmp_path: Path) -> Run:
    """The real command, in a process and a folder of its own."""

    def command(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "shouwang", "assess", "--model", str(tiny), *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", "LANGUAGE": "", "COLUMNS": "80", **environment},
            timeout=60,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in out + err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return command


@pytest.fixture
def within(tiny: Path) -> Callable[..., tuple[int, dict[str, object]]]:
    """The exit code and the JSON of the command in this process."""

    def command(*arguments: object) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(application(), ["assess", "--model", str(tiny), "--json", *map(str, arguments)])
        return done.exit_code, json.loads(done.stdout)

    return command


Within = Callable[..., tuple[int, dict[str, object]]]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- the real command -----------------------------------------------------------------------------------------------


def test_all_well_is_0_and_the_table_shows_levels_evidence_and_ids(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": "p-1", "text": TEA}, {"id": "p-2", "text": RAIN}])
    done = run("a.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Expressed risk, highest first" in done.stdout
    assert "2 posts assessed" in done.stdout
    assert all(each in done.stdout for each in ("p-1", "p-2", "[", "茶"))
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\033" not in done.stdout


def test_some_skipped_is_1_and_says_file_line_and_fix_but_no_text(run: Run, tmp_path: Path) -> None:
    good, cut = f'{{"id": "p-1", "text": "{TEA}"}}\n', f'{{"id": "p-2", "text": "{RAIN}'
    (tmp_path / "a.jsonl").write_text(good + cut, encoding="utf-8")
    done = run("a.jsonl", "gone.csv", "--output", "out.jsonl")
    assert done.returncode == 1
    assert "1 post assessed" in done.stdout
    assert "2 records skipped:" in done.stdout
    assert "a.jsonl:2: not a complete JSON object; one JSON object per line is expected" in done.stdout
    assert "gone.csv: no such file; check the path" in done.stdout
    assert RAIN not in done.stdout + done.stderr
    assert len((tmp_path / "out.jsonl.skipped.jsonl").read_text().splitlines()) == 2


def test_a_file_without_a_text_column_is_named_once_with_its_folder_and_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.csv").write_text(f"one,two\n1,{TEA}\n", encoding="utf-8")
    assert "\n  sub/a.csv:2: no text column recognised among its 2 columns" in run("sub/a.csv").stdout


def test_a_file_in_an_encoding_that_is_not_detected_is_named_with_the_option_that_helps(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes("id,text\n1,a\n".encode("utf-16-le"))
    assert "if it is UTF-16, say so with --encoding utf-16-le" in run("a.csv").stdout
    assert "1 post assessed" in run("a.csv", "--encoding", "utf-16-le").stdout


def test_nothing_done_is_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "header.csv").write_text("id,text\n")
    done = run("header.csv", ".")
    assert done.returncode == 2
    assert "header.csv: no record in it; it is empty, or holds nothing but column names" in done.stdout
    assert ".: a folder; name the files in it" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a.jsonl", "--output", "a.jsonl"], "a.jsonl exists already; name another file or remove it"),
        (["a.jsonl", "--output", "a.jsonl/b.csv"], "a.jsonl: "),
        (["a.jsonl", "--model", "nowhere"], "nowhere: no model here"),
    ],
)
def test_a_command_that_cannot_be_done_is_2_with_one_line(
    run: Run, tmp_path: Path, arguments: list[str], says: str
) -> None:
    write(tmp_path / "a.jsonl", [{"text": TEA}])
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_chinese_locale_speaks_chinese_and_lang_overrides_it_anywhere(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"text": TEA}, {"text": ""}])
    chinese = run("a.jsonl", LANG="zh_CN.UTF-8")
    assert "表达出的风险，由高到低" in chinese.stdout
    assert "已评估 1 条" in chinese.stdout
    assert "1 post assessed" in run("a.jsonl", "--lang", "en", LANG="zh_CN.UTF-8").stdout


@pytest.mark.parametrize("form", ["jsonl", "csv", "plain text", "gzip"])
def test_standard_input_in_every_text_format(run: Run, form: str) -> None:
    content = {
        "jsonl": f'{{"id": "p-1", "text": "{TEA}"}}\n',
        "csv": f"id,正文\np-1,{TEA}\n",
        "plain text": f"{TEA}\n",
        "gzip": f"id,text\np-1,{TEA}\n",
    }[form].encode()
    done = run("-", "--json", stdin=gzip.compress(content) if form == "gzip" else content)
    assert done.returncode == 0
    assert [row["id"] for row in json.loads(done.stdout)["top"]] == ["stdin:1" if form == "plain text" else "p-1"]


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(run: Run, tiny: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": n, "text": f"{TEA}{n}"} for n in range(4_000)])
    assert run("a.jsonl", "--output", "whole.jsonl").returncode == 0
    _stop(tiny, tmp_path, "resumed.jsonl", signal.SIGKILL)
    assert not (tmp_path / "resumed.jsonl").exists()
    done = run("a.jsonl", "--output", "resumed.jsonl", "--json")
    assert 0 < json.loads(done.stdout)["resumed"] < 4_000
    assert (tmp_path / "resumed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_ctrl_c_is_130_keeps_what_is_done_and_says_how_to_go_on(tiny: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": n, "text": f"{TEA}{n}"} for n in range(4_000)])
    code, said = _stop(tiny, tmp_path, "out.csv", signal.SIGINT)
    assert code == 130
    assert said == "Interrupted: what is done is kept; give the same command again to go on.\n"
    assert list(tmp_path.glob("out.csv.*.partial"))


def _stop(tiny: Path, folder: Path, output: str, number: signal.Signals) -> tuple[int, str]:
    """Send the signal once something has been written; the exit code and standard error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "shouwang", "assess", "a.jsonl", "--model", str(tiny), "--output", output],
        cwd=folder,
        env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", "LANGUAGE": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 30
    while not any(path.stat().st_size for path in folder.glob(f"{output}.*.partial")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.005)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert b"Traceback" not in said
    return process.returncode, said.decode()


def test_a_reader_that_goes_away_leaves_no_traceback(tiny: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"text": TEA}] * 100)
    command = f"{sys.executable} -m shouwang assess a.jsonl --model {tiny} --json --top 100 | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, timeout=60)
    assert b"Traceback" not in done.stderr


# --- in this process ------------------------------------------------------------------------------------------------


def test_several_files_of_several_kinds_are_one_list(within: Within, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": "1", "text": TEA}])
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(f"id,评论\n2,{TEA}\n".encode("gb18030")))
    polars.DataFrame({"mid": [3, 1], "微博正文": [RAIN, RAIN]}).write_parquet(tmp_path / "c.parquet")
    code, found = within(
        tmp_path / "a.jsonl", tmp_path / "b.csv.gz", tmp_path / "c.parquet", "-o", tmp_path / "o.jsonl"
    )
    assert code == 0
    assert found["repeated_ids"] == 1
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "3", "1"]
    assert rows[2]["probabilities"] == rows[3]["probabilities"]


def test_a_row_holds_what_is_promised(within: Within, tmp_path: Path) -> None:
    text = "今天😀茶\ufffd茶，喝茶，好茶" * 5
    write(tmp_path / "a.jsonl", [{"id": "p-1", "text": text}])
    within(tmp_path / "a.jsonl", "--output", tmp_path / "o.jsonl")
    row = json.loads((tmp_path / "o.jsonl").read_text(encoding="utf-8"))
    assert list(row)[:3] == ["id", "level", "level_name"]
    assert len(row["probabilities"]) == 11
    assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert row["expected_level"] == pytest.approx(sum(n * p for n, p in enumerate(row["probabilities"])), abs=1e-3)
    assert isinstance(row["high"], bool)
    assert 0 <= row["p_high"] <= 1
    assert set(row["indicators"]) == set(INDICATORS)
    assert all(0 <= each["start"] < each["end"] <= len(text) and each["weight"] > 0 for each in row["evidence"])
    assert row["model"] == "tiny 0"


def test_every_odd_post_is_assessed(within: Within, tmp_path: Path) -> None:
    odd = [
        "茶" * 100_000,
        "茶\0茶",
        "\ud800茶\udfff",
        "👨‍👩‍👧‍👦",
        "茶" + "\u0301" * 1_000,
        "\u202e茶",
        "tea",
        "！",
        "[/red]茶",
        "\x1b[2J茶",
    ]
    write(tmp_path / "a.jsonl", [{"id": text[:50], "text": text} for text in odd])
    code, found = within(tmp_path / "a.jsonl", "-o", tmp_path / "o.csv")
    assert (code, found["assessed"], found["out_of_scope"]) == (0, len(odd), {"no-words": 2, "no-chinese": 1})
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(odd)


def test_odd_posts_and_ids_neither_break_nor_steer_the_table(tiny: Path, tmp_path: Path) -> None:
    odd = ["[/red]茶", "\x1b[2J茶", "茶\n茶\u202e", "\ud800茶", "x" * 5_000]
    write(tmp_path / "a.jsonl", [{"id": text, "text": text} for text in odd])
    (tmp_path / "[b]\x1b.csv").write_text("id\n1\n")
    done = CliRunner().invoke(application(), ["assess", "--model", str(tiny), *map(str, tmp_path.iterdir())])
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout
    assert "[/red]" in done.stdout
    assert "\u202e" not in done.stdout


@pytest.mark.parametrize("language", ["zh", "en"])
def test_json_is_the_same_in_both_languages_but_for_the_level_name_and_why_a_record_was_skipped(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    use_language(language)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.jsonl", [{"id": "p-1", "text": TEA}, {"id": "p-2"}])
    found = json.loads(CliRunner().invoke(application(), ["assess", "--model", str(tiny), "--json", "a.jsonl"]).stdout)
    (row,) = found.pop("top")
    assert (row.pop("level_name").isascii(), row.keys() >= {"id", "level", "evidence"}) == (language == "en", True)
    (skip,) = found["skips"]
    assert skip["where"] == "a.jsonl:2"
    assert {skip.pop(name).isascii() for name in ("reason", "fix")} == {language == "en"}
    assert json.dumps(found, ensure_ascii=False).isascii()


def test_an_unfinished_run_over_another_column_is_not_gone_on_with(within: Within, tmp_path: Path, tiny: Path) -> None:
    source = write(tmp_path / "a.jsonl", [{"id": 1, "text": TEA, "title": RAIN}])
    (tmp_path / "o.jsonl.00000000.partial").write_text("")
    done = CliRunner().invoke(
        application(), ["assess", "--model", str(tiny), str(source), "-o", str(tmp_path / "o.jsonl")]
    )
    assert "unfinished run over other input, with other columns or another model" in str(done.exception)


# --- operating points and level sets --------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["recall95", "workload=900/1000"])
def test_the_operating_point_decides_what_is_high(within: Within, blend: Path, tmp_path: Path, point: str) -> None:
    source = write(tmp_path / "a.jsonl", [{"id": number, "text": TEA * number} for number in range(1, 20)])
    _, before = within(source, "--model", blend, "-o", tmp_path / "before.jsonl")
    _, found = within(source, "--model", blend, "-o", tmp_path / "after.jsonl", "--operating-point", point)
    operating = store.load(blend).operating
    assert operating is not None
    threshold = operating.point(point).threshold
    assert found["operating_point"] == {"name": point, "threshold": threshold}
    assert before["operating_point"] == {"name": "balanced", "threshold": 0.5}
    rows = read(tmp_path / "before.jsonl")
    assert read(tmp_path / "after.jsonl") == [row | {"high": row["p_high"] >= threshold} for row in rows]


def test_what_to_expect_is_said_for_the_stated_stream(blend: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", [{"id": "p-1", "text": TEA}])
    command = ["assess", str(source), "--model", str(blend), "--operating-point", "recall95", "--base-rate", "0.1"]
    english = CliRunner().invoke(application(), [*command, "--rest", "tree-hole"]).stdout
    assert "Operating point: recall95, high from a probability of 0.539 on." in english
    assert "of 1,000 posts (100 high, the rest low posts of a tree hole): " in english
    use_language("zh")
    assert (
        "每 1,000 条帖子（100 条高风险，其余为日常帖子）预计标出" in CliRunner().invoke(application(), command).stdout
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--operating-point", "recal95"], "No operating point 'recal95'. Did you mean 'recall95'?"),
        (["--operating-point", ""], "No operating point ''. There are: recall95, recall99, balanced."),
        (["--operating-point", "workload=0/9"], "operating point 'workload=0/9': expected workload=POSTS/OF"),
        (["--base-rate", "2"], "base rate 2.0: expected the share of high posts"),
        (["--rest", "everyda"], "No kind of posts 'everyda'. Did you mean 'everyday'?"),
    ],
)
def test_an_operating_point_that_cannot_be_is_an_error(
    blend: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    source = write(tmp_path / "a.jsonl", [{"text": TEA}])
    done = CliRunner().invoke(application(), ["assess", "--model", str(blend), *options, str(source)])
    assert isinstance(done.exception, InputError)
    assert says in str(done.exception)


def test_a_run_at_another_operating_point_does_not_go_on_with_this_ones_partial(blend: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": n, "text": f"{TEA}{n}"} for n in range(2_000)])
    _stop(blend, tmp_path, "out.jsonl", signal.SIGKILL)
    command = ["assess", "--model", str(blend), str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "out.jsonl")]
    done = CliRunner().invoke(application(), [*command, "--operating-point", "recall99"])
    assert "unfinished run over other input" in str(done.exception)


def test_level_sets_and_uncertain_stand_in_the_files(blend: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": "p-1", "text": TEA}, {"id": "p-2", "text": "tea"}])
    for ending in ("jsonl", "csv", "parquet"):
        out = str(tmp_path / f"o.{ending}")
        CliRunner().invoke(application(), ["assess", "--model", str(blend), str(tmp_path / "a.jsonl"), "-o", out])
    rows = read(tmp_path / "o.jsonl")
    assert rows[0]["level"] in rows[0]["level_set"]
    assert (rows[1]["level_set"], rows[1]["uncertain"]) == ([], True)
    table = polars.read_parquet(tmp_path / "o.parquet").to_dicts()
    assert [(row["level_set"], row["uncertain"]) for row in table] == [(r["level_set"], r["uncertain"]) for r in rows]
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as stream:
        cells = list(csv.DictReader(stream))
    assert [json.loads(row["level_set"]) for row in cells] == [row["level_set"] for row in rows]


@pytest.mark.parametrize(("language", "word"), [("en", "uncertain"), ("zh", "不确定")])
def test_the_table_says_uncertain_in_words(blend: Path, tmp_path: Path, language: Language, word: str) -> None:
    """The tiny blend's p_high of this post lies in its span, 0.3–0.7."""
    (found,) = store.load(blend).assess([TEA])
    assert found.uncertain
    source = write(tmp_path / "a.jsonl", [{"id": "p-1", "text": TEA}])
    use_language(language)
    shown = (
        CliRunner().invoke(application(), ["assess", "--model", str(blend), str(source)], env={"COLUMNS": "80"}).stdout
    )
    assert shown.count(word) == 2
    assert levels(found.level_set) in shown
    assert max(map(len, shown.splitlines()[:-1])) <= 80


@pytest.mark.parametrize(
    ("level_set", "shown"),
    [((), ""), ((4,), ""), ((4, 5, 6), "4–6"), ((0, 4, 5), "0, 4–5"), ((1, 3), "1, 3"), (tuple(range(11)), "0–10")],
)
def test_levels_in_a_row_are_a_span(level_set: tuple[int, ...], shown: str) -> None:
    assert levels(level_set) == shown


# --- marking --------------------------------------------------------------------------------------------------------


def _assessment(*spans: tuple[int, int, Indicator, float]) -> Assessment:
    evidence = tuple(Evidence(*span) for span in spans)
    return Assessment("p", 0, (1.0, *[0.0] * 10), False, 0.1, dict.fromkeys(INDICATORS, 0.0), "m", evidence)


def test_evidence_is_in_brackets_without_colour_and_in_colour_with_it() -> None:
    found = _assessment((2, 4, "wish", 1.0), (4, 5, "time", 0.5))
    assert marked("零一二三四五", found, styled=False).plain == "零一[二三][四]五"
    coloured = marked("零一二三四五", found, styled=True)
    assert coloured.plain == "零一二三四五"
    assert [(span.start, span.end) for span in coloured.spans] == [(2, 4), (4, 5)]


def test_a_long_post_is_shown_around_its_heaviest_evidence() -> None:
    text = "茶" * 300 + "雨雨" + "茶" * 300
    shown = marked(text, _assessment((0, 2, "pain", 0.1), (300, 302, "wish", 2.0)), styled=False).plain
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "[雨雨]" in shown
    assert len(shown) < 100


def test_family_emoji_stay_whole_and_controls_do_not_show() -> None:
    assert marked("👨‍👩‍👧\n\x1b茶", _assessment(), styled=False).plain == "👨‍👩‍👧  茶"


def test_evidence_stays_on_its_words_when_identifiers_are_hidden() -> None:
    text = "@茶茶 打13800000000，好累"
    start = text.index("好累")
    hidden, assessment, counts = deidentified(Post("p", text), _assessment((start, start + 2, "pain", 1.0)))
    assert "13800000000" not in hidden.text
    assert counts == {"mention": 1, "phone": 1}
    assert marked(hidden.text, assessment, styled=False).plain.endswith("[好累]")


def test_a_table_can_be_shown_without_identifiers(tiny: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", [{"id": "1", "text": "打13800000000"}])
    done = CliRunner().invoke(application(), ["assess", "--model", str(tiny), "--deidentify", str(source)])
    assert "13800000000" not in done.stdout
    assert "phone 1" in done.stdout
