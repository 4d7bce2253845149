"""Label Studio: tasks with models' ratings as predictions out, its export in the format JSON back in.

Its labelling interface needs the names in `INTERFACE`: Choices "level" (0–10), Choices "high" and Labels "spans" over
the Text "text".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shouwang.annotate.interchange.receiving import HIGHS, SKIPPED, Foreign, listed, mapping
from shouwang.annotate.labels import Label, suggestions
from shouwang.annotate.project import Project
from shouwang.scale import HIGH_NAMES, INDICATORS, LEVELS

INTERFACE = """\
<View>
  <Labels name="spans" toName="text">{labels}</Labels>
  <Text name="text" value="$text"/>
  <Choices name="level" toName="text" required="true" showInline="true">{levels}</Choices>
  <Choices name="high" toName="text" required="true" showInline="true">{highs}</Choices>
</View>
"""


def interface() -> str:
    """The labelling interface to paste into a Label Studio project."""
    return INTERFACE.format(
        labels="".join(f'<Label value="{name}"/>' for name in INDICATORS),
        levels="".join(f'<Choice value="{each.value}"/>' for each in LEVELS),
        highs="".join(f'<Choice value="{words.en}"/>' for words in HIGH_NAMES.values()),
    )


def tasks(project: Project) -> list[dict[str, Any]]:
    """Every post as a task; the newest rating of each model as a prediction, unless the post speaks to the rater."""
    predictions: dict[str, dict[str, Any]] = {post.id: {} for post in project.posts()}
    for each, label in suggestions(project.ratings()):
        predictions[each.post][each.who] = {"model_version": each.who, "result": _results(label)}
    return [
        {"data": {"id": post.id, "text": post.text}, "predictions": [*predictions[post.id].values()]}
        for post in project.posts()
    ]


def _results(label: Label) -> list[dict[str, Any]]:
    def choice(name: str, value: str) -> dict[str, Any]:
        return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [value]}}

    marks = [
        {
            "from_name": "spans",
            "to_name": "text",
            "type": "labels",
            "value": {"start": span.start, "end": span.end, "labels": [span.indicator]},
        }
        for span in label.spans
    ]
    return [choice("level", str(label.level)), choice("high", HIGH_NAMES[label.high].en), *marks]


def read(exported: Iterable[Mapping[str, Any]]) -> Iterator[Foreign]:
    """Every annotation in an export; one that began from a prediction is not blind."""
    for number, task in enumerate(exported, 1):
        data = mapping(task.get("data"))
        record, text = str(data.get("id") or f"task {task.get('id', number)}"), str(data.get("text", ""))
        for each in map(mapping, listed(task.get("annotations"))):
            if each.get("was_cancelled"):
                yield Foreign(record, problem=SKIPPED)
                continue
            who = f"label-studio:{_who(each.get('completed_by'))}"
            suggested = each.get("parent_prediction") is not None
            yield Foreign(record, text, who, _row(map(mapping, listed(each.get("result"))), text), suggested)


def _who(completed_by: object) -> str:
    return str(completed_by.get("id", "?")) if isinstance(completed_by, dict) else str(completed_by)


def _row(results: Iterable[Mapping[str, Any]], text: str) -> dict[str, Any]:
    row: dict[str, Any] = {"spans": []}
    for each in results:
        value = mapping(each.get("value"))
        chosen = str(next(iter(listed(value.get("choices"))), ""))
        if each.get("from_name") == "level" and chosen.isdecimal():
            row["level"] = int(chosen)
        elif each.get("from_name") == "high":
            row["high"] = HIGHS.get(chosen)
        elif each.get("from_name") == "spans":
            row["spans"] += [[*_place(value, text), name] for name in listed(value.get("labels"))]
    return row


def _place(value: Mapping[str, Any], text: str) -> tuple[object, object]:
    """Offsets in characters; where the quoted words do not stand there, they were counted in UTF-16 units."""
    start, end = value.get("start"), value.get("end")
    if not (isinstance(start, int) and isinstance(end, int)) or value.get("text") in (None, text[start:end]):
        return start, end
    units = text.encode("utf-16-le")
    before, words = units[: 2 * start].decode("utf-16-le", "replace"), units[2 * start : 2 * end]
    return len(before), len(before) + len(words.decode("utf-16-le", "replace"))
