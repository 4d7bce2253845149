"""The students: shallow encoders that learn from what the teachers say, and to say it in the numbers they are stored in.

First one student learns, from texts of every kind, to give the hidden states of the backbone (as in Jiao et al. 2020,
TinyBERT, arXiv 1909.10351); its first layers then stay as they are. Then one for each fold left out learns the task, and
at last each goes on with further ordinary posts, which no teacher has heard of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from shouwang.models.mixture import HIGH_HEAD
from shouwang.train.builtin.fit import Report, Settings, fit, in_batches
from shouwang.train.builtin.stacked import Arrays, Shape, Stacked, Weights, fresh_heads, shallow
from shouwang.train.builtin.teach import FOLDS, SHARES, Floats, shown
from shouwang.train.builtin.texts import FURTHER, LATER, Bank, Rows, Texts

ALIKE = ("folds", "sos4k", "graded", "intent", "splices")
"""Pools of posts that read like SOS-1K's."""

CALM = ("usual", "invented", "virus", "talk")
AT_ONCE = 50  # steps whose posts are drawn together


@dataclass(frozen=True, slots=True)
class Distilling:
    """`layers` of the backbone that the student begins with; `frozen` of its own that the task leaves alone. `mix`: how
    often each pool is drawn; `gold`: how much a label counts beside what the teachers say. `closing`: the steps at the end,
    where `later` is drawn beside `mix`, and its labels count `told`."""

    shape: Shape = field(default_factory=lambda: Shape(layers=4))
    layers: tuple[int, ...] = (0, 3, 6, 9)
    units: int = 1024
    frozen: int = 2
    general: Settings = field(default_factory=lambda: Settings(rate=6e-4, batch=192, warm=0.06, round_from=0.5))
    general_steps: int = 1500
    task: Settings = field(
        default_factory=lambda: Settings(rate=4e-4, batch=64, warm=0.06, average_from=0.8, round_from=0.6)
    )
    task_steps: int = 2000
    mix: Mapping[str, int] = field(
        default_factory=lambda: {
            "folds": 14, "sos4k": 12, "graded": 4, "intent": 1, "splices": 10, "usual": 3, "invented": 6, "virus": 4,
            "talk": 3, "turns": 3,
        }
    )  # fmt: skip
    disguised: float = 0.3
    gold: float = 0.3
    closing: Settings = field(default_factory=lambda: Settings(rate=1e-4, batch=64, average_from=0.5, round_from=0.0))
    closing_steps: int = 400
    later: Mapping[str, int] = field(default_factory=lambda: {"ordinary": 12, "rated": 24})
    told: Mapping[str, float] = field(default_factory=lambda: {"ordinary": 1.0, "rated": 0.7})


def general(
    texts: Texts, bank: Bank, start: Arrays, backbone: Shape, how: Distilling, report: Report, seed: int = 0
) -> Weights:
    """The student that gives the backbone's hidden states: after its layer i those of the layer where the backbone is
    as far through."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    teacher = Stacked(start, [start], backbone, bank.device).eval()
    first = shallow({name: value for name, value in start.items() if name.startswith("l")}, how.layers, how.units)
    student = Stacked(start, [first], how.shape, bank.device)
    pool = np.concatenate([texts.rows(name) for name in ("turns", FURTHER, "sos4k", *CALM)])
    plan = _batches(lambda: rng.permutation(pool)[None], bank, how.general, how.general_steps, rng)
    every = backbone.layers // how.shape.layers

    def step(rows: Rows, rounded: bool) -> torch.Tensor:
        with torch.no_grad():
            aims = teacher(*bank.read_prefixed(rows))
        length = aims[0].shape[2]
        ids, real = (each[..., : length - bank.prefix] for each in bank.read(rows))
        mine = student(ids, real, rounded)
        aligned = torch.cat([torch.arange(1), torch.arange(bank.prefix + 1, length)])
        losses = []
        for i in range(1, how.shape.layers + 1):
            aim = _flat(aims[i * every][:, :, aligned.to(bank.device)])
            error = ((_flat(mine[i]) - aim) ** 2).mean(-1) * real
            losses.append(error.sum((1, 2)) / real.sum((1, 2)))
        return losses[-1] + 0.5 * torch.stack(losses[:-1]).mean(0) if losses[:-1] else losses[-1]

    fit(student, plan, step, how.general, report)
    return student.weights(0)


def _flat(hidden: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(hidden.float(), hidden.shape[-1:])


def asked(texts: Texts) -> Rows:
    """Texts that the teachers are asked about."""
    return np.concatenate([texts.rows(pool) for pool in texts.parts if pool not in (FURTHER, *LATER)])


def students(
    texts: Texts,
    bank: Bank,
    start: Arrays,
    first: Weights,
    said: Floats,
    how: Distilling,
    report: Report,
    seed: int = 0,
) -> list[Weights]:
    """One student for each of FOLDS, which has seen no post of that fold. `said` [FOLDS, n, heads] of `asked(texts)`."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    begun = {**first, **fresh_heads(start["place"].shape[1], rng)}
    model = Stacked(start, [begun for _ in FOLDS], how.shape, bank.device)
    _freeze(model, how.frozen)
    where = np.full(len(texts.fold), -1)
    where[asked(texts)] = np.arange(said.shape[1])
    where = where[texts.clean()]
    told = torch.from_numpy(said).to(bank.device)
    copy = torch.arange(len(FOLDS), device=bank.device)[:, None]
    gold = torch.tensor(how.gold, device=bank.device)
    shares = torch.tensor(SHARES, device=bank.device)

    def step(rows: Rows, rounded: bool) -> torch.Tensor:
        heard = told[copy, torch.from_numpy(where[rows]).to(bank.device)]
        return _loss(model.logits(*bank.read(rows), rounded), heard, gold, bank.targets(rows), shares)

    def draw() -> Rows:
        return np.stack([_drawn(texts, fold, how.mix, how, rng) for fold in FOLDS])

    fit(model, _batches(draw, bank, how.task, how.task_steps, rng), step, how.task, report)
    return [model.weights(i) for i in range(len(FOLDS))]


