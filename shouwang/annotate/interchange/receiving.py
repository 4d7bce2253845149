"""Annotations of another tool into the project: one rating per person and post, or a reason why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, update

from shouwang.annotate.labels import Label, label_of
from shouwang.annotate.project import POSTS, Project, add_rating
from shouwang.errors import InputError
from shouwang.language import Words, say
from shouwang.scale import HIGH_NAMES

NOT_HERE = Words("its text is no post of this project", "其正文不是本项目中的帖子")
NOT_ANNOTATED = Words("not annotated", "没有标注")
SKIPPED = Words("skipped by its annotator", "标注者跳过了")
THERE = Words("there already", "已经有了")
CHANGED = Words(
    "rated before by the same person, differently: the first rating stays", "同一人先前标得不同：保留先前的标注"
)

HIGHS = {name: value for value, words in HIGH_NAMES.items() for name in (words.en, words.zh)}
"""What the choice of high or low is called in other tools."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What one person says of one text in another tool, or the `problem` with it.

    `record` names it in messages; `row` is a label as `label_of` reads it; `suggested` where the person saw a model's
    rating before their own: such a rating is not blind.
    """

    record: str
    text: str = ""
    who: str = ""
    row: Mapping[str, Any] = field(default_factory=dict)
    suggested: bool = False
    problem: str | Words = ""


@dataclass(slots=True)
class Received:
    """How many ratings joined the project, and the records that did not, by reason."""

    ratings: int = 0
    left_out: dict[str | Words, list[str]] = field(default_factory=lambda: defaultdict(list))


def receive(project: Project, annotations: Iterable[Foreign]) -> Received:
    """Add them in one transaction, signed with who made them; what is there already is not added again."""
    found = Received()
    posts = {post.text: post.id for post in project.posts()}
    with project.writing() as connection:
        people = [each for each in project.ratings() if each.stage in ("blind", "after") and each.label]
        said = {(each.post, each.who): each.label for each in people if each.label}
        for each in annotations:
            if problem := each.problem or _add(connection, posts, said, each):
                found.left_out[problem].append(each.record)
            else:
                found.ratings += 1
    return found


def _add(
    connection: Connection, posts: Mapping[str, str], said: dict[tuple[str, str], Label], annotation: Foreign
) -> str | Words:
    """The reason why an annotation is not added; nothing where it was."""
    post = posts.get(annotation.text)
    if post is None:
        return NOT_HERE
    try:
        label = label_of(annotation.row, len(annotation.text))
    except InputError as error:
        return str(error)
    key = post, annotation.who
    if key in said:
        return THERE if said[key] == label else CHANGED
    add_rating(connection, post, annotation.who, "after" if annotation.suggested else "blind", label)
    connection.execute(update(POSTS).where(POSTS.c.id == post).values(rated=POSTS.c.rated + 1))
    said[key] = label
    return ""


def only(values: Iterable[Any]) -> Any:
    """The value in an iterable of one; None where there is none. Raises InputError where there are several."""
    found = list(dict.fromkeys(values))
    if len(found) > 1:
        raise InputError(
            say(
                "more than one level is chosen, or both high and low; correct it there and export again",
                "选了不止一个等级，或高低都选了；请在那里改正后重新导出",
            )
        )
    return found[0] if found else None


def mapping(found: object) -> Mapping[str, Any]:
    """The object in a file of another tool; an empty one where something else stands."""
    return found if isinstance(found, dict) else {}


def listed(found: object) -> list[Any]:
    """The list in a file of another tool; an empty one where something else stands."""
    return found if isinstance(found, list) else []
