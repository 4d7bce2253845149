"""Which posts train, which are held out, and what each post's targets are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from shouwang.data.duplicates import canonical

from . import audit, sources
from .encoder import LEVELS
from .fit import Examples, balance, soft_levels
from .sources import Row

RISK_WORDS = re.compile(
    r"死|自杀|自残|割腕|跳楼|轻生|结束生命|活着|活下去|不想活|消失|遗书|安眠药|解脱|离开这个世界|了结|自尽|上吊"
)
EVERYDAY_TARGET = (0.8, 0.12, 0.05, 0.03)
TALK_TARGET = (0.4, 0.25, 0.2, 0.15)


@dataclass(frozen=True)
class Data:
    """Training pools and held-out measuring sets; `dropped` counts what the audit removed, by pool."""

    folds: list[Row]
    test: list[Row]
    sos4k: list[Row]
    everyday: list[Row]
    talk: list[Row]
    psy_risk: list[Row]
    held_everyday: list[Row]
    new_everyday: list[Row]
    held_unrelated: list[Row]
    explain: dict[str, np.ndarray]
    leaks: frozenset[str]
    dropped: dict[str, int]


def load(seed: int = 0, explain: int = 32) -> Data:
    """Everything the two stages and the linear members need, audited against SOS-1K."""
    rng = np.random.default_rng(seed)
    folds, test = sources.sos1k()
    four = sources.sos4k()
    audited = audit.without_copies(four, folds + test)
    virus = audit.without_copies(audit.distinct(sources.everyday("virus-train")).kept, folds + test)
    order = rng.permutation(len(virus.kept))
    held, train = order[:3000], order[3000:]
    psy = audit.without_copies(sources.psyguard(), folds + test)
    unrelated = [r for r in psy.kept if r.note == sources.UNRELATED]
    shuffled = rng.permutation(len(unrelated))
    half = len(unrelated) // 2
    risk = [r for r in psy.kept if "自杀意图" in r.note or "自杀计划" in r.note]
    turns = [r for r in sources.smilechat() if 12 <= len(r.text) <= 150]
    turns = [turns[i] for i in rng.permutation(len(turns))[:12_000]]
    calm = [r for r in turns if not RISK_WORDS.search(r.text)]
    return Data(
        folds, test, audited.kept,
        everyday=[virus.kept[i] for i in train],
        talk=[unrelated[i] for i in shuffled[:half]] + calm[:4000],
        psy_risk=[risk[i] for i in rng.permutation(len(risk))[: len(risk) // 2]],
        held_everyday=[virus.kept[i] for i in held],
        new_everyday=sources.everyday("usual-eval"),
        held_unrelated=[unrelated[i] for i in shuffled[half:]],
        explain=_explanations(four, audited.kept, folds, explain, seed),
        leaks=frozenset(r.id for r in audit.without_copies(folds, test).dropped),
        dropped={"sos4k": len(audited.dropped), "virus": len(virus.dropped), "psyguard": len(psy.dropped)},
    )  # fmt: skip


def _explanations(
    four: Sequence[Row], clean: Sequence[Row], folds: Sequence[Row], size: int, seed: int
) -> dict[str, np.ndarray]:
    """Row id → whitened SVD of the explanation's TF-IDF; the basis is fitted on `clean` only."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), min_df=5, sublinear_tf=True)
    svd = TruncatedSVD(size, random_state=seed)
    basis = svd.fit_transform(vectorizer.fit_transform([r.note for r in clean]))
    mean, spread = basis.mean(0), basis.std(0)
    by_text = {canonical(r.text): r.note for r in four}
    notes = {r.id: r.note for r in clean} | {r.id: by_text[k] for r in folds if (k := canonical(r.text)) in by_text}
    values = (svd.transform(vectorizer.transform(list(notes.values()))) - mean) / spread
    return dict(zip(notes, values.astype(np.float32), strict=True))


def labelled(rows: Sequence[Row], posts: Sequence[np.ndarray], data: Data, derived_high: float = 0.3) -> Examples:
    """SOS rows. High/low where annotated (weight 1), else derived as level ≥ 6 (weight `derived_high`)."""
    levels = np.array([r.level for r in rows])
    annotated = np.array([r.high >= 0 for r in rows])
    high = np.where(annotated, [r.high for r in rows], levels >= 6).astype(np.float32)
    size = len(next(iter(data.explain.values())))
    explain = np.stack([data.explain.get(r.id, np.zeros(size, np.float32)) for r in rows])
    known = np.array([r.id in data.explain for r in rows], np.float32)
    weight = np.where(annotated, 1, derived_high).astype(np.float32)
    return Examples(list(posts), soft_levels(levels), balance(levels), high, weight, explain, known)


def quiet(
    rows: Sequence[Row], posts: Sequence[np.ndarray], target: Sequence[float], level_weight: float, size: int
) -> Examples:
    """Negatives: low, with a soft target on the bottom levels."""
    n = len(rows)
    soft = np.zeros((n, LEVELS), np.float32)
    soft[:, : len(target)] = target
    ones, zeros = np.ones(n, np.float32), np.zeros(n, np.float32)
    return Examples(list(posts), soft, ones * level_weight, zeros, ones, np.zeros((n, size), np.float32), zeros)


def risky(rows: Sequence[Row], posts: Sequence[np.ndarray], level_weight: float, size: int) -> Examples:
    """PsyGUARD's intent posts: levels 4–7 (6–8 with a plan), high/low unknown."""
    n = len(rows)
    soft = np.zeros((n, LEVELS), np.float32)
    for row, target in zip(rows, soft, strict=True):
        target[slice(6, 9) if "计划" in row.note else slice(4, 8)] = 1
    soft /= soft.sum(1, keepdims=True)
    zeros = np.zeros(n, np.float32)
    return Examples(list(posts), soft, zeros + level_weight, zeros, zeros, np.zeros((n, size), np.float32), zeros)
