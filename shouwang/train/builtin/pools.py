"""Which posts train, which only measure, and that none is in both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shouwang.evaluate.obfuscate import obfuscate
from shouwang.text import canonical
from shouwang.train.builtin import sources
from shouwang.train.builtin.sources import Row

RISK_WORDS = re.compile(
    r"死|自杀|自残|割腕|跳楼|轻生|结束生命|活着|活下去|不想活|消失|遗书|安眠药|解脱|离开这个世界|了结|自尽|上吊"
)
DISGUISES = ("homophones", "one-homophone", "look-alike", "swapped", "initials")
"""Kinds of obfuscation that the canonical form reads least, and that training therefore shows. The other kinds are not shown."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Training pools, what calibrates (`held_*`), what only measures (`new_*`); `dropped` names copies that were left out, by pool."""

    folds: list[Row]
    test: list[Row]
    sos4k: list[Row]
    virus: list[Row]
    usual: list[Row]
    invented: list[Row]
    graded: list[Row]
    talk: list[Row]
    intent: list[Row]
    ordinary: list[Row]
    rated: list[Row]
    held_virus: list[Row]
    held_invented: list[Row]
    new_usual: list[Row]
    new_unrelated: list[Row]
    new_rated: list[Row]
    leaks: frozenset[str]
    dropped: dict[str, list[str]]

    @property
    def training(self) -> list[Row]:
        """Every post that the final model may learn from."""
        own = [row for row in self.folds if row.id not in self.leaks]
        quiet = [*self.virus, *self.usual, *self.invented, *self.ordinary, *self.talk]
        return [*own, *self.sos4k, *self.graded, *self.intent, *self.rated, *quiet]


def load(seed: int = 0) -> Pools:
    """Everything that training and measuring need, audited: no training post stands in anything that measures."""
    rng = np.random.default_rng(seed)
    folds, test = sources.sos1k()
    core = [*folds, *test]
    kept_four = sources.without_copies(sources.sos4k(), core)
    usual = _shuffled(sources.distinct(sources.everyday("usual-eval")).kept, rng)
    usual_train, new_usual = usual[: len(usual) // 2], usual[len(usual) // 2 :]
    measured = [*core, *new_usual, *sources.contrast_set()]
    kept_usual = sources.without_copies(usual_train, measured)
    virus = sources.without_copies(sources.distinct(sources.everyday("virus-train")).kept, measured)
    virus_rows = _shuffled(virus.kept, rng)
    own = sources.without_copies(sources.distinct(sources.invented()).kept, measured)
    calm = _shuffled([row for row in own.kept if row.level < 0], rng)
    psy = sources.without_copies(sources.psyguard(), core)
    unrelated = _shuffled([row for row in psy.kept if row.note == sources.UNRELATED], rng)
    intent = _shuffled([row for row in psy.kept if "自杀意图" in row.note or "自杀计划" in row.note], rng)
    leaking = sources.without_copies(folds, test)
    turns = _shuffled([row for row in sources.smilechat() if 12 <= len(row.text) <= 150], rng)[:12_000]
    measured += calm[: len(calm) // 5]
    more = sources.without_copies(sources.distinct(sources.ordinary()).kept, measured)
    ordinary = _shuffled(more.kept, rng)
    measured += ordinary[: len(ordinary) // 5]
    rated = sources.without_copies(sources.distinct(sources.rated()).kept, measured)
    new_rated = sources.without_copies(sources.rated(held=True), rated.kept)
    return Pools(
        folds=folds,
        test=test,
        sos4k=kept_four.kept,
        virus=virus_rows[3000:],
        usual=kept_usual.kept,
        invented=calm[len(calm) // 5 :],
        graded=[row for row in own.kept if row.level >= 0],
        talk=[*unrelated[: len(unrelated) // 2], *[r for r in turns if not RISK_WORDS.search(r.text)][:4000]],
        intent=intent[: len(intent) // 2],
        ordinary=ordinary[len(ordinary) // 5 :],
        rated=rated.kept,
        held_virus=virus_rows[:3000],
        held_invented=[*calm[: len(calm) // 5], *ordinary[: len(ordinary) // 5]],
        new_usual=new_usual,
        new_unrelated=unrelated[len(unrelated) // 2 :],
        new_rated=new_rated.kept,
        leaks=frozenset(row.id for row in leaking.dropped),
        dropped={
            "sos-1k": [row.id for row in leaking.dropped],
            "sos-4k": [row.id for row in kept_four.dropped],
            "everyday/virus": [row.id for row in virus.dropped],
            "everyday/usual": [row.id for row in kept_usual.dropped],
            "invented": [row.id for row in (*own.dropped, *more.dropped, *rated.dropped, *new_rated.dropped)],
            "psyguard": [row.id for row in psy.dropped],
        },
    )


def disguised(rows: Sequence[Row], rng: np.random.Generator, share: float) -> list[Row]:
    """The rows, each with the chance `share` of standing there with its words of risk in a disguise of DISGUISES."""
    return [_disguised(row, rng) if rng.random() < share else row for row in rows]


def _disguised(row: Row, rng: np.random.Generator) -> Row:
    kind = DISGUISES[rng.integers(len(DISGUISES))]
    text = canonical(obfuscate(row.text, kind, rng)).text
    return row if text == row.text else replace(row, text=text)


def _shuffled(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    return [rows[i] for i in rng.permutation(len(rows))]
