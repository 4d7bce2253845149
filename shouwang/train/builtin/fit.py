"""One training loop for both stages: soft levels, high/low and indicators, an explanation, each weighted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from shouwang.models.mixture import HIGH_HEAD
from shouwang.train.builtin.encoder import Encoder, pad
from shouwang.train.builtin.examples import Examples


@dataclass(frozen=True, slots=True)
class Settings:
    """`average_from`: the share of steps after which weights are averaged; 1 keeps the last ones."""

    epochs: int
    rate: float
    batch: int = 16
    decay: float = 0.01
    warm: float = 0.1
    clip: float = 1.0
    high_share: float = 0.5
    indicator_share: float = 0.1
    explain_share: float = 0.1
    average_from: float = 1.0


def fit(
    model: Encoder,
    draw: Callable[[int, np.random.Generator], Examples],
    settings: Settings,
    seed: int,
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> None:
    """Train in place on `draw(epoch, rng)`; deterministic given `seed`, the machine kind and one thread."""
    rng = np.random.default_rng(seed)
    epochs = [draw(epoch, rng) for epoch in range(settings.epochs)]
    steps = sum(-(-len(examples.posts) // settings.batch) for examples in epochs)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = _optimizer(trained, settings)
    warm = settings.warm * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) / warm, (steps - s) / (steps - warm)))
    mean, step = _Mean(), 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.train()
        for examples in epochs:
            for rows in _batches(np.array([len(p) for p in examples.posts]), settings.batch, rng):
                loss = _loss(model, examples.take(rows), settings)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(trained, settings.clip)
                optimizer.step()
                schedule.step()
                step += 1
                report(step, steps, float(loss.detach()))
                if settings.average_from < 1 and step >= settings.average_from * steps:
                    mean.add(trained)
    mean.copy_to(trained)


def _optimizer(trained: list[torch.nn.Parameter], settings: Settings) -> torch.optim.Optimizer:
    """AdamW; matrices decay, biases and norms do not."""
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, fused=True)


class _Mean:
    """The running mean of parameters."""

    def __init__(self) -> None:
        self.n = 0
        self.values: list[torch.Tensor] = []

    def add(self, parameters: list[torch.nn.Parameter]) -> None:
        self.n += 1
        now = [p.detach() for p in parameters]
        self.values = (
            [m + (p - m) / self.n for m, p in zip(self.values, now, strict=True)] if self.values else
            [p.clone() for p in now]
        )  # fmt: skip

    def copy_to(self, parameters: list[torch.nn.Parameter]) -> None:
        with torch.no_grad():
            for parameter, value in zip(parameters, self.values, strict=bool(self.values)):
                parameter.copy_(value)


def _batches(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Shuffled batches of similar length: shuffle, sort windows of 16 batches, shuffle the batches."""
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * 16):
        window = order[start : start + size * 16]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def _loss(model: Encoder, examples: Examples, settings: Settings) -> torch.Tensor:
    logits, explain = model(*pad(examples.posts))
    levels, level_weight, binary, binary_weight, explained, explain_weight = (
        torch.from_numpy(each) for each in examples.arrays()
    )
    per_level = -(levels * logits[:, :HIGH_HEAD].log_softmax(-1)).sum(-1)
    per_binary = functional.binary_cross_entropy_with_logits(logits[:, HIGH_HEAD:], binary, reduction="none")
    error = functional.mse_loss(explain, explained, reduction="none").mean(-1)
    shares = torch.full((binary.shape[1],), settings.indicator_share)
    shares[0] = settings.high_share
    total: torch.Tensor = (
        (per_level * level_weight).mean()
        + ((per_binary * binary_weight) @ shares).mean()
        + settings.explain_share * (error * explain_weight).mean()
    )
    return total
