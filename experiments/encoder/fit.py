"""One training loop for both stages: soft level targets, a high/low target, an explanation target, each weighted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from .encoder import LEVELS, Encoder, pad


@dataclass(frozen=True)
class Examples:
    """Posts as ids; targets and weights by row. A weight of 0 leaves a target out."""

    posts: list[np.ndarray]
    levels: np.ndarray  # [n, 11] soft targets
    level_weight: np.ndarray  # [n]
    high: np.ndarray  # [n] 0..1
    high_weight: np.ndarray  # [n]
    explain: np.ndarray  # [n, d]
    explain_weight: np.ndarray  # [n]

    def take(self, rows: Sequence[int] | np.ndarray) -> Examples:
        rows = np.asarray(rows)
        arrays = (getattr(self, f) for f in list(self.__dataclass_fields__)[1:])
        return Examples([self.posts[r] for r in rows], *(a[rows] for a in arrays))


def join(parts: Sequence[Examples]) -> Examples:
    fields = list(Examples.__dataclass_fields__)[1:]
    arrays = (np.concatenate([getattr(p, f) for p in parts]) for f in fields)
    return Examples([post for part in parts for post in part.posts], *arrays)


@dataclass(frozen=True)
class Settings:
    epochs: int
    rate: float
    batch: int = 16
    decay: float = 0.01
    warm: float = 0.1
    clip: float = 1.0
    high_share: float = 0.5
    explain_share: float = 0.1
    exit_shares: tuple[float, ...] = (0.5, 1.0, 1.0)
    average_from: float = 1.0  # share of steps after which weights are averaged; 1 keeps the last ones


def soft_levels(levels: np.ndarray, spread: float = 0.6) -> np.ndarray:
    """Gaussian neighbours of each level, rows sum to 1: [n, 11]."""
    distance = np.arange(LEVELS)[None] - levels[:, None]
    soft = np.exp(-0.5 * (distance / spread) ** 2)
    return (soft / soft.sum(1, keepdims=True)).astype(np.float32)


def balance(levels: np.ndarray) -> np.ndarray:
    """Square-root-balanced weight of each row, mean 1."""
    counts = np.bincount(levels, minlength=LEVELS)
    weights = 1 / np.sqrt(counts[levels])
    return (weights / weights.mean()).astype(np.float32)


def _batches(lengths: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Shuffled batches of similar length: shuffle, sort windows of 16 batches, shuffle the batches."""
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * 16):
        window = order[start : start + size * 16]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def _loss(model: Encoder, data: Examples, settings: Settings) -> torch.Tensor:
    logits, explain = model(*pad(data.posts))
    levels, high = torch.from_numpy(data.levels), torch.from_numpy(np.stack([1 - data.high, data.high], 1))
    level_weight, high_weight = torch.from_numpy(data.level_weight), torch.from_numpy(data.high_weight)
    total = torch.zeros(())
    for share, (level_logits, high_logits) in zip(settings.exit_shares, logits.values(), strict=True):
        per_level = -(levels * level_logits.log_softmax(-1)).sum(-1)
        per_high = -(high * high_logits.log_softmax(-1)).sum(-1)
        total = total + share * (
            (per_level * level_weight).mean() + settings.high_share * (per_high * high_weight).mean()
        )
    error = functional.mse_loss(explain, torch.from_numpy(data.explain), reduction="none").mean(-1)
    return total + settings.explain_share * (error * torch.from_numpy(data.explain_weight)).mean()


def fit(
    model: Encoder,
    draw: Callable[[int, np.random.Generator], Examples],
    settings: Settings,
    seed: int,
    report: Callable[[int, int, float], None] = lambda epoch, step, loss: None,
) -> Encoder:
    """Train in place on `draw(epoch, rng)`; deterministic given `seed`, the machine kind and one thread."""
    rng = np.random.default_rng(seed)
    epochs = [draw(e, rng) for e in range(settings.epochs)]
    steps = sum(-(-len(d.posts) // settings.batch) for d in epochs)
    trained = [p for p in model.parameters() if p.requires_grad]
    decayed = [p for p in trained if p.ndim > 1]
    plain = [p for p in trained if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": settings.decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.rate, fused=True)
    warm = settings.warm * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) / warm, (steps - s) / (steps - warm)))
    mean: list[torch.Tensor] | None = None
    averaged = step = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.train()
        for epoch, data in enumerate(epochs):
            lengths = np.array([len(p) for p in data.posts])
            for rows in _batches(lengths, settings.batch, rng):
                loss = _loss(model, data.take(rows), settings)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(trained, settings.clip)
                optimizer.step()
                schedule.step()
                step += 1
                report(epoch, step, float(loss.detach()))
                if step >= settings.average_from * steps and settings.average_from < 1:
                    averaged += 1
                    now = [p.detach() for p in trained]
                    mean = (
                        [p.clone() for p in now]
                        if mean is None
                        else [m + (p - m) / averaged for m, p in zip(mean, now, strict=True)]
                    )
    if mean is not None:
        with torch.no_grad():
            for p, m in zip(trained, mean, strict=True):
                p.copy_(m)
    return model
