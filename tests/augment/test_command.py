from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import typer
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner, Result
from werkzeug import Request, Response

from shouwang.augment.filters import FILTERS
from shouwang.augment.translators import Baidu
from shouwang.cli import augment as room
from shouwang.cli.augment_table import REASONS, reason_in_words
from shouwang.errors import SOME_SKIPPED, InputError, MissingExtraError
from shouwang.language import use_language
from tests.augment.test_generated import writer

PLACES = "公园 学校 医院 车站 超市 餐厅 商店 广场 宿舍 食堂".split()  # noqa: SIM905
PEOPLE = "朋友 老师 邻居 同事 孩子 老板 医生 室友 父亲 警察".split()  # noqa: SIM905
WORDS = {
    0: "{}约我去{}散步，天气很好，大家开心",
    4: "{}都不知道，我在{}里想死，好累",
    8: "{}不用等我了，明天从{}回来就走，东西收拾好了",
}


def written(folder: Path) -> str:
    posts = [
        {"id": f"{level}-{i}", "text": words.format(PEOPLE[i], PLACES[i]), "level": level, "high": int(level > 5)}
        for level, words in WORDS.items()
        for i in range(10 - level)
    ]
    path = folder / "mine.jsonl"
    path.write_text("\n".join(json.dumps(post, ensure_ascii=False) for post in posts), encoding="utf-8")
    return str(path)


