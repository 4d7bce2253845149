"""Tasks out to other annotation tools and their annotations back in: Label Studio's JSON, and JSONL as doccano and Argilla read.

In Label Studio the labelling interface needs the names in `LABEL_STUDIO`: a Choices "level" (0–10), a Choices "high",
and Labels "spans" over the Text "text".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, select, update

from shouwang.annotate.comparison import final
from shouwang.annotate.labels import Label, label_of
from shouwang.annotate.project import POSTS, RATINGS, Project, add_rating
from shouwang.errors import InputError
from shouwang.scale import HIGH_NAMES, INDICATORS, LEVELS

LABEL_STUDIO = """\
<View>
  <Labels name="spans" toName="text">{labels}</Labels>
  <Text name="text" value="$text"/>
  <Choices name="level" toName="text" required="true" showInline="true">{levels}</Choices>
  <Choices name="high" toName="text" required="true" showInline="true">{highs}</Choices>
</View>
"""


def label_studio_interface() -> str:
    """The labelling interface to paste into a Label Studio project."""
    return LABEL_STUDIO.format(
        labels="".join(f'<Label value="{name}"/>' for name in INDICATORS),
        levels="".join(f'<Choice value="{each.value}"/>' for each in LEVELS),
        highs="".join(f'<Choice value="{words.en}"/>' for words in HIGH_NAMES.values()),
    )


@dataclass(slots=True)
class Received:
    """Annotations that joined the project, and those that did not, by reason."""

    ratings: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def label_studio_tasks(project: Project) -> list[dict[str, Any]]:
    """Every post as a task; the newest rating of each model as a prediction."""
    predictions: dict[str, dict[str, Any]] = {post.id: {} for post in project.posts()}
    for each in project.ratings():
        if each.stage == "llm" and each.label is not None:
            predictions[each.post][each.who] = {"model_version": each.who, "result": _results(each.label)}
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


def from_label_studio(project: Project, tasks: Iterable[Mapping[str, Any]]) -> Received:
    """Annotations of an export ("JSON") as blind ratings, signed with who made them; importing again adds nothing."""
    found = Received()
    texts = {post.id: post.text for post in project.posts()}
    with project.writing() as connection:
        for task in tasks:
            data = task.get("data") or {}
            post = str(data.get("id", ""))
            if data.get("text") is None or texts.get(post) != data["text"]:
                found.left_out["not a post of this project"] += 1
                continue
            for each in task.get("annotations") or []:
                if each.get("was_cancelled"):
                    found.left_out["skipped by its annotator"] += 1
                    continue
                who = f"label-studio:{_who(each.get('completed_by'))}"
                there = select(exists().where(RATINGS.c.post == post, RATINGS.c.who == who)).scalar_subquery()
                if connection.execute(select(there)).scalar():
                    found.left_out["there already"] += 1
                    continue
                try:
                    label = label_of(_row(each.get("result") or [], texts[post]), len(texts[post]))
                except InputError as error:
                    found.left_out[str(error)] += 1
                    continue
                add_rating(connection, post, who, "blind", label)
                connection.execute(update(POSTS).where(POSTS.c.id == post).values(rated=POSTS.c.rated + 1))
                found.ratings += 1
    return found


def _who(completed_by: object) -> str:
    return str(completed_by.get("id", "?")) if isinstance(completed_by, dict) else str(completed_by)


def _row(results: Iterable[Mapping[str, Any]], text: str) -> dict[str, Any]:
    row: dict[str, Any] = {"spans": []}
    highs = {words.en: value for value, words in HIGH_NAMES.items()}
    for each in results:
        value = each.get("value") or {}
        chosen = (value.get("choices") or [""])[0]
        if each.get("from_name") == "level" and str(chosen).isdecimal():
            row["level"] = int(chosen)
        elif each.get("from_name") == "high":
            row["high"] = highs.get(chosen)
        elif each.get("from_name") == "spans":
            row["spans"] += [[*_place(value, text), name] for name in value.get("labels") or []]
    return row


def _place(value: Mapping[str, Any], text: str) -> tuple[object, object]:
    """Offsets in characters; where the quoted words do not stand there, they were counted in UTF-16 units."""
    start, end = value.get("start"), value.get("end")
    if not (isinstance(start, int) and isinstance(end, int)) or value.get("text") in (None, text[start:end]):
        return start, end
    units = text.encode("utf-16-le")
    before, words = units[: 2 * start].decode("utf-16-le", "replace"), units[2 * start : 2 * end]
    return len(before), len(before) + len(words.decode("utf-16-le", "replace"))


def jsonl_rows(project: Project) -> Iterator[dict[str, Any]]:
    """One post a line with the label that stands, if any: `label` holds spans as [start, end, name]."""
    stands = final(project.ratings(), project.raters)
    for post in project.posts():
        label = stands[post.id][0] if post.id in stands else None
        meta = {"level": label.level, "high": label.high} if label else {}
        spans = [[span.start, span.end, span.indicator] for span in label.spans] if label else []
        yield {"id": post.id, "text": post.text, "label": spans, "meta": meta}
