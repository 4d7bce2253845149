"""What Label Studio, doccano and Argilla take and give. Against a running Label Studio: test_label_studio.py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shouwang.annotate import rating
from shouwang.annotate.interchange import argilla, doccano, label_studio
from shouwang.annotate.interchange.receiving import (
    CHANGED,
    NOT_ANNOTATED,
    NOT_HERE,
    SKIPPED,
    THERE,
    Foreign,
    Received,
    receive,
)
from shouwang.annotate.labels import Label, Span
from shouwang.annotate.project import Project, add_rating
from shouwang.errors import SOME_SKIPPED, InputError
from shouwang.language import use_language
from shouwang.posts import Post, Row, Skipped
from tests.annotate.invented import TEXTS, add, label
from tests.annotate.test_command import run

WISH = label(4, spans=(Span(0, 4, "wish"),), indicators=frozenset({"wish"}))
OBJECT = {"id": 1, "label": "wish", "start_offset": 0, "end_offset": 4}
LINE = {"id": 17, "text": TEXTS[2], "cats": ["4", "low"], "entities": [[0, 4, "wish"]], "Comments": []}


def annotated(project: Project, post: str, results: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    (task,) = [task for task in label_studio.tasks(project) if task["data"]["id"] == post]
    return [task | {"annotations": [{"completed_by": 7, "was_cancelled": False, "result": results} | more]}]


def suggest(project: Project) -> None:
    with project.writing() as connection:
        add_rating(connection, "p-3", "llm:m/levels@1", "llm", WISH, {"votes": [4]})


def people(project: Project, post: str = "p-3") -> list[tuple[str, str, Label | None]]:
    return [(each.who, each.stage, each.label) for each in project.ratings(post) if each.stage != "llm"]


def from_studio(project: Project, tasks: list[dict[str, Any]]) -> Received:
    return receive(project, label_studio.read(tasks))


def from_argilla(project: Project, *records: dict[str, Any]) -> Received:
    return receive(project, argilla.read(Row(f"a.jsonl:{n}", record) for n, record in enumerate(records, 1)))


def from_doccano(project: Project, *rows: dict[str, Any], who: str = "mei") -> Received:
    return receive(project, doccano.read([Row(f"a.jsonl:{n}", row) for n, row in enumerate(rows, 1)], who))


# --- Label Studio ---------------------------------------------------------------------------------------------------


def test_what_goes_out_as_a_prediction_comes_back_as_the_same_label(project: Project) -> None:
    suggest(project)
    task = label_studio.tasks(project)[2]
    prediction = task["predictions"][0]
    assert (task["data"]["id"], prediction["model_version"]) == ("p-3", "llm:m/levels@1")
    names = {result["from_name"] for result in prediction["result"]}
    assert all(f'name="{name}"' in label_studio.interface() for name in names)
    back = annotated(project, "p-3", prediction["result"])
    assert from_studio(project, back).ratings == 1
    assert people(project) == [("label-studio:7", "blind", WISH)]
    assert from_studio(project, back).left_out == {THERE: ["p-3"]}


def test_what_began_from_a_prediction_is_not_blind(project: Project) -> None:
    suggest(project)
    results = label_studio.tasks(project)[2]["predictions"][0]["result"]
    from_studio(project, annotated(project, "p-3", results, parent_prediction=5))
    assert people(project) == [("label-studio:7", "after", WISH)]


def test_where_one_model_noticed_no_models_label_goes_to_another_tool(project: Project) -> None:
    suggest(project)
    with project.writing() as connection:
        add_rating(connection, "p-3", "llm:b/levels@1", "llm", label(0), {"votes": [0], "instructs": True})
    assert all(not task["predictions"] for task in label_studio.tasks(project))
    assert all(not record["suggestions"] for record in argilla.records(project))


@pytest.mark.parametrize(
    "task",
    [
        {"data": [1], "annotations": [{}]},
        {"data": {"text": TEXTS[0]}, "annotations": [1]},
        {"data": {"text": TEXTS[0]}, "annotations": [{"result": ["x", {"from_name": "level", "value": 4}]}]},
        {"data": {"text": TEXTS[0]}, "annotations": [{"result": [{"from_name": "level", "value": {"choices": "4"}}]}]},
        {
            "data": {"text": TEXTS[0]},
            "annotations": [{"result": [{"from_name": "high", "value": {"choices": [["x"]]}}]}],
        },
        {"data": {"text": TEXTS[0]}, "annotations": [{"result": [{"from_name": "spans", "value": {"labels": 3}}]}]},
    ],
)
def test_a_task_of_another_shape_is_named_and_the_others_are_kept(project: Project, task: dict[str, Any]) -> None:
    good = [{"from_name": "level", "value": {"choices": ["4"]}}, {"from_name": "high", "value": {"choices": ["low"]}}]
    found = from_studio(project, [task, *annotated(project, "p-3", good)])
    assert (found.ratings, [*found.left_out.values()]) == (1, [["task 1"]])


def test_offsets_after_an_emoji_are_understood_either_way(project: Project) -> None:
    add(project, [Post("e", "😭😭不想活了")])
    for person, start in ((1, 2), (2, 4)):  # characters; UTF-16 units
        mark = {"start": start, "end": start + 4, "text": "不想活了", "labels": ["wish"]}
        results = [
            {"from_name": "level", "value": {"choices": ["4"]}},
            {"from_name": "high", "value": {"choices": ["low"]}},
            {"from_name": "spans", "value": mark},
        ]
        from_studio(project, annotated(project, "e", results, completed_by={"id": person}))
    spans = [each.label.spans for each in project.ratings("e") if each.label]
    assert spans == [(Span(2, 6, "wish"),)] * 2


def test_what_cannot_be_taken_is_named_with_the_reason(project: Project) -> None:
    other: list[dict[str, Any]] = [{"data": {"id": "p-1", "text": "另一段话"}, "annotations": [{"result": []}]}]
    incomplete = annotated(project, "p-1", [{"from_name": "level", "value": {"choices": ["3"]}}])
    skipped = [{**incomplete[0], "annotations": [{"was_cancelled": True}]}]
    found = from_studio(project, [*other, *incomplete, *skipped, {"id": 3}])
    assert found.ratings == 0
    assert found.left_out == {
        NOT_HERE: ["p-1"],
        "high or low is not chosen; it is a question of its own": ["p-1"],
        SKIPPED: ["p-1"],
    }


# --- doccano --------------------------------------------------------------------------------------------------------


def test_doccano_gets_the_label_that_stands_and_gives_it_back(project: Project) -> None:
    for who in ("user:1", "user:2"):
        rating.save(project, 3, who, WISH)
    rows = {row["id"]: row for row in doccano.rows(project)}
    assert rows["p-3"] == {"id": "p-3", "text": TEXTS[2], "entities": [[0, 4, "wish"]], "cats": ["4", "low"]}
    assert (rows["p-1"]["cats"], rows["p-1"]["entities"]) == ([], [])
    assert from_doccano(project, rows["p-3"]).ratings == 1
    assert people(project)[-1] == ("doccano:mei", "blind", WISH)


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        {"id": 17, "text": TEXTS[2], "label": ["4", "低", [0, 4, "wish"]]},
        {"id": 17, "text": TEXTS[2], "cats": ["low", "4"], "entities": [OBJECT]},
    ],
)
def test_every_shape_that_doccano_exports_is_read(project: Project, line: dict[str, Any]) -> None:
    assert from_doccano(project, line).ratings == 1
    assert people(project) == [("doccano:mei", "blind", WISH)]


def test_what_is_wrong_in_a_line_is_said_and_the_others_are_kept(project: Project) -> None:
    twice, nothing = LINE | {"id": 18, "cats": ["4", "5", "low"]}, LINE | {"id": 19, "cats": [], "entities": []}
    outside = LINE | {"id": 20, "entities": [[0, 99, "wish"]]}
    found = from_doccano(project, twice, nothing, outside, LINE)
    assert found.ratings == 1
    assert sorted(record for records in found.left_out.values() for record in records) == ["18", "19", "20"]
    assert any("more than one level" in reason for reason in found.left_out)
    assert from_doccano(project, LINE | {"cats": ["5", "low"]}).left_out == {CHANGED: ["17"]}


# --- Argilla --------------------------------------------------------------------------------------------------------


def answered(record: dict[str, Any], person: str, level: object = "4", **more: Any) -> dict[str, Any]:
    values = {"level": level, "high": "low", "spans": [{"start": 0, "end": 4, "label": "wish"}]}
    return record | {"responses": {name: [{"value": v, "user_id": person} | more] for name, v in values.items()}}


def test_argilla_gets_suggestions_and_gives_responses(project: Project) -> None:
    suggest(project)
    record = [*argilla.records(project)][2]
    assert record["suggestions"]["level"] == {"value": "4", "score": None, "agent": "llm:m/levels:1"}
    assert from_argilla(project, answered(record, "u-1"), answered(record | {"suggestions": {}}, "u-2", 4)).ratings == 2
    assert people(project) == [("argilla:u-1", "after", WISH), ("argilla:u-2", "blind", WISH)]


def test_drafts_and_records_without_answers_are_left_out(project: Project) -> None:
    record = [*argilla.records(project)][2]
    found = from_argilla(project, answered(record, "u-1", status="draft"), {"id": "x", "responses": "?"}, record)
    assert (found.ratings, found.left_out) == (0, {NOT_ANNOTATED: ["p-3", "x", "p-3"]})


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["doccano", "argilla"])
def test_a_file_goes_out_and_comes_back(project: Project, tool: str) -> None:
    out = project.path.parent / "mei.jsonl"
    assert run("send", tool, str(out), "-p", str(project.path)).exit_code == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    back = [LINE if tool == "doccano" else answered(rows[2], "u-1")]
    out.write_text(json.dumps(back[0], ensure_ascii=False) + "\nbroken\n", encoding="utf-8")
    found = run("receive", tool, str(out), "-p", str(project.path))
    assert (found.exit_code, "1 ratings added" in found.stdout) == (SOME_SKIPPED, True)
    assert "1 × not a complete JSON object: mei.jsonl:2" in found.stdout
    out.write_text(json.dumps(back), encoding="utf-8")
    assert run("receive", tool, str(out), "-p", str(project.path)).exit_code == 0
    assert people(project)[0][0] == ("doccano:mei" if tool == "doccano" else "argilla:u-1")


def test_another_export_of_label_studio_is_refused(project: Project) -> None:
    file = project.path.parent / "min"
    for content in ("id,text\n1,茶\n", '[{"id": 1, "text": "茶", "level": "4"}]'):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match="choose the format JSON there"):
            run("receive", "label-studio", str(file), "-p", str(project.path))
    with pytest.raises(InputError, match="cannot be read"):
        run("receive", "doccano", str(Path("nowhere.jsonl")), "-p", str(project.path))


def test_why_something_is_not_taken_is_said_in_chinese_too(project: Project) -> None:
    file = project.path.parent / "mei.jsonl"
    lines = [LINE | {"text": "另一段话"}, LINE | {"cats": []}, LINE | {"cats": ["4"]}]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    use_language("zh")
    shown = run("receive", "doccano", str(file), "-p", str(project.path)).stdout
    assert all(why in shown for why in ("不是本项目中的帖子", "没有选高或低"))
    assert not re.search("[a-z]{4}", shown.replace("mei.jsonl", ""))


@pytest.mark.parametrize("tool", ["label-studio", "doccano", "argilla"])
def test_what_goes_out_is_its_owners_alone(project: Project, tool: str) -> None:
    out = project.path.parent / "out.json"
    run("send", tool, str(out), "-p", str(project.path))
    assert out.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="exists already"):
        run("send", tool, str(out), "-p", str(project.path))


def test_a_line_that_cannot_be_read_is_named(project: Project) -> None:
    broken = Skipped("a.jsonl:2", "not a complete JSON object")
    for found in (doccano.read([broken], "mei"), argilla.read([broken])):
        assert [*found] == [Foreign("a.jsonl:2", problem="not a complete JSON object")]
