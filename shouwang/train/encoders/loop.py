"""Fine-tuning: epochs of steps, validation after each, the best kept, each finished epoch safe on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from shouwang.errors import InputError
from shouwang.evaluate import Answers, measure, of_high, of_levels
from shouwang.language import say
from shouwang.models.batches import of_similar_length, padded
from shouwang.models.heads import Floats, Task, probabilities, slices
from shouwang.train.encoders import checkpoint
from shouwang.train.encoders.checkpoint import Epochs
from shouwang.train.encoders.data import Encoded, Ints, order
from shouwang.train.encoders.encoder import Encoder
from shouwang.train.encoders.hardware import autocast, matmul_precision, naming_memory, peak_memory_mb
from shouwang.train.encoders.losses import class_weights, losses_of
from shouwang.train.encoders.settings import Settings

Report = Callable[[int, int, float], None]
"""Steps done, steps at most, the loss of the last one."""

Finished = Callable[[Epochs], None]
"""Called after each epoch, and once at the start, with all epochs that are safe on disk."""

PADDED_TOKENS = {"cpu": 512}
"""Of a batch that is only read: small keeps a processor's caches warm; elsewhere 16,384."""

PASS_TOKENS = {"cpu": 512}
"""Padded tokens that are learnt from at once: what a step holds in memory grows with them; elsewhere 8,192."""


def fit(
    encoder: Encoder,
    train: Encoded,
    validation: Encoded,
    settings: Settings,
    folder: Path,
    report: Report = lambda done, steps, loss: None,
    finished: Finished = lambda epochs: None,
) -> Epochs:
    """Train in place, from where `folder` left off, and end with the weights of the best epoch; one row per epoch.

    The best has the highest weighted F1 on validation (the mean of both tasks; the first of equals). On a CPU a run
    that was killed and taken up again ends with the same weights as one that was not, given the same thread count.
    Raises InputError when memory or disk runs out, and when the loss is no longer a number.
    """
    optimizer = optimizer_of(encoder.model, settings)
    epochs = checkpoint.resume(folder, encoder.model, optimizer)
    finished(epochs)
    lesson = Lesson(encoder, train, settings, optimizer)
    devices = [encoder.device] if encoder.device.type == "cuda" else []
    with torch.random.fork_rng(devices), naming_memory(settings), matmul_precision(settings):
        while len(epochs) < settings.epochs and not stopped(epochs, settings.patience):
            number = len(epochs)
            begun = time.perf_counter()
            loss = lesson.epoch(number, report)
            seconds = time.perf_counter() - begun
            scores = _scores(encoder, validation, settings)
            epochs.append(
                {
                    "epoch": number + 1,
                    "loss": round(loss, 6),
                    "weighted_f1": round(float(np.mean([each["weighted_f1"] for each in scores.values()])), 6),
                    "validation": scores,
                    "seconds": round(seconds, 3),
                    "posts_per_second": round(len(train) / seconds, 1),
                    "peak_memory_mb": round(peak_memory_mb(encoder.device)),
                }
            )
            checkpoint.save(folder, encoder.model, optimizer, epochs, best=best_epoch(epochs))
            finished(epochs)
    checkpoint.put_best(folder, encoder.model, best_epoch(epochs))
    return epochs


def best_epoch(epochs: Epochs) -> int:
    """Its number, from 1."""
    return 1 + max(range(len(epochs)), key=lambda i: epochs[i]["weighted_f1"])


def stopped(epochs: Epochs, patience: int) -> bool:
    """Whether the last `patience` epochs brought nothing better."""
    return bool(epochs) and len(epochs) - best_epoch(epochs) >= patience


def rate_at(step: int, steps: int, highest: float, settings: Settings) -> float:
    """The learning rate of a step (from 0)."""
    warm = int(settings.warm_up * steps)
    if step < warm:
        return highest * (step + 1) / warm
    return highest if settings.schedule == "constant" else highest * (steps - step) / (steps - warm)


def optimizer_of(model: Module, settings: Settings) -> torch.optim.Optimizer:
    """AdamW; matrices decay, biases and norms do not. Every step sets its own rate."""
    weights = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": settings.decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, fused=settings.fused)


