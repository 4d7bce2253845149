"""Losses of the level head: pure functions of logits (n, columns) and gold levels (n,) to one loss per post (n,)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from shouwang.models.heads import Task
from shouwang.scale import LEVELS
from shouwang.train.encoders.settings import Settings

PerPost = Callable[[Tensor, Tensor], Tensor]
SIGMA = 0.6
"""Width of the soft neighbours, in levels: two thirds of the mass stay on a middle level, a sixth goes to either side."""


def cross_entropy(logits: Tensor, gold: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy; `smoothing` is the share of the gold label that is spread over all classes evenly."""
    return functional.cross_entropy(logits, gold, reduction="none", label_smoothing=smoothing)


def soft_neighbours(logits: Tensor, gold: Tensor, sigma: float = SIGMA) -> Tensor:
    """Cross-entropy against a Gaussian around the gold level, cut at the scale's ends and normalised.

    Diaz and Marathe 2019, "Soft labels for ordinal regression", with squared distance.
    """
    levels = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
    labels = (-((levels - gold[:, None]) ** 2) / (2 * sigma**2)).softmax(-1)
    return -(labels * logits.log_softmax(-1)).sum(-1)


def expected_level(logits: Tensor, gold: Tensor) -> Tensor:
    """Cross-entropy plus the distance, in levels, of the expected level from gold (Gao et al. 2018, "DLDL-v2")."""
    levels = torch.arange(logits.shape[1], device=logits.device, dtype=logits.dtype)
    expected = logits.softmax(-1) @ levels
    return cross_entropy(logits, gold) + (expected - gold).abs()


def coral(logits: Tensor, gold: Tensor) -> Tensor:
    """Cumulative link: for each level but the last, the binary cross-entropy of "above it", summed.

    Cao, Mirjalili and Raschka 2020, equation 4 with equal importance. That the thresholds share their weights, which
    keeps the ranks consistent, is the head's doing.
    """
    above = (gold[:, None] > torch.arange(logits.shape[1], device=logits.device)).to(logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, above, reduction="none").sum(-1)


@dataclass(frozen=True, slots=True)
class LevelLoss:
    """`columns` of its head, which also say how `shouwang.models.heads` reads probabilities from its logits."""

    per_post: PerPost
    columns: int = len(LEVELS)


LEVEL_LOSSES: dict[str, LevelLoss] = {
    "cross-entropy": LevelLoss(cross_entropy),
    "soft": LevelLoss(soft_neighbours),
    "expected": LevelLoss(expected_level),
    "coral": LevelLoss(coral, len(LEVELS) - 1),
}


def heads_of(settings: Settings) -> dict[Task, int]:
    """The outputs of each task's head."""
    columns: dict[Task, int] = {"levels": LEVEL_LOSSES[settings.loss].columns, "high": 2}
    return {task: columns[task] for task in settings.tasks}


def losses_of(settings: Settings) -> dict[Task, PerPost]:
    """The loss of each task."""
    smoothed = partial(cross_entropy, smoothing=settings.label_smoothing)
    chosen = LEVEL_LOSSES[settings.loss].per_post
    levels = smoothed if chosen is cross_entropy else chosen
    return {"levels": levels, "high": smoothed}


def class_weights(gold: Tensor, kind: str, classes: int = len(LEVELS)) -> Tensor:
    """How much a post of each class counts (classes,), 1 on average over the posts; 0 for a class without posts.

    "balanced": by n / (present classes x posts of the class); "sqrt": by its square root, normalised again.
    """
    counts = torch.bincount(gold[gold >= 0], minlength=classes).to(torch.float32)
    if kind == "none":
        return torch.ones(classes)
    power = {"balanced": 1.0, "sqrt": 0.5}[kind]
    inverse = torch.where(counts > 0, counts.clamp(min=1) ** -power, 0.0)
    return inverse * counts.sum() / (inverse * counts).sum()
