"""One training loop for encoders side by side: each copy has its own batches, gradient norm and mean weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from shouwang.train.builtin.stacked import Stacked
from shouwang.train.builtin.texts import Rows

Report = Callable[[int, int, float], None]
Step = Callable[[Rows, bool], torch.Tensor]
"""Rows [copies, b] and whether to compute in rounded numbers, to each copy's loss [copies]."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`average_from`, `round_from`: the shares of steps after which weights are averaged, and rounded as they will be
    stored; 1 is never."""

    rate: float
    batch: int = 16
    decay: float = 0.01
    warm: float = 0.1
    clip: float = 1.0
    average_from: float = 1.0
    round_from: float = 1.0


def fit(model: Stacked, plan: Sequence[Rows], step: Step, settings: Settings, report: Report) -> None:
    """Train in place on `plan`, rows [copies, b] a step.

    AdamW, linear warm-up and decline; matrices decay, biases and norms do not.
    """
    trained = list(model.parameters())
    matrix = [p for name, p in model.named_parameters() if name.endswith("_w") and "ln" not in name]
    others = [p for p in trained if all(p is not each for each in matrix)]
    groups = [{"params": matrix, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.rate, fused=True)
    mean, steps = _Mean(), len(plan)
    model.train()
    for done, rows in enumerate(plan):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _share((done + 0.5) / steps, settings.warm)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
            loss = step(rows, done >= settings.round_from * steps)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        _clip([p for p in trained if p.grad is not None], settings.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if done >= settings.average_from * steps:
            mean.add(trained)
        if done % 50 == 0 or done + 1 == steps:
            report(done + 1, steps, float(loss.detach().mean()))
    mean.copy_to(trained)
    model.eval()


def batches(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[Rows]:
    """Places [copies, size] a step from lengths [copies, n]: shuffled, posts of like length together, at the same step in
    every copy (or each would be padded to the longest of all). What fills no batch is left out by chance.

    Raises ValueError when there is no whole batch."""
    copies, n = lengths.shape
    steps = n // size
    if not steps:
        raise ValueError(f"{n} posts fill no batch of {size}")
    chosen = np.stack([rng.permutation(n)[: steps * size] for _ in range(copies)])
    noisy = np.take_along_axis(lengths, chosen, 1) * rng.uniform(0.85, 1.18, chosen.shape)
    ordered = np.take_along_axis(chosen, np.argsort(noisy, axis=1, kind="stable"), 1)
    grouped = ordered.reshape(copies, steps, size)
    return [grouped[:, i] for i in rng.permutation(steps)]


def in_batches(rows: Rows, lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[Rows]:
    """`rows` [copies, n] as `batches` groups them, from the length of every text."""
    return [np.take_along_axis(rows, at, 1) for at in batches(lengths[rows], size, rng)]


def _share(done: float, warm: float) -> float:
    return done / warm if done < warm else (1 - done) / (1 - warm)


def _clip(parameters: Sequence[torch.nn.Parameter], most: float) -> None:
    """Scale each copy's gradient to a norm of `most` at most."""
    norms = torch.stack([p.grad.flatten(1).norm(dim=1) for p in parameters if p.grad is not None]).norm(dim=0)
    factor = (most / (norms + 1e-6)).clamp(max=1)
    for p in parameters:
        if p.grad is not None:
            p.grad.mul_(factor.view(-1, *[1] * (p.ndim - 1)))


class _Mean:
    """The running mean of parameters."""

    def __init__(self) -> None:
        self.n = 0
        self.values: list[torch.Tensor] = []

    def add(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        self.n += 1
        now = [p.detach() for p in parameters]
        if self.values:
            torch._foreach_lerp_(self.values, now, 1 / self.n)
        else:
            self.values = [p.clone() for p in now]

    def copy_to(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        with torch.no_grad():
            for parameter, value in zip(parameters, self.values, strict=bool(self.values)):
                parameter.copy_(value)
