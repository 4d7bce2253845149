"""Argilla: records as `rg.Record.from_dict` reads and `to_dict` writes them, one a line, or in a list as `to_json` does.

Questions: "level" (label or rating, 0–10), "high" (label: high, low), "spans" (spans over the field "text", named after
indicators). The newest rating by a model goes out as a suggestion.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shouwang.annotate.interchange.receiving import HIGHS, NOT_ANNOTATED, Foreign, listed, mapping
from shouwang.annotate.labels import Label, suggestions
from shouwang.annotate.project import Project
from shouwang.posts import Row, Skipped
from shouwang.scale import HIGH_NAMES

_NOT_IN_AGENTS = re.compile(r"[^\w:./\s-]", re.ASCII)  # what Argilla refuses in a name


def records(project: Project) -> Iterator[dict[str, Any]]:
    """One post a line."""
    newest = {each.post: (each.who, label) for each, label in suggestions(project.ratings())}
    for post in project.posts():
        yield {
            "id": post.id,
            "fields": {"text": post.text},
            "metadata": {},
            "suggestions": _suggestions(*newest[post.id]) if post.id in newest else {},
            "responses": {},
            "vectors": {},
        }


def _suggestions(who: str, label: Label) -> dict[str, Any]:
    agent = _NOT_IN_AGENTS.sub(":", who)[:200]
    spans = [{"start": span.start, "end": span.end, "label": span.indicator} for span in label.spans]
    values = {"level": str(label.level), "high": HIGH_NAMES[label.high].en, "spans": spans}
    return {name: {"value": value, "score": None, "agent": agent} for name, value in values.items()}


def read(lines: Iterable[Row | Skipped]) -> Iterator[Foreign]:
    """Every person's responses; a person who was shown a suggestion did not rate blind."""
    for line in lines:
        if isinstance(line, Skipped):
            yield Foreign(line.where, problem=line.reason)
            continue
        record = str(line.values.get("id", line.where))
        text = str(mapping(line.values.get("fields")).get("text", ""))
        given = _by_person(mapping(line.values.get("responses")))
        suggested = bool(mapping(line.values.get("suggestions")))
        if not given:
            yield Foreign(record, problem=NOT_ANNOTATED)
        for person, answers in given.items():
            yield Foreign(record, text, f"argilla:{person}", _row(answers), suggested)


def _by_person(responses: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Answers by person and question; drafts and what somebody discarded are no answers."""
    given: dict[str, dict[str, Any]] = defaultdict(dict)
    for question, answers in responses.items():
        for each in map(mapping, listed(answers)):
            if each and each.get("status", "submitted") == "submitted":
                given[str(each.get("user_id", "?"))][question] = each.get("value")
    return given


def _row(answers: Mapping[str, Any]) -> dict[str, Any]:
    level = str(answers.get("level"))
    return {
        "level": int(level) if level.isdecimal() else None,
        "high": HIGHS.get(str(answers.get("high"))),
        "spans": [
            [span.get("start"), span.get("end"), span.get("label")]
            for span in listed(answers.get("spans"))
            if isinstance(span, dict)
        ],
    }
