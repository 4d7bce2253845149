"""Who agrees with whom: people among themselves, models with people, blind and in the end; and what a suggestion does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from shouwang.annotate.agreement import (
    AMONG,
    BETWEEN,
    coincidences,
    confusions,
    difference,
    measured,
    met,
    on_each,
    quadratic_kappa,
)
from shouwang.annotate.labels import Label, Rating, Stage, consensus
from shouwang.kappa import ratio
from shouwang.resampling import RESAMPLES, Floats, Interval
from shouwang.scale import INDICATORS, LEVELS

PEOPLE = "people"
SETTLED = "settled"
BY_LEVEL = on_each(len(LEVELS))
TWO_VALUED = ("percentage", "kappa", "alpha-nominal")

Given = Mapping[str, Mapping[str, Label]]
"""Labels by annotator and post."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides (the same name twice: among its members) over the `posts` on which they meet.

    `stage` is "blind" or "end"; `levels` holds the statistics of `agreement`, `high` and each indicator those of two
    values, `by_level` the specific agreement on each level (nan where neither side gave it).
    """

    left: str
    right: str
    stage: str
    posts: int
    levels: Mapping[str, Interval]
    high: Mapping[str, Interval]
    indicators: Mapping[str, Mapping[str, Interval]]
    by_level: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Anchoring:
    """What seeing a suggestion did: ratings that were revealed, that changed, and that moved towards or away from it.

    The suggestion is the one that was there then: what another model says later was not seen. `kappa` is how much quadratic kappa with the suggestion grew, on the same posts.
    """

    revealed: int
    changed: int
    towards: int
    away: int
    kappa: Interval


@dataclass(frozen=True, slots=True)
class Agreement:
    """The whole report; `settled` counts posts with a final label."""

    posts: int
    settled: int
    comparisons: tuple[Comparison, ...]
    anchoring: Anchoring

    def to_row(self) -> dict[str, Any]:
        """As JSON types: what is not defined is None."""
        row: dict[str, Any] = _without_nan(asdict(self))
        return row


def _without_nan(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _without_nan(each) for name, each in found.items()}
    if isinstance(found, tuple | list):
        return [_without_nan(each) for each in found]
    return None if found != found else found


def final(ratings: Iterable[Rating], raters: int) -> dict[str, tuple[Label, str]]:
    """By post, the label that stands and why ("adjudicated" or "agreed"); posts still open are missing."""
    decided: dict[str, Label] = {}
    said: dict[str, dict[str, Label]] = defaultdict(dict)
    for each in ratings:
        if each.label is None:
            continue
        if each.stage == "adjudicated":
            decided[each.post] = each.label
        elif each.stage in ("blind", "after"):
            said[each.post][each.who] = each.label
    stands = {post: (label, "adjudicated") for post, label in decided.items()}
    for post, labels in said.items():
        if post not in stands and len(labels) >= raters and (agreed := consensus([*labels.values()])) is not None:
            stands[post] = (agreed, "agreed")
    return stands


def compare(ratings: Sequence[Rating], raters: int, *, seed: int = 0, resamples: int = RESAMPLES) -> Agreement:
    """Every comparison that the ratings allow: people blind and in the end; each model with people, with what was
    settled, and with each other model; each pair of people, blind.
    """
    blind, end = _given(ratings, ("blind",)), _given(ratings, ("blind", "after"))
    models = _given(ratings, ("llm",))
    settled = {post: label for post, (label, _) in final(ratings, raters).items()}
    rng = np.random.default_rng(seed)
    posts = sorted({each.post for each in ratings})

    def between(left: Given, right: Given, names: tuple[str, str], stage: str) -> Comparison:
        return _compared(
            *names, stage, lambda of, k: confusions(_values(left, posts, of), _values(right, posts, of), k), BETWEEN
        )

    def among(given: Given, stage: str) -> Comparison:
        return _compared(PEOPLE, PEOPLE, stage, lambda of, k: coincidences(_values(given, posts, of), k), AMONG)

    def _compared(left: str, right: str, stage: str, table: _Tables, measures: Mapping[str, Any]) -> Comparison:
        levels = table(lambda label: label.level, len(LEVELS))
        two = {name: of for name, of in measures.items() if name in TWO_VALUED}
        indicators: dict[str, Mapping[str, Interval]] = {
            name: measured(table(_has(name), 2), two, rng, resamples) for name in INDICATORS
        }
        all_levels = measured(levels, {**measures, **BY_LEVEL}, rng, resamples)
        return Comparison(
            left,
            right,
            stage,
            len(met(levels)),
            {name: all_levels[name] for name in measures},
            measured(table(lambda label: int(label.high), 2), two, rng, resamples),
            indicators,
            {name: all_levels[name] for name in BY_LEVEL},
        )

    found = [among(blind, "blind"), among(end, "end")]
    for name in models:
        one = {name: models[name]}
        found += [between(one, blind, (name, PEOPLE), "blind"), between(one, end, (name, PEOPLE), "end")]
        found.append(between(one, {SETTLED: settled}, (name, SETTLED), "end"))
    for group in (models, blind):
        found += [between({a: group[a]}, {b: group[b]}, (a, b), "blind") for a, b in combinations(group, 2)]
    return Agreement(
        len(posts),
        len(settled),
        tuple(each for each in found if each.posts),
        _anchoring(ratings, posts, rng, resamples),
    )


_Pair = tuple[str, str]
"""Who and which post."""

_Of = Callable[[Label], int]
_Tables = Callable[[_Of, int], Floats]


def _has(name: Any) -> _Of:
    return lambda label: int(name in label.indicators)


def _given(ratings: Iterable[Rating], stages: tuple[Stage, ...]) -> dict[str, dict[str, Label]]:
    given: dict[str, dict[str, Label]] = defaultdict(dict)
    for each in ratings:
        if each.stage in stages and each.label is not None:
            given[each.who][each.post] = each.label
    return dict(sorted(given.items()))


def _values(given: Given, posts: Sequence[str], of: _Of) -> Floats:
    """(posts, annotators), nan where nobody answered."""
    values = np.full((len(posts), max(1, len(given))), np.nan)
    places = {post: n for n, post in enumerate(posts)}
    for column, labels in enumerate(given.values()):
        for post, label in labels.items():
            values[places[post], column] = of(label)
    return values


def _anchoring(ratings: Sequence[Rating], posts: Sequence[str], rng: np.random.Generator, resamples: int) -> Anchoring:
    blind: dict[_Pair, Label] = {}
    later: dict[_Pair, Label] = {}
    seen: dict[_Pair, Label] = {}
    newest: dict[str, Label] = {}
    for each in ratings:
        pair = each.who, each.post
        if each.label is None:
            continue
        if each.stage == "llm":
            newest[each.post] = each.label
        elif each.stage == "blind":
            blind[pair] = each.label
        elif each.stage == "after" and pair in blind and each.post in newest:
            later[pair], seen[pair] = each.label, newest[each.post]
    nearer = [abs(blind[pair].level - seen[pair].level) - abs(later[pair].level - seen[pair].level) for pair in later]

    def tables(said: Mapping[_Pair, Label]) -> Floats:
        """A post's own table: of each person's level with the suggestion that they saw, together 1."""
        met = np.zeros((len(posts), len(LEVELS), len(LEVELS)))
        for pair in later:
            met[places[pair[1]], seen[pair].level, said[pair].level] += 1
        return ratio(met, met.sum(axis=(1, 2), keepdims=True), 0.0)

    places = {post: n for n, post in enumerate(posts)}
    return Anchoring(
        len(later),
        sum(blind[pair].judgement() != later[pair].judgement() for pair in later),
        sum(gain > 0 for gain in nearer),
        sum(gain < 0 for gain in nearer),
        difference(tables(later), tables(blind), quadratic_kappa, rng, resamples),
    )
