"""The linear members: which posts they learn from, their out-of-fold predictions, and the weights that ship."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from . import cues, linear
from .assemble import Data
from .sources import Row


@dataclass(frozen=True)
class Recipe:
    """Weights are relative to a SOS-1K post's 1."""

    cue: float = 0.05
    cue_high: float = 0.08
    frozen: float = 0.55  # share of the encoder's frozen bottom features; its square multiplies inner products
    c_level: float = 8.0
    c_high: float = 4.0
    four: float = 0.5
    four_high: float = 0.3
    quiet_level: float = 0.05
    quiet_high: float = 0.3
    steps: int = 60
    everyday: int = 1000
    talk: int = 900


@dataclass(frozen=True)
class Table:
    """All posts the members train on or are measured on, with their Gram matrix in one place."""

    rows: list[Row]
    part: np.ndarray
    x: sparse.csr_matrix
    dense: np.ndarray
    gram: np.ndarray
    plain: np.ndarray  # without the frozen features, and cues at `cue_high`: for the high/low member
    idf: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def parts(data: Data, recipe: Recipe) -> dict[str, list[Row]]:
    """fold, four, everyday, talk (trained on); usual, virus, psy (measured on)."""
    rng = np.random.default_rng(5)
    half = sum(not r.id.startswith("smile") for r in data.talk)
    turns = rng.permutation(len(data.talk) - half)[: recipe.talk - half] + half
    chosen = {"fold": data.folds, "four": data.sos4k, "everyday": data.everyday[: recipe.everyday]}
    chosen["talk"] = data.talk[:half] + [data.talk[i] for i in turns]
    return chosen | {"usual": data.new_everyday, "virus": data.held_everyday[:1000], "psy": data.held_unrelated}


def table(
    chosen: dict[str, list[Row]], cut: Callable[[str], Sequence[str]], bottom: np.ndarray, recipe: Recipe
) -> Table:
    """Features and inner products of all posts; `bottom` [n, d] are the frozen encoder features, rows in order."""
    rows = [r for p in chosen.values() for r in p]
    part = np.concatenate([[name] * len(p) for name, p in chosen.items()])
    raw = linear.counts([r.text for r in rows], cut)
    idf = linear.inverse_frequency(raw[np.isin(part, ["four", "everyday", "talk"])])
    x = linear.scaled(raw, idf)
    dense = np.concatenate([np.stack([cues.count(r.text) for r in rows]), bottom], 1)
    mean, spread = dense[part == "four"].mean(0), dense[part == "four"].std(0)
    spread[: linear.DENSE] += 0.1
    share = np.full(dense.shape[1], recipe.cue)
    share[linear.DENSE :] = recipe.frozen / np.sqrt(bottom.shape[1])
    spread = (spread / share).astype(np.float32)
    dense = (dense - mean) / spread
    train = np.isin(part, ["fold", "four", "everyday", "talk"])
    both = (x @ x[train].T).toarray().astype(np.float32)
    few = dense[:, : linear.DENSE] * (recipe.cue_high / recipe.cue)
    plain = both + few @ few[train].T
    return Table(rows, part, x, dense, both + dense @ dense[train].T, plain, idf, mean, spread)


@dataclass(frozen=True)
class Member:
    """Training rows of the table and what was solved on them."""

    rows: np.ndarray
    solution: linear.Solution


@dataclass(frozen=True)
class Trio:
    """Eleven levels; high/low; and relevance: a clearly expressed wish to die against ordinary life."""

    level: Member
    high: Member
    relevant: Member


def train(t: Table, leave: int, leaks: frozenset[str], recipe: Recipe) -> Trio:
    """The members without fold `leave` (0: all folds, without `leaks`)."""
    fold = np.array([r.fold for r in t.rows])
    level, high = np.array([r.level for r in t.rows]), np.array([r.high for r in t.rows])
    own = (t.part == "fold") & (fold != leave)
    if not leave:
        own &= np.array([r.id not in leaks for r in t.rows])
    four = t.part == "four"
    quiet = np.isin(t.part, ["everyday", "talk"])

    def member(chosen: np.ndarray, y: np.ndarray, weight: np.ndarray, c: float, gram: np.ndarray) -> Member:
        rows = np.flatnonzero(chosen)
        hot = np.eye(y.max() + 1)[y[rows]]
        return Member(rows, linear.solve(gram[np.ix_(rows, rows)], hot, weight[rows], c, recipe.steps))

    counts = np.bincount(level[own], minlength=11)
    label = np.maximum(level, 0)
    balance = np.sqrt(counts.mean() / counts)[label]
    weight = np.select([own, four], [1.0, recipe.four], recipe.quiet_level) * balance
    levels = member(own | four | (t.part == "everyday"), label, weight, recipe.c_level, t.gram)
    label = np.select([own, four], [high, level >= 6], 0)
    weight = np.select([own, four], [1.0, recipe.four_high], recipe.quiet_high)
    highs = member(own | four | quiet, label, weight, recipe.c_high, t.plain)
    wish = (own & ((high == 1) | (level >= 5))) | (four & (level >= 5))
    weight = np.where(four, recipe.four, 1.0)
    return Trio(levels, highs, member(wish | quiet, wish.astype(int), weight, recipe.c_high, t.gram))


def primal(t: Table, trio: Trio, recipe: Recipe) -> dict[str, np.ndarray]:
    """Arrays that ship: 13 columns are the eleven level logits, the log-odds of high and of relevance."""
    columns, dense, bias = [], [], []
    ratio = np.zeros(t.dense.shape[1], np.float32)
    ratio[: linear.DENSE] = (recipe.cue_high / recipe.cue) ** 2
    for member, share in ((trio.level, 1.0), (trio.high, ratio[:, None]), (trio.relevant, 1.0)):
        dual, intercept = member.solution.dual, member.solution.intercept
        if dual.shape[1] == 2:
            dual, intercept = dual[:, 1:] - dual[:, :1], intercept[1:] - intercept[:1]
        columns.append(np.asarray(t.x[member.rows].T @ dual))
        dense.append(share * (t.dense[member.rows].T @ dual))
        bias.append(intercept)
    return {
        "weights": np.concatenate(columns, 1).astype(np.float16),
        "dense": np.concatenate(dense, 1).astype(np.float32),
        "bias": np.concatenate(bias).astype(np.float32),
        "mean": t.mean.astype(np.float32),
        "spread": t.spread.astype(np.float32),
        "idf": t.idf.astype(np.float16),
    }
