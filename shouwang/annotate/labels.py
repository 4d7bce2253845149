"""What one annotator said of one post."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shouwang import scale
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.scale import HIGH_FROM, INDICATORS, Indicator

Stage = Literal["blind", "after", "llm", "adjudicated"]
"""When it was said: by a person before and after seeing a suggestion, by a language model, by who settled it."""

STAGES: tuple[Stage, ...] = get_args(Stage)
LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` up to `end` of the post, and what they express."""

    start: int
    end: int
    indicator: Indicator


@dataclass(frozen=True, slots=True)
class Label:
    """A judgement. `high` is asked for separately: it is no cut of the levels."""

    level: int
    high: bool
    indicators: frozenset[Indicator] = frozenset()
    spans: tuple[Span, ...] = ()
    unsure: bool = False
    note: str = ""

    def judgement(self) -> dict[str, object]:
        """All but the note, as JSON types: what the ledger may hold."""
        return {
            "level": self.level,
            "high": self.high,
            "indicators": [name for name in INDICATORS if name in self.indicators],
            "spans": [[span.start, span.end, span.indicator] for span in self.spans],
            "unsure": self.unsure,
        }


@dataclass(frozen=True, slots=True)
class Rating:
    """Who gave which label to which post, and when. `label` is None where a model gave none: `data` says why."""

    number: int
    at: str
    post: str
    who: str
    stage: Stage
    label: Label | None
    data: Mapping[str, Any] = field(default_factory=dict)


def suggestions(ratings: Iterable[Rating]) -> Iterator[tuple[Rating, Label]]:
    """What may be shown to people elsewhere before they rate: models' labels of posts that speak to no rater.

    One model that notices is enough: another, which does what the post says, does not.
    """
    by_models = [each for each in ratings if each.stage == "llm"]
    marked = {each.post for each in by_models if each.data.get("instructs")}
    yield from ((each, each.label) for each in by_models if each.label is not None and each.post not in marked)


def label_of(row: Mapping[str, Any], length: int) -> Label:
    """The label in a mapping of JSON types, for a post of so many characters.

    Raises InputError that says what is wrong: a level outside the scale, no high/low, an unknown indicator, a span
    that does not lie in the post.
    """
    value, high = row.get("level"), row.get("high")
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(say("no level chosen; give 0–10", "没有选等级；请选 0–10"))
    scale.level(value)
    if not isinstance(high, bool):
        raise InputError(say("high or low is not chosen; it is a question of its own", "没有选高或低；这要另行判断"))
    indicators = row.get("indicators") or []
    if unknown := [name for name in indicators if name not in INDICATORS]:
        name, there = str(unknown[0])[:20], ", ".join(INDICATORS)
        raise InputError(say(f"unknown indicator '{name}'; there are: {there}", f"没有指标“{name}”；可用的有：{there}"))
    spans = tuple(sorted({_span(each, length) for each in row.get("spans") or []}))
    marked = frozenset(span.indicator for span in spans)
    note = str(row.get("note") or "").replace("\r\n", "\n").strip()  # as browsers count characters
    if len(note) > LONGEST_NOTE:
        raise InputError(
            say(
                f"the note has {len(note)} characters; {LONGEST_NOTE} are the most",
                f"备注有 {len(note)} 字；最多 {LONGEST_NOTE} 字",
            )
        )
    return Label(value, high, frozenset(indicators) | marked, spans, bool(row.get("unsure")), note)


def _span(found: object, length: int) -> Span:
    match found:
        case [int(start), int(end), str(indicator)] if indicator in INDICATORS and 0 <= start < end <= length:
            return Span(start, end, indicator)
    raise InputError(
        say(
            "a marked span does not lie in the post, or marks no known indicator",
            "有一处标记不在帖子之内，或不属于已知的指标",
        )
    )


def spans_json(label: Label) -> str:
    return json.dumps([[span.start, span.end, span.indicator] for span in label.spans])


def apart(one: Label, other: Label) -> bool:
    """Whether two labels are so far apart that somebody must decide: two levels or more, or across high and low."""
    return abs(one.level - other.level) >= 2 or one.high != other.high


def consensus(labels: Sequence[Label]) -> Label | None:
    """What labels that are nowhere `apart` come to; None when they are, or when there is none.

    The level is the median, upwards where it falls between two, since a missed post costs more than a false alarm;
    an indicator is expressed where half or more say so; spans are everybody's.
    """
    if not labels or any(apart(one, other) for one in labels for other in labels):
        return None
    ordered = sorted(label.level for label in labels)
    return Label(
        ordered[len(ordered) // 2],
        labels[0].high,
        majority(labels),
        tuple(sorted({span for label in labels for span in label.spans})),
        any(label.unsure for label in labels),
    )


def majority(labels: Sequence[Label]) -> frozenset[Indicator]:
    return frozenset(name for name in INDICATORS if 2 * sum(name in x.indicators for x in labels) >= len(labels))


def high_of(level: int) -> bool:
    """The cut that stands in where nobody was asked for high or low."""
    return level >= HIGH_FROM