def closed(
    texts: Texts, bank: Bank, start: Arrays, student: Arrays, fold: int, how: Distilling, report: Report, seed: int = 0
) -> Weights:
    """The student that leaves `fold` out, after some steps with the posts of LATER among the others: of those it hears how
    they are labelled, of the others what it said itself, in the numbers it is stored in."""
    rng = np.random.default_rng([seed, fold])
    torch.manual_seed(seed)
    model = Stacked(start, [student], how.shape, bank.device)
    before = Stacked(start, [student], how.shape, bank.device).eval()
    _freeze(model, how.frozen)
    clean = texts.clean()
    gold = torch.full((len(clean), 1), how.gold, device=bank.device)
    for pool, counts in how.told.items():
        gold[texts.rows(pool)] = counts
        gold[texts.versions(pool)] = counts
    shares = torch.tensor(SHARES, device=bank.device)
    mix = {**how.mix, **how.later}

    def step(rows: Rows, rounded: bool) -> torch.Tensor:
        with torch.no_grad():
            heard = before.logits(*bank.read(clean[rows]), rounded).float()
        return _loss(model.logits(*bank.read(rows), rounded), heard, gold[rows], bank.targets(rows), shares)

    plan = _batches(lambda: _drawn(texts, fold, mix, how, rng)[None], bank, how.closing, how.closing_steps, rng)
    fit(model, plan, step, how.closing, report)
    return model.weights(0)


def _freeze(model: Stacked, layers: int) -> None:
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not any(name.startswith(f"l{i}_") for i in range(layers)))


def _batches(
    draw: Callable[[], Rows], bank: Bank, settings: Settings, steps: int, rng: np.random.Generator
) -> list[Rows]:
    """The rows of so many steps, drawn [copies, n] at a time."""
    plan: list[Rows] = []
    while len(plan) < steps:
        plan += in_batches(draw(), bank.length, settings.batch, rng)
    return plan[:steps]


def _loss(
    logits: torch.Tensor,
    heard: torch.Tensor,
    gold: torch.Tensor,
    targets: Sequence[torch.Tensor],
    shares: torch.Tensor,
) -> torch.Tensor:
    """Each copy's loss [copies] against what was heard, log-odds [copies, b, heads], and the labels (`Bank.targets`),
    which count `gold` beside it where there are any; high and the indicators count their `shares`."""
    levels, level_weight, binary, binary_weight = targets
    known = gold * (level_weight > 0).float()[..., None]
    aim = (1 - known) * heard[..., :HIGH_HEAD].softmax(-1) + known * levels
    known = known * (binary_weight > 0)
    odds = (1 - known) * heard[..., HIGH_HEAD:].sigmoid() + known * binary
    per_level = -(aim * logits[..., :HIGH_HEAD].log_softmax(-1)).sum(-1)
    per_binary = functional.binary_cross_entropy_with_logits(logits[..., HIGH_HEAD:], odds, reduction="none")
    return (per_level + per_binary @ shares).mean(1)


def _drawn(texts: Texts, fold: int, mix: Mapping[str, int], how: Distilling, rng: np.random.Generator) -> Rows:
    """Posts for AT_ONCE steps of the student that leaves `fold` out."""
    parts = []
    for pool, share in mix.items():
        n = share * how.task.batch * AT_ONCE // sum(mix.values())
        may = np.arange(texts.parts[pool][1])
        if pool == "folds":
            may = texts.without(fold)
        elif pool == "splices" and fold:
            may = np.flatnonzero(texts.fold[texts.rows(pool)] != fold)
        parts.append(shown(texts, pool, may[rng.integers(len(may), size=n)], how.disguised, rng))
    return rng.permutation(np.concatenate(parts))
