"""From which probability a post counts as high: thresholds by name, and what each one costs and misses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shouwang import lookup
from shouwang.errors import InputError
from shouwang.language import say

Group = Literal["high", "low", "everyday"]
GROUPS: tuple[Group, ...] = get_args(Group)
Floats = NDArray[np.float64]

BALANCED = "balanced"
RESTS: dict[str, Group] = {"everyday": "everyday", "tree-hole": "low"}
"""What the posts of a stream are that are not high: ordinary posts, or low posts as a tree hole holds them."""

SHARES: Floats = np.sin(np.linspace(0, np.pi / 2, 101)) ** 2
"""The 101 shares of posts whose quantiles are kept: dense at both ends (0.025% apart), where thresholds fall."""

DECIMALS = 6
_WORKLOAD = re.compile(r"workload=([0-9]+)/([0-9]+)")


@dataclass(frozen=True, slots=True)
class Stream:
    """A mixture of posts: a share `base_rate` (0–1) is high, the others are of the kind `rest` (see `RESTS`)."""

    base_rate: float = 0.02
    rest: str = "everyday"

    def __post_init__(self) -> None:
        lookup.get(RESTS, self.rest, "kind of posts")
        if not 0 <= self.base_rate <= 1:
            raise InputError(
                say(
                    f"base rate {self.base_rate}: expected the share of high posts, 0 to 1 (0.02 is 2%)",
                    f"占比 {self.base_rate}：应是高风险帖子的占比，0 到 1（0.02 即 2%）",
                )
            )


@dataclass(frozen=True, slots=True)
class PerThousand:
    """Posts of a thousand: flagged in all, flagged though not high, high but not flagged."""

    flagged: float
    false_alarms: float
    missed: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on p_high, and the shares (0–1) of high, low and everyday posts that it flags; None where unknown."""

    name: str
    threshold: float
    recall: float | None = None
    flagged_low: float | None = None
    flagged_everyday: float | None = None

    def per_thousand(self, stream: Stream) -> PerThousand | None:
        """What to expect of a thousand posts of that stream; None where a share is unknown."""
        rest = self.flagged_everyday if RESTS[stream.rest] == "everyday" else self.flagged_low
        if self.recall is None or rest is None:
            return None
        found = 1000 * stream.base_rate * self.recall
        false_alarms = 1000 * (1 - stream.base_rate) * rest
        return PerThousand(found + false_alarms, false_alarms, 1000 * stream.base_rate - found)


@dataclass(frozen=True, slots=True)
class Curve:
    """How p_high is spread over one group of posts: its `quantiles` at `SHARES`, lowest first."""

    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, p_high: Floats) -> Curve:
        """The curve of that group's probabilities."""
        return cls(tuple(np.quantile(p_high, SHARES).round(DECIMALS).tolist()))

    def flagged(self, thresholds: ArrayLike) -> Floats:
        """The share of posts at or above each threshold, linear between quantiles."""
        below = np.negative(self.quantiles)[::-1]
        return np.asarray(np.interp(np.negative(thresholds), below, (1 - SHARES)[::-1], left=0, right=1))


@dataclass(frozen=True, slots=True)
class Operating:
    """The operating points that were measured, the one in use unless another is named, and the curves behind them.

    `stream` is what numbers are stated for unless another stream is named.
    """

    points: Mapping[str, OperatingPoint]
    curves: Mapping[Group, Curve]
    default: str = BALANCED
    stream: Stream = field(default_factory=Stream)

    def point(self, name: str, stream: Stream | None = None) -> OperatingPoint:
        """The point of that name; "workload=200/1000" is the one that flags 200 of 1000 posts of the stream.

        Raises InputError for an unknown name or a workload that cannot be.
        """
        if name.startswith("workload"):
            return self._workload(name, stream or self.stream)
        return lookup.get(self.points, name, "operating point")

    def at(self, threshold: float, name: str = "") -> OperatingPoint:
        """The point of any threshold, its shares read from the curves."""
        return OperatingPoint(name, threshold, *(float(self.curves[group].flagged(threshold)) for group in GROUPS))

    def _workload(self, name: str, stream: Stream) -> OperatingPoint:
        found = _WORKLOAD.fullmatch(name)
        read, of = map(int, found.groups()) if found else (0, 0)
        if not 0 < read <= of:
            raise InputError(
                say(
                    f"operating point '{name}': expected workload=POSTS/OF in whole numbers, POSTS from 1 up to OF, "
                    "for example workload=200/1000",
                    f"工作点“{name}”：应写成 workload=标出条数/总条数，都是整数，前者从 1 到后者，如 workload=200/1000",
                )
            )
        high, rest = self.curves["high"], self.curves[RESTS[stream.rest]]
        thresholds = np.unique([0.0, *high.quantiles, *rest.quantiles])
        flagged = stream.base_rate * high.flagged(thresholds) + (1 - stream.base_rate) * rest.flagged(thresholds)
        return self.at(float(np.interp(read / of, flagged[::-1], thresholds[::-1])), name)

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return {
            "points": {
                name: {k: v for k, v in asdict(each).items() if k != "name"} for name, each in self.points.items()
            },
            "default": self.default,
            "curves": {group: list(curve.quantiles) for group, curve in self.curves.items()},
            "base_rate": {"high": self.stream.base_rate, "rest": self.stream.rest},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Operating:
        """What `to_json` laid out."""
        return cls(
            {name: OperatingPoint(name, **each) for name, each in found["points"].items()},
            {group: Curve(tuple(found["curves"][group])) for group in GROUPS},
            found["default"],
            Stream(found["base_rate"]["high"], found["base_rate"]["rest"]),
        )


def from_scores(high: ArrayLike, low: ArrayLike, everyday: ArrayLike, balanced_threshold: float) -> Operating:
    """Operating points from p_high (0–1) of high, low and everyday posts, each by a model that had not seen it.

    `balanced_threshold` is the one that serves high and low posts best. Raises InputError when a group is empty.
    """
    scores = dict(zip(GROUPS, (np.asarray(each, np.float64) for each in (high, low, everyday)), strict=True))
    for group, p_high in scores.items():
        if not p_high.size:
            raise InputError(f"no {group} posts; operating points need probabilities of high, low and everyday posts")
    thresholds = {
        "recall95": _keeping(scores["high"], 0.95),
        "recall99": _keeping(scores["high"], 0.99),
        BALANCED: balanced_threshold,
    }
    points = {
        name: OperatingPoint(name, threshold, *(float((p >= threshold).mean()) for p in scores.values()))
        for name, threshold in thresholds.items()
    }
    return Operating(points, {group: Curve.of(p_high) for group, p_high in scores.items()})


def _keeping(p_high: Floats, share: float) -> float:
    """The highest threshold (of six decimals) that at least that share of the posts reaches."""
    reaching = math.ceil(share * len(p_high) - 1e-9)
    highest = float(np.sort(p_high)[-reaching])
    return math.floor(highest * 10.0**DECIMALS) / 10.0**DECIMALS
