"""The records that every room exchanges, and how each is laid out as a row of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shouwang import scale
from shouwang.errors import FileError
from shouwang.language import say
from shouwang.scale import Indicator


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands in its file; `where` is "file:line"."""

    where: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Post:
    """One post as somebody wrote it."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class LabelledPost(Post):
    """A post with what people said of it; None where they did not."""

    level: int | None = None
    high: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Characters `start` up to `end` of the input text, and how much they add to an indicator (log-odds, > 0).

    In a blend they are what its linear member says, before the mixture. For "high" they are where no indicator has any in
    a post that is flagged, as with a model that was trained for high/low alone.
    """

    start: int
    end: int
    indicator: Indicator | Literal["high"]
    weight: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a model says of one post.

    `probabilities` holds one number per level and sums to 1; `p_high` and every indicator lie in 0–1.
    `scope` is "ok", or says why there is nothing to rely on ("no-words", "no-chinese"): then `high` is False,
    `level_set` empty and `uncertain` True, since such a post has no answer at all and must not pass for a sure low.
    `level_set` holds the levels that the model does not rule out at its stated coverage, lowest first; `uncertain`
    says that both high and low are still possible at that coverage. A model without them gives () and False.
    A model that was trained for high/low alone gives no level: None, and no `probabilities`. An indicator of which a
    model can say nothing is not in `indicators`.
    """

    id: str
    level: int | None
    probabilities: tuple[float, ...]
    high: bool
    p_high: float
    indicators: Mapping[Indicator, float]
    model: str
    evidence: tuple[Evidence, ...] = ()
    scope: str = "ok"
    level_set: tuple[int, ...] = ()
    uncertain: bool = False

    @property
    def level_name(self) -> str | None:
        return None if self.level is None else str(scale.level(self.level).name)

    @property
    def expected_level(self) -> float | None:
        return scale.expected_level(self.probabilities) if self.probabilities else None

    def to_row(self) -> dict[str, object]:
        """The assessment as JSON types, in the order that files keep."""
        return {
            "id": self.id,
            "level": self.level,
            "level_name": self.level_name,
            "level_set": list(self.level_set),
            "probabilities": [round(p, 6) for p in self.probabilities] or None,
            "expected_level": None if self.expected_level is None else round(self.expected_level, 4),
            "high": self.high,
            "p_high": round(self.p_high, 6),
            "uncertain": self.uncertain,
            "indicators": {name: round(strength, 4) for name, strength in self.indicators.items()},
            "evidence": [
                {"start": e.start, "end": e.end, "indicator": e.indicator, "weight": round(e.weight, 4)}
                for e in self.evidence
            ],
            "scope": self.scope,
            "model": self.model,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Assessment:
        """The assessment that `to_row` laid out (probabilities are as precise as the row's).

        A row from before there were level sets has none.
        """
        return cls(
            **{name: row[name] for name in ("id", "level", "high", "p_high", "indicators", "model", "scope")},
            probabilities=tuple(row["probabilities"] or ()),
            evidence=tuple(Evidence(**each) for each in row["evidence"]),
            level_set=tuple(row.get("level_set", ())),
            uncertain=row.get("uncertain", False),
        )


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that could not be read: where it stands, what is wrong, what to do."""

    where: str
    reason: str
    fix: str = field(default="")

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"

    @property
    def what(self) -> str:
        """The reason and the fix."""
        return self.reason + (say("; ", "；") + self.fix if self.fix else "")

    def whole(self, lead: str = "") -> FileError:
        """The error that the file cannot be read at all, which this record shows."""
        file, _, line = self.where.rpartition(":")
        return FileError(file, lead + self.what, line)
