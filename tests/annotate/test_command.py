"""The whole way on real files: import, a model, two people, agreement, export, and `shouwang data` reads the result."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars
import pytest
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner, Result

from shouwang.annotate import rating
from shouwang.annotate.project import add_rating, open_
from shouwang.cli import application
from shouwang.data.load import load_file
from shouwang.errors import SOME_SKIPPED, InputError
from shouwang.language import use_language
from shouwang.llm import EndpointError
from tests.annotate.invented import TEXTS, label
from tests.annotate.test_annotators import answer
from tests.llm.scripted import Scripted, chat, error

LEVELS = (0, 2, 4, 8, 0, 2)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [{"id": f"p-{n}", "text": text} for n, text in enumerate(TEXTS, 1)]
    rows += [{"id": "again", "text": TEXTS[0] + "&nbsp;"}, {"id": "empty", "text": ""}]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    Path("posts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application(), ["annotate", *arguments], catch_exceptions=False)


def as_json(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


def rate(levels: tuple[int, ...], who: str) -> None:
    project = open_(Path("annotation.shouwang"))
    for place, level in enumerate(levels, 1):
        rating.save(project, place, who, label(level))
    project.close()


def ask(server: HTTPServer, model: Scripted, *more: str) -> Result:
    return run("llm", "--url", model.serve(server), "--model", "scripted", "--concurrency", "1", *more)


def test_what_was_left_out_or_replaced_is_told_in_chinese(here: Path) -> None:
    use_language("zh")
    with Path("posts.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "call", "text": "打13800138000找我，一起去公园划船"}\n')
    shown = run("import", "posts.jsonl").stdout
    assert "未收入：无法读取 1，重复 1" in shown
    assert "替换的可识别信息：电话 1" in shown


def test_from_raw_posts_to_a_data_set(server: HTTPServer, here: Path) -> None:
    found = as_json("import", "posts.jsonl")
    assert (found["posts"], found["dropped"]) == (6, {"unreadable": 1, "duplicate": 1})
    assert "duplicate" in run("dropped").stdout
    assert "6 posts rated" in ask(server, Scripted(lambda body: chat(answer(4)))).stdout
    rate(LEVELS, "user:1")
    rate((*LEVELS[:5], 3), "user:2")

    agreement = as_json("agreement", "--bootstrap", "100")
    people = agreement["comparisons"][0]
    assert (people["left"], people["stage"], people["posts"]) == ("people", "blind", 6)
    assert people["levels"]["percentage"]["value"] == pytest.approx(5 / 6)
    two, eight = people["by_level"]["2"], people["by_level"]["8"]
    assert (two["value"], eight["value"]) == (pytest.approx(2 / 3), 1)  # one of the three answers "2" met a "3"
    assert two["low"] < two["value"] < two["high"]
    assert agreement["settled"] == 6
    interval = people["levels"]["percentage"]
    shown = run("agreement", "--bootstrap", "100").stdout  # in 80 columns
    assert (f"{interval['low']:.2f}–{interval['high']:.2f}" in shown, "…" in shown) == (True, False)

    done = run("export", "set", "--licence", "CC-BY-NC-4.0", "--folds", "2", "--hugging-face")
    assert (done.exit_code, "6 posts in 2 folds" in done.stdout) == (0, True)
    loaded = load_file(here / "set" / "data.jsonl")
    assert [post.level for post in loaded.posts] == [*LEVELS[:5], 3]
    assert [post.high for post in loaded.posts] == [False, False, False, True, False, False]
    audit = CliRunner().invoke(application(), ["data", "audit", "set", "--json"])
    assert audit.exit_code == 0, audit.output


def test_an_exported_folder_is_whole_and_its_sums_are_right(here: Path) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:7")
    rate(LEVELS, "user:9")
    run("export", "set", "--licence", "CC0-1.0", "--folds", "2", "--hugging-face")
    sums = dict(line.split("  ")[::-1] for line in Path("set/SHA256SUMS").read_text().splitlines())
    assert {"data.jsonl", "votes.jsonl", "folds/fold1.jsonl", "data/train.parquet", "README.md", "LICENCE"} <= set(sums)
    assert all(hashlib.sha256(Path("set", name).read_bytes()).hexdigest() == sum_ for name, sum_ in sums.items())
    votes = Path("set/votes.jsonl").read_text(encoding="utf-8")
    assert "rater-1" in votes
    assert "user:" not in votes
    left_out = Path("set/left-out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["reason"] for line in left_out] == ["unreadable: the text is empty", "duplicate"]
    with pytest.raises(InputError, match="exists already"):
        run("export", "set", "--licence", "CC0-1.0")


def test_the_datasheet_is_filled_from_the_data_and_asks_what_only_people_know(here: Path) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:1")
    rate(LEVELS, "user:2")
    Path("answers.json").write_text('{"purpose": "To find those who need help."}', encoding="utf-8")
    run("export", "set", "--licence", "CC0-1.0", "--folds", "2", "--answers", "answers.json")
    sheet = Path("set/DATASHEET.md").read_text(encoding="utf-8")
    assert "To find those who need help." in sheet
    assert "⚠ To be answered by people (key `consent`)" in sheet
    assert "2 people, 2 for each post, blind" in sheet
    assert "有待由人回答" in Path("set/DATASHEET.zh.md").read_text(encoding="utf-8")


def test_a_data_set_is_its_owners_until_they_open_it(here: Path) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:1")
    rate(LEVELS, "user:2")
    run("export", "new/set", "--licence", "CC0-1.0", "--folds", "2", "--hugging-face")
    assert Path("new/set").stat().st_mode & 0o077 == 0
    table = polars.read_parquet("new/set/data/train.parquet")
    assert table.schema["indicators"] == polars.List(polars.String)  # nobody ticked any


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (b'{"purposes": "x"}', "Did you mean 'purpose'"),
        ('{"purpose": "找人"}'.encode("gb18030"), "save it as UTF-8"),
        (b"[1]", "a JSON object is expected"),
    ],
)
def test_answers_that_would_be_lost_are_refused(here: Path, answers: bytes, says: str) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:1")
    rate(LEVELS, "user:2")
    Path("answers.json").write_bytes(answers)
    export = ("export", "set", "--licence", "CC0-1.0", "--folds", "2", "--answers", "answers.json")
    with pytest.raises(InputError, match=says):
        run(*export)
    Path("answers.json").write_text('{"purpose": "To help."}', encoding="utf-8-sig")  # as Windows' editor saves it
    run(*export)
    assert "To help." in Path("set/DATASHEET.md").read_text(encoding="utf-8")


def test_the_datasheet_says_what_was_not_blind(here: Path) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:1")
    rate(LEVELS, "user:2")
    project = open_(Path("annotation.shouwang"))
    with project.writing() as connection:
        add_rating(connection, "p-1", "label-studio:7", "after", label(0))
    project.close()
    run("export", "set", "--licence", "CC0-1.0", "--folds", "2")
    assert "1 ratings came from other tools" in Path("set/DATASHEET.md").read_text(encoding="utf-8")


def test_how_many_rate_a_post_is_not_changed_in_silence(here: Path) -> None:
    run("import", "posts.jsonl", "--raters", "3")
    assert run("import", "posts.jsonl").exit_code == SOME_SKIPPED
    with pytest.raises(InputError, match="was made for 3 raters a post, not 2"):
        run("import", "posts.jsonl", "--raters", "2")


def test_a_file_that_cannot_be_read_makes_no_project(here: Path) -> None:
    Path("table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for file, says in (("post.jsonl", "no such file"), ("table.csv", "no text column")):
        with pytest.raises(InputError, match=says):
            run("import", file)
    assert not Path("annotation.shouwang").exists()


def test_what_is_not_defined_is_null_for_machines(here: Path) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:1")
    rate(LEVELS, "user:2")
    shown = run("agreement", "--json", "--bootstrap", "20").stdout
    found = json.loads(shown, parse_constant=pytest.fail)  # NaN is no JSON
    assert found["comparisons"][0]["by_level"]["9"]["value"] is None


def test_what_is_not_settled_is_not_exported(here: Path) -> None:
    run("import", "posts.jsonl")
    rate(LEVELS, "user:1")
    rate((9, *LEVELS[1:]), "user:2")
    done = run("export", "set", "--licence", "CC0-1.0", "--folds", "2")
    assert "5 posts" in done.stdout
    assert "not settled 1" in done.stdout


def test_an_endpoint_that_dies_midway_keeps_what_is_done(server: HTTPServer, here: Path) -> None:
    run("import", "posts.jsonl")
    alive = iter([True] * 2)
    dying = Scripted(lambda body: chat(answer(1)) if next(alive, False) else error(401))
    with pytest.raises(EndpointError, match="the key is refused"):
        ask(server, dying)
    server.clear()
    again = Scripted(lambda body: chat(answer(1)))
    assert "4 posts rated, 2 were" in ask(server, again).stdout
    assert len(again.bodies) == 4


def test_why_there_is_no_answer_is_told_in_chinese(server: HTTPServer, here: Path) -> None:
    run("import", "posts.jsonl")
    use_language("zh")
    answers = iter([error(400, "content_filter"), error(413), *[chat("?")] * 3])
    shown = ask(server, Scripted(lambda body: next(answers, None) or chat(answer(1)))).stdout
    assert "没有答案：拒绝回答 1，服务器拒收 1，回答不合用 1" in shown


def test_a_budget_needs_prices_and_the_cost_is_reported(server: HTTPServer, here: Path) -> None:
    run("import", "posts.jsonl")
    model = Scripted(lambda body: chat(answer(1)))
    with pytest.raises(InputError, match="a budget needs prices"):
        ask(server, model, "--budget", "1")
    assert (
        "Cost so far: 0.0660 (6 calls, 600 + 60 tokens"
        in ask(server, model, "--price-in", "100", "--price-out", "100").stdout
    )


def test_the_key_is_read_from_the_environment(server: HTTPServer, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("import", "posts.jsonl")
    monkeypatch.setenv("MY_KEY", "sk-1")
    model = Scripted(lambda body: chat(answer(1)))
    ask(server, model, "--key-variable", "MY_KEY")
    assert set(model.keys) == {"Bearer sk-1"}


def test_a_port_that_is_taken_says_what_to_do(here: Path, server: HTTPServer) -> None:
    run("import", "posts.jsonl")
    use_language("en")
    with pytest.raises(InputError, match=rf"^cannot listen on 127\.0\.0\.1:{server.port} .* name another --port$"):
        run("serve", "--alone", "--port", str(server.port))
