"""doccano: JSONL of a project of the kind "Intent detection and slot filling", out and in.

Categories ("cats") are a level, "0" to "10", and "high" or "low"; spans ("entities") are named after indicators. The
other kinds of project export either under "label".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shouwang.annotate.comparison import final
from shouwang.annotate.interchange.receiving import HIGHS, NOT_ANNOTATED, Foreign, listed, only
from shouwang.annotate.project import Project
from shouwang.errors import InputError
from shouwang.posts import Row, Skipped
from shouwang.scale import HIGH_NAMES


def rows(project: Project) -> Iterator[dict[str, Any]]:
    """One post a line with the label that stands, if any."""
    stands = final(project.ratings(), project.raters)
    for post in project.posts():
        label = stands[post.id][0] if post.id in stands else None
        cats = [str(label.level), HIGH_NAMES[label.high].en] if label else []
        entities = [[span.start, span.end, span.indicator] for span in label.spans] if label else []
        yield {"id": post.id, "text": post.text, "entities": entities, "cats": cats}


def read(lines: Iterable[Row | Skipped], who: str) -> Iterator[Foreign]:
    """What a file says of its texts; doccano exports one file for each annotator, who stands nowhere in it."""
    for line in lines:
        if isinstance(line, Skipped):
            yield Foreign(line.where, problem=line.reason)
            continue
        record = str(line.values.get("id", line.where))
        found = [each for name in ("cats", "entities", "label", "labels") for each in listed(line.values.get(name))]
        if not found:
            yield Foreign(record, problem=NOT_ANNOTATED)
            continue
        try:
            yield Foreign(record, str(line.values.get("text", "")), f"doccano:{who}", _row(found))
        except InputError as error:
            yield Foreign(record, problem=str(error))


def _row(found: list[Any]) -> dict[str, Any]:
    cats = [each for each in found if isinstance(each, str)]
    return {
        "level": only(int(each) for each in cats if each.isdecimal()),
        "high": only(HIGHS[each] for each in cats if each in HIGHS),
        "spans": [_span(each) for each in found if not isinstance(each, str)],
    }


def _span(found: Any) -> Any:
    """doccano writes [start, end, name], or an object where relations are annotated, too."""
    if isinstance(found, dict):
        return [found.get("start_offset"), found.get("end_offset"), found.get("label")]
    return found
