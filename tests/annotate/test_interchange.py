"""The JSON that Label Studio takes and gives, and JSONL for others; against its documented shapes, not a running one."""

from __future__ import annotations

from typing import Any

from shouwang.annotate import rating
from shouwang.annotate.interchange import from_label_studio, jsonl_rows, label_studio_interface, label_studio_tasks
from shouwang.annotate.labels import Span
from shouwang.annotate.project import Project, add_rating
from shouwang.posts import Post
from tests.annotate.invented import add, label

WISH = label(4, spans=(Span(0, 4, "wish"),), indicators=frozenset({"wish"}))


def annotated(project: Project, post: str, results: list[dict[str, Any]], person: object = 7) -> list[dict[str, Any]]:
    (task,) = [task for task in label_studio_tasks(project) if task["data"]["id"] == post]
    return [task | {"annotations": [{"completed_by": person, "was_cancelled": False, "result": results}]}]


def test_what_goes_out_as_a_prediction_comes_back_as_the_same_label(project: Project) -> None:
    with project.writing() as connection:
        add_rating(connection, "p-3", "llm:m/levels@1", "llm", WISH, {"votes": [4]})
    task = label_studio_tasks(project)[2]
    prediction = task["predictions"][0]
    assert (task["data"]["id"], prediction["model_version"]) == ("p-3", "llm:m/levels@1")
    names = {result["from_name"] for result in prediction["result"]}
    assert all(f'name="{name}"' in label_studio_interface() for name in names)
    back = annotated(project, "p-3", prediction["result"])
    assert from_label_studio(project, back).ratings == 1
    (found,) = [each for each in project.ratings("p-3") if each.stage == "blind"]
    assert (found.who, found.label) == ("label-studio:7", WISH)
    assert from_label_studio(project, back).left_out == {"there already": 1}


def test_offsets_after_an_emoji_are_understood_either_way(project: Project) -> None:
    add(project, [Post("e", "😭😭不想活了")])
    for person, start in ((1, 2), (2, 4)):  # characters; UTF-16 units
        mark = {"start": start, "end": start + 4, "text": "不想活了", "labels": ["wish"]}
        results = [
            {"from_name": "level", "value": {"choices": ["4"]}},
            {"from_name": "high", "value": {"choices": ["low"]}},
            {"from_name": "spans", "value": mark},
        ]
        from_label_studio(project, annotated(project, "e", results, {"id": person}))
    spans = [each.label.spans for each in project.ratings("e") if each.label]
    assert spans == [(Span(2, 6, "wish"),)] * 2


def test_what_cannot_be_taken_is_counted_with_the_reason(project: Project) -> None:
    other: list[dict[str, Any]] = [{"data": {"id": "p-1", "text": "另一段话"}, "annotations": []}, {"data": {}}]
    incomplete = annotated(project, "p-1", [{"from_name": "level", "value": {"choices": ["3"]}}])
    skipped = [{**incomplete[0], "annotations": [{"was_cancelled": True}]}]
    found = from_label_studio(project, [*other, *incomplete, *skipped])
    assert found.ratings == 0
    assert sorted(found.left_out.values()) == [1, 1, 2]


def test_jsonl_holds_the_label_that_stands(project: Project) -> None:
    for who in ("user:1", "user:2"):
        rating.save(project, 3, who, WISH)
    rows = {row["id"]: row for row in jsonl_rows(project)}
    assert rows["p-3"]["label"] == [[0, 4, "wish"]]
    assert rows["p-3"]["meta"] == {"level": 4, "high": False}
    assert (rows["p-1"]["label"], rows["p-1"]["meta"]) == ([], {})