def run(folder: Path, *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(room.command)
    use_language("en")
    words = ["--data", written(folder), "--output", str(folder / "out"), "--drop-leaks"]
    return CliRunner().invoke(app, [*words, *arguments], env={"COLUMNS": "200"})


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_new_posts_the_training_set_and_a_report_are_written(tmp_path: Path) -> None:
    result = run(tmp_path, "--method", "synonyms,drop", "--plan", "8=3", "--seed", "1")
    assert result.exit_code in (0, SOME_SKIPPED), result.output
    new, training = (rows(tmp_path / "out" / name) for name in (room.NEW, room.TRAINING))
    report = json.loads((tmp_path / "out" / room.REPORT).read_text(encoding="utf-8"))
    assert report["kept"] == len(new) > 0
    assert len(training) == len(new) + sum(level["before"] for level in report["levels"])
    assert {row["level"] for row in new} == {8}
    assert {row["method"] for row in new} <= {"synonyms", "drop"}
    assert "self-BLEU" in result.output
    assert not any(row["text"] in result.output for row in new)


def test_the_same_command_gives_the_same_posts(tmp_path: Path) -> None:
    first, second = (run(tmp_path, "--json") and rows(tmp_path / "out" / room.NEW) for _ in range(2))
    assert first == second


def test_posts_are_generated_over_http_and_an_estimate_comes_before(server: HTTPServer, tmp_path: Path) -> None:
    scripted = writer()
    place = ("--endpoint", scripted.serve(server), "--model", "w", "--method", "generated", "--plan", "8=6")
    told = run(tmp_path, *place, "--dry-run", "--price-in", "1", "--price-out", "2")
    assert "calls" in told.output
    assert scripted.bodies == []
    result = run(tmp_path, *place)
    assert result.exit_code == 0, result.output
    assert {row["notes"]["model"] for row in rows(tmp_path / "out" / room.NEW)} == {"w"}


def test_an_answer_is_waited_for_as_long_as_is_said_and_then_asked_for_again(
    server: HTTPServer, tmp_path: Path
) -> None:
    over, answered = Event(), list[str]()

    def late(request: Request) -> Response:
        over.wait(30)
        answered.append("late")
        return Response("too late")

    server.expect_oneshot_request("/v1/chat/completions").respond_with_handler(late)
    scripted = writer()
    place = ("--endpoint", scripted.serve(server), "--model", "w", "--method", "generated", "--plan", "8=6")
    result = run(tmp_path, *place, "--timeout", "1")
    assert answered == []
    over.set()
    assert result.exit_code == 0, result.output
    assert scripted.bodies


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--data", "sos-1k/test"), "only the training posts of a round"),
        (
            ("--fold", "9", "--test", "gone.jsonl"),  # before anything is read
            "No fold '9'. There are: fold1, fold2, fold3, fold4, fold5, test.",
        ),
        (("--method", "synonims"), "Did you mean 'synonyms'"),
        (("--plan", "maxx"), "Did you mean 'max'"),
        (("--filters", "harn"), "Did you mean 'harm'"),
        (("--method", "generated"), "no endpoint is named; nothing was sent"),
        (("--method", "round_trip"), "none is named; nothing was sent"),
        (("--method", "round_trip", "--translator", "llm"), "needs --endpoint"),
        (("--method", "round_trip", "--translator", "baidu"), "an application id and a key"),
        (("--method", "round_trip", "--translator", "bidu"), "neither llm, nor baidu"),
        (("--pivots", "de"), "No pivot 'de'"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_sent(
    tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(tmp_path, *arguments)
    assert isinstance(result.exception, InputError), result.output
    assert complaint in str(result.exception)
    assert not (tmp_path / "out" / room.REPORT).exists()


def test_no_method_and_a_negative_seed_are_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "--method", " ,")
    assert isinstance(result.exception, InputError)
    assert "--method names none; there are: synonyms, swap, drop" in str(result.exception)
    assert run(tmp_path, "--seed", "-1").exit_code == 2


def test_a_post_that_leaks_into_the_test_set_is_shown_to_no_language_model(server: HTTPServer, tmp_path: Path) -> None:
    leaking = WORDS[4].format(PEOPLE[2], PLACES[2])
    (tmp_path / "test.jsonl").write_text(json.dumps({"id": "t", "text": leaking, "level": 4}), encoding="utf-8")
    scripted = writer()
    place = ("--endpoint", scripted.serve(server), "--model", "w", "--method", "generated", "--plan", "4=20")
    found = [run(tmp_path, *place, "--test", str(tmp_path / "test.jsonl"), "--fold", str(k)) for k in (1, 2)]
    assert [result.exit_code for result in found] == [0, 0]
    asked = " ".join(body["messages"][-1]["content"] for body in scripted.bodies)
    assert WORDS[4].format(PEOPLE[1], PLACES[1]) in asked
    assert leaking not in asked


def test_test_posts_whose_ids_are_those_of_other_posts_are_held_out_all_the_same(tmp_path: Path) -> None:
    test = [
        {"id": f"{level}-{i}", "text": f"雨下了第{i}天，窗外{level}只鸟", "level": 0}
        for level in WORDS
        for i in range(6)
    ]
    path = tmp_path / "test.jsonl"
    path.write_text("\n".join(json.dumps(post, ensure_ascii=False) for post in test), encoding="utf-8")
    for fold in ("1", "test"):
        split = room._split(written(tmp_path), fold, str(path), drop_leaks=True)
        assert {post["text"] for post in test} <= {post.text for post in split.held_out}


def test_what_holds_posts_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / room.NEW).touch(0o644)  # as an earlier version left it
    run(tmp_path, "--plan", "8=3")
    assert [(tmp_path / "out" / name).stat().st_mode & 0o077 for name in (room.NEW, room.TRAINING)] == [0, 0]


def test_baidu_is_asked_as_often_and_waited_for_as_long_as_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(room.BAIDU_ID, "id")
    monkeypatch.setenv(room.BAIDU_KEY, "key")
    kept = room._translations("baidu", None, tmp_path, baidu_url=None, timeout=5, per_minute=30)
    assert kept is not None
    assert isinstance(kept._inner, Baidu)
    assert (kept._inner.timeout, kept._inner.per_second) == (5, 0.5)


def test_reasons_are_said_in_the_readers_language() -> None:
    use_language("zh")
    assert reason_in_words("no word that may be exchanged") == "没有可以替换的词"
    assert FILTERS.keys() <= REASONS.keys()


def test_a_missing_extra_is_met_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run(tmp_path, "--plan", "8=3", "--embedding")
    assert isinstance(result.exception, MissingExtraError)
    assert not (tmp_path / "out").exists()