class Lesson:
    """One epoch at a time; what it draws depends on the seed and the epoch's number alone."""

    def __init__(self, encoder: Encoder, train: Encoded, settings: Settings, optimizer: torch.optim.Optimizer) -> None:
        self.encoder, self.train, self.settings, self.optimizer = encoder, train, settings, optimizer
        self.losses = losses_of(settings)
        self.weights = {
            task: class_weights(torch.from_numpy(gold), settings.class_weights) for task, gold in train.gold.items()
        }
        shares = {"levels": 1.0, "high": settings.high_share if len(train.gold) > 1 else 1.0}
        self.shares = {task: shares[task] for task in train.gold}

    def epoch(self, number: int, report: Report) -> float:
        """Train once over all posts; the mean loss of its steps."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, number])
        torch.manual_seed(int(rng.integers(2**62)))
        batches = order(self.train, settings.batch, rng, buckets=settings.buckets)
        groups = [batches[i : i + settings.accumulate] for i in range(0, len(batches), settings.accumulate)]
        self.encoder.model.train()
        losses = []
        for step, group in enumerate(groups, number * len(groups)):
            steps = settings.epochs * len(groups)
            losses.append(self.step(group, rate_at(step, steps, self.encoder.rate, settings)))
            if not np.isfinite(losses[-1]):
                raise InputError(
                    say(
                        f"epoch {number + 1}: the loss is {losses[-1]}; try a --rate below {self.encoder.rate:g}",
                        f"第 {number + 1} 轮：损失为 {losses[-1]}；请试低于 {self.encoder.rate:g} 的 --rate",
                    )
                )
            report(step + 1, steps, losses[-1])
        return float(np.mean(losses))

    def step(self, group: Sequence[Ints], rate: float) -> float:
        """One step on several batches, exactly as on one batch of all their posts (but for dropout)."""
        totals = {task: self._weights(task, np.concatenate(group)).sum() for task in self.shares}
        self.optimizer.zero_grad()
        loss = 0.0
        for rows in (part for batch in group for part in self.passes(batch)):
            part = self._loss(rows, totals)
            part.backward()  # type: ignore[no-untyped-call]
            loss += float(part.detach())
        if self.settings.clip:
            trained = [p for p in self.encoder.model.parameters() if p.requires_grad]
            torch.nn.utils.clip_grad_norm_(trained, self.settings.clip)
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = rate
        self.optimizer.step()
        return loss

    def passes(self, batch: Ints) -> list[Ints]:
        """A batch in parts that memory holds, whatever the length of its posts; whole where it is padded as published."""
        if self.settings.full_width:
            return [batch]
        lengths = [len(self.train.ids[row]) for row in batch]
        return [batch[part] for part in of_similar_length(lengths, PASS_TOKENS.get(self.encoder.device.type, 8192))]

    def _loss(self, rows: Ints, totals: dict[Task, Tensor]) -> Tensor:
        """The part of these posts in the weighted mean over the step's posts, each task by its share."""
        logits = _logits(self.encoder, [self.train.ids[row] for row in rows], self.settings)
        loss = logits.new_zeros(())
        for task, part in slices(self.encoder.heads).items():
            gold = torch.from_numpy(self.train.gold[task][rows]).to(logits.device)
            weights = self._weights(task, rows).to(logits.device)
            labelled = gold >= 0
            if labelled.any():
                each = self.losses[task](logits[labelled, part], gold[labelled])
                loss = loss + self.shares[task] * (each * weights[labelled]).sum() / totals[task].to(logits.device)
        return loss

    def _weights(self, task: Task, rows: Ints) -> Tensor:
        """How much each post counts for the task; 0 without a label."""
        gold = torch.from_numpy(self.train.gold[task][rows])
        return torch.where(gold >= 0, self.weights[task][gold.clamp(min=0)], 0.0)


# --- reading --------------------------------------------------------------------------------------------------------


def predict(encoder: Encoder, posts: Encoded, settings: Settings, *, exact: bool = False) -> dict[Task, Floats]:
    """Probabilities per task, (n, 11) and (n, 2: low, high), in the settings' precision, or `exact` in fp32.

    Posts of similar length share a batch, or at full width those that stand together, as published.
    """
    settings = replace(settings, precision="fp32") if exact else settings
    logits = np.zeros((len(posts), sum(encoder.heads.values())))
    lengths = [len(ids) for ids in posts.ids]
    tokens = PADDED_TOKENS.get(encoder.device.type, 16_384)
    batches = _in_order(len(posts), settings.batch) if settings.full_width else of_similar_length(lengths, tokens)
    encoder.model.eval()
    with torch.inference_mode():
        for rows in batches:
            found = _logits(encoder, [posts.ids[row] for row in rows], settings)
            logits[rows] = found.cpu().numpy()
    return probabilities(logits, encoder.heads)


def answers(posts: Encoded, predicted: dict[Task, Floats]) -> dict[Task, Answers]:
    """Gold against probabilities, per task, of the posts that are labelled."""
    found: dict[Task, Answers] = {}
    for task, p in predicted.items():
        gold = posts.gold[task]
        here = gold >= 0
        if here.any():
            is_levels = task == "levels"
            found[task] = of_levels(gold[here], p[here]) if is_levels else of_high(gold[here] == 1, p[here, 1])
    return found


def _in_order(n: int, batch: int) -> list[Ints]:
    return [np.arange(start, min(start + batch, n)) for start in range(0, n, batch)]


def _scores(encoder: Encoder, posts: Encoded, settings: Settings) -> dict[str, Any]:
    scored = answers(posts, predict(encoder, posts, settings))
    return {
        task: {name: None if np.isnan(value) else round(value, 6) for name, value in measure(each).items()}
        for task, each in scored.items()
    }


def _logits(encoder: Encoder, posts: Sequence[Ints], settings: Settings) -> Tensor:
    """(n, columns) in fp32."""
    ids, mask = padded(posts, encoder.pad, encoder.longest if settings.full_width else None)
    with autocast(settings, encoder.device):
        output = encoder.model(
            input_ids=torch.from_numpy(ids).to(encoder.device),
            attention_mask=torch.from_numpy(mask).to(encoder.device),
        )
    logits: Tensor = output.logits
    return logits.float()
