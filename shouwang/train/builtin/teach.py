"""The teachers: full-depth encoders, several seeds for each fold left out, and what they say of every text.

Stage 1 is SOS-4K without any SOS-1K post, once a seed; stage 2 SOS-1K without a fold. Two kinds of teacher: the calm
ones learn from ordinary posts too, the sharp ones do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from shouwang.models.mixture import HEADS, HIGH_HEAD, log_softmax
from shouwang.train.builtin.fit import Report, Settings, fit, in_batches
from shouwang.train.builtin.stacked import Arrays, Shape, Stacked, Weights, fresh_heads
from shouwang.train.builtin.texts import Bank, Rows, Texts

SHARES = (0.5, *[0.1] * (len(HEADS) - HIGH_HEAD - 1))
"""How much high/low and each indicator count beside the level."""

OTHERS = ("virus", "usual", "invented", "talk", "intent", "graded", "sos4k")
FOLDS = (0, 1, 2, 3, 4, 5)
"""The fold that a model has not seen; 0: it has seen all."""

READ_AT_ONCE = 256
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Draw:
    """Posts of each pool an epoch, beside the stage's own; `disguised` is the share of posts that stand in a disguise."""

    virus: int = 0
    usual: int = 0
    invented: int = 0
    talk: int = 0
    intent: int = 0
    graded: int = 0
    sos4k: int = 0
    disguised: float = 0.15

    def posts(self, texts: Texts, pool: str, own: Rows, rng: np.random.Generator) -> Rows:
        """The pool's posts at the places `own`, and of each other pool its number."""
        parts = [shown(texts, pool, own, self.disguised, rng)]
        for name in OTHERS:
            some = rng.permutation(texts.parts[name][1])[: getattr(self, name)]
            parts.append(shown(texts, name, some, self.disguised, rng))
        return np.concatenate(parts)


def shown(texts: Texts, pool: str, places: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Rows of a pool's posts, each with the chance `share` in one of its disguises."""
    rows, versions = texts.rows(pool)[places], texts.versions(pool)[places]
    if not versions.shape[1]:
        return rows
    some = versions[np.arange(len(rows)), rng.integers(versions.shape[1], size=len(rows))]
    return np.where(rng.random(len(rows)) < share, some, rows)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One kind of teacher."""

    first: Draw
    second: Draw


@dataclass(frozen=True, slots=True)
class Teaching:
    """How the teachers learn; `seeds` of each lesson."""

    lessons: tuple[Lesson, ...]
    seeds: int = 4
    shape: Shape = field(default_factory=lambda: Shape(layers=12))
    first: Settings = field(default_factory=lambda: Settings(rate=1.5e-4))
    first_epochs: int = 4
    second: Settings = field(default_factory=lambda: Settings(rate=8e-5, average_from=0.6))
    second_epochs: int = 3


def beginners(texts: Texts, bank: Bank, start: Arrays, how: Teaching, seed: int, report: Report) -> list[Weights]:
    """Weights after stage 1: lesson by lesson, seed by seed."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    pupils = [lesson for lesson in how.lessons for _ in range(how.seeds)]
    hidden = start["place"].shape[1]
    model = Stacked(start, [{**start, **fresh_heads(hidden, rng)} for _ in pupils], how.shape, bank.device)
    own = np.arange(texts.parts["sos4k"][1])
    draws = [partial(lesson.first.posts, texts, "sos4k", own, rng) for lesson in pupils]
    _learn(model, texts, bank, draws, how.first, how.first_epochs, rng, report)
    return [model.weights(i) for i in range(len(pupils))]


def teachers(
    texts: Texts,
    bank: Bank,
    start: Arrays,
    begun: Sequence[Weights],
    lesson: Lesson,
    how: Teaching,
    seed: int,
    report: Report,
) -> Stacked:
    """One lesson's copies after stage 2: for each of `begun` one without each of FOLDS."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = Stacked(start, [weights for weights in begun for _ in FOLDS], how.shape, bank.device)
    draws = [partial(lesson.second.posts, texts, "folds", texts.without(fold), rng) for _ in begun for fold in FOLDS]
    _learn(model, texts, bank, draws, how.second, how.second_epochs, rng, report)
    return model


def _learn(
    model: Stacked,
    texts: Texts,
    bank: Bank,
    draws: Sequence[Callable[[], Rows]],
    settings: Settings,
    epochs: int,
    rng: np.random.Generator,
    report: Report,
) -> None:
    """A copy whose epoch is shorter than another's reads unlabelled texts beside, whose loss is 0."""
    plan = []
    for _ in range(epochs):
        drawn = [draw() for draw in draws]
        most = max(map(len, drawn))
        filled = [np.concatenate([each, rng.choice(texts.rows("turns"), most - len(each))]) for each in drawn]
        rows = np.stack([rng.permutation(each) for each in filled])
        plan += in_batches(rows, bank.length, settings.batch, rng)
    shares = torch.tensor(SHARES, device=bank.device)

    def loss(rows: Rows, rounded: bool) -> torch.Tensor:
        return labels_loss(model.logits(*bank.read_prefixed(rows), rounded), bank.targets(rows), shares)

    fit(model, plan, loss, settings, report)


def labels_loss(logits: torch.Tensor, targets: Sequence[torch.Tensor], shares: torch.Tensor) -> torch.Tensor:
    """[copies] from log-odds [copies, b, heads]: cross-entropy of the levels, and of high and the indicators by `shares`."""
    levels, level_weight, binary, binary_weight = targets
    per_level = -(levels * logits[..., :HIGH_HEAD].log_softmax(-1)).sum(-1) * level_weight
    odds = logits[..., HIGH_HEAD:]
    per_binary = functional.binary_cross_entropy_with_logits(odds, binary, reduction="none") * binary_weight
    return (per_level + per_binary @ shares).mean(1)


def read(model: Stacked, bank: Bank, rows: Rows) -> Floats:
    """Log-odds [copies, n, heads] of the texts at `rows`, by every teacher."""
    model.eval()
    out = np.zeros((len(model), len(rows), len(HEADS)), np.float32)
    order = np.argsort(bank.length[rows], kind="stable")
    with torch.no_grad(), torch.autocast(bank.device.type, torch.bfloat16, enabled=bank.device.type == "cuda"):
        for start in range(0, len(rows), READ_AT_ONCE):
            some = order[start : start + READ_AT_ONCE]
            ids, real = bank.read_prefixed(rows[some])
            every = (len(model), *ids.shape)
            out[:, some] = model.logits(ids.expand(every), real.expand(every)).cpu().numpy()
    return out


def by_fold(said: Floats) -> Floats:
    """One answer for each of FOLDS [FOLDS, n, heads] from those of seeds times FOLDS copies."""
    return np.array([joined(said[k :: len(FOLDS)]) for k in range(len(FOLDS))])


def joined(said: Floats) -> Floats:
    """One answer [n, heads] from several [k, n, heads]: levels by a geometric mean, log-odds of the rest by a mean."""
    levels = np.mean([log_softmax(each[:, :HIGH_HEAD]) for each in said.astype(np.float64)], axis=0)
    return np.concatenate([levels, said[..., HIGH_HEAD:].mean(0)], axis=-1).astype(np.float32)
