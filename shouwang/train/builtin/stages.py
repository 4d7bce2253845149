"""Stage 1 (SOS-4K and negatives, once) and stage 2 (SOS-1K and negatives, per fold and seed), each cached on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from shouwang.models import tokens
from shouwang.train.builtin import examples
from shouwang.train.builtin.backbone import Backbone, starting_weights
from shouwang.train.builtin.encoder import Encoder, Shape, fresh_heads
from shouwang.train.builtin.examples import Examples, Ids
from shouwang.train.builtin.fit import Settings, fit
from shouwang.train.builtin.pools import Pools, disguised
from shouwang.train.builtin.sources import Row

Weights = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Draw:
    """Posts of each pool an epoch, beside the stage's own; `disguised` is the share of posts that stand in a disguise."""

    virus: int
    usual: int
    invented: int
    talk: int
    intent: int
    graded: int
    graded_weight: float = 0.4
    disguised: float = 0.15


@dataclass(frozen=True)
class Workshop:
    """Where things lie, and what every stage needs (loaded on first use)."""

    backbone: Backbone
    pools: Pools
    cache: Path
    shape: Shape
    memory: dict[bytes, torch.Tensor] = field(default_factory=dict)
    """Outputs of the frozen layers by post, shared by every fold and seed."""

    @cached_property
    def start(self) -> Weights:
        """Frozen and starting weights with fresh heads."""
        keep = np.load(self.cache / "keep.npy")
        weights = starting_weights(self.backbone, keep, self.shape.layers, tokens.LONGEST)
        return weights | fresh_heads(self.shape, self.backbone.hidden, np.random.default_rng(0))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self.cache / "tokenizer.json"))

    @cached_property
    def table(self) -> dict[int, str]:
        return {ord(character): new for character, new in self.backbone.rules.items()}

    def ids(self, rows: Sequence[Row]) -> list[Ids]:
        return tokens.encode(self.tokenizer, self.table, [row.text for row in rows])


def stage1(shop: Workshop, settings: Settings, draw: Draw, seed: int) -> Weights:
    """Weights after SOS-4K without any SOS-1K post."""
    return _trained(shop, shop.start, shop.pools.sos4k, settings, draw, seed, "stage1")


def stage2(shop: Workshop, first: Weights, settings: Settings, draw: Draw, fold: int, seed: int) -> Weights:
    """Weights after SOS-1K without `fold` (0: all folds, without posts that stand in the test set)."""
    rows = [row for row in shop.pools.folds if row.fold != fold and (fold or row.id not in shop.pools.leaks)]
    return _trained(shop, shop.start | first, rows, settings, draw, 100 * seed + fold, f"stage2-fold{fold}-seed{seed}")


def _trained(
    shop: Workshop, start: Weights, rows: Sequence[Row], settings: Settings, draw: Draw, seed: int, name: str
) -> Weights:
    path = shop.cache / f"{name}.safetensors"
    if not path.exists():
        model = Encoder(start, shop.shape, shop.memory)
        fit(model, lambda _, rng: _epoch(shop, rows, draw, rng), settings, seed, _progress(path.with_suffix(".log")))
        partial = path.with_suffix(".partial")
        save_file(model.weights(), partial)
        partial.replace(path)
    return load_file(path)


def _epoch(shop: Workshop, rows: Sequence[Row], draw: Draw, rng: np.random.Generator) -> Examples:
    """The stage's posts and a fresh draw from every other pool; PsyGUARD's intent posts stand against a style short cut."""
    p, size = shop.pools, shop.shape.explain

    def some(pool: Sequence[Row], n: int) -> list[Row]:
        return disguised([pool[i] for i in rng.permutation(len(pool))[:n]], rng, draw.disguised)

    own = disguised(rows, rng, draw.disguised)
    calm = [*some(p.virus, draw.virus), *some(p.usual, draw.usual), *some(p.invented, draw.invented)]
    talk, intent, graded = some(p.talk, draw.talk), some(p.intent, draw.intent), some(p.graded, draw.graded)
    parts = [
        examples.labelled(own, shop.ids(own), p.explain, size),
        examples.quiet(shop.ids(calm), examples.EVERYDAY_TARGET, 0.3, size, painless=True),
        examples.quiet(shop.ids(talk), examples.TALK_TARGET, 0.2, size, painless=False),
    ]
    if graded:
        parts.insert(1, examples.labelled(graded, shop.ids(graded), {}, size, draw.graded_weight))
    if intent:
        parts.append(examples.risky(intent, shop.ids(intent), 0.3, size))
    return examples.join(parts)


def _progress(path: Path) -> Callable[[int, int, float], None]:
    began = time.monotonic()

    def report(step: int, steps: int, loss: float) -> None:
        if step % 25 == 0:
            said = {"step": step, "steps": steps, "loss": round(loss, 4), "seconds": round(time.monotonic() - began)}
            with path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(said) + "\n")

    return report
