"""Stage 1 (SOS-4K and negatives, once) and stage 2 (SOS-1K and negatives, per fold and seed), each cached on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from . import assemble, backbone, export, vocabulary
from .encoder import Encoder, Shape, fresh_heads, predict
from .fit import Examples, Settings, fit, join
from .sources import Row

LONGEST = 128


@dataclass(frozen=True)
class Workshop:
    """Where things lie, and what every stage needs (loaded on first use)."""

    e5: Path
    cache: Path
    shape: Shape

    @cached_property
    def data(self) -> assemble.Data:
        return assemble.load(explain=self.shape.explain)

    @cached_property
    def backbone(self) -> backbone.Backbone:
        return backbone.read(self.e5)

    @cached_property
    def start(self) -> dict[str, np.ndarray]:
        """Frozen and starting weights with fresh heads."""
        keep = np.load(self.cache / "keep.npy")
        w = export.weights(self.backbone, keep, self.shape.layers, LONGEST)
        return w | fresh_heads(self.shape, self.backbone.hidden, np.random.default_rng(0))

    @cached_property
    def memory(self) -> dict[bytes, torch.Tensor]:
        """Outputs of the frozen layers by post, shared by every fold and seed."""
        return {}

    @cached_property
    def _ids(self) -> dict[str, np.ndarray]:
        return {}

    def ids(self, rows: list[Row]) -> list[np.ndarray]:
        missing = [r for r in rows if r.id not in self._ids]
        tokenizer = Tokenizer.from_file(str(self.cache / "tokenizer.json"))
        table = {ord(k): v for k, v in self.backbone.rules.items()}
        for row, ids in zip(
            missing, vocabulary.encode(tokenizer, table, [r.text for r in missing], LONGEST), strict=True
        ):
            self._ids[row.id] = ids
        return [self._ids[r.id] for r in rows]


def negatives(shop: Workshop, rng: np.random.Generator, everyday: int, talk: int, risk: int) -> Examples:
    """A fresh draw from each pool of negatives, and PsyGUARD's intent posts against a style short cut."""
    data, size = shop.data, shop.shape.explain

    def some(rows: list[Row], n: int) -> list[Row]:
        return [rows[i] for i in rng.permutation(len(rows))[:n]]

    a, b, c = some(data.everyday, everyday), some(data.talk, talk), some(data.psy_risk, risk)
    return join([
        assemble.quiet(a, shop.ids(a), assemble.EVERYDAY_TARGET, 0.3, size),
        assemble.quiet(b, shop.ids(b), assemble.TALK_TARGET, 0.2, size),
        assemble.risky(c, shop.ids(c), 0.3, size),
    ])  # fmt: skip


def _progress(path: Path) -> Callable[[int, int, float], None]:
    began = time.monotonic()

    def report(epoch: int, step: int, loss: float) -> None:
        if step % 25 == 0:
            with path.open("a") as handle:
                seconds = round(time.monotonic() - began)
                handle.write(json.dumps({"epoch": epoch, "step": step, "loss": round(loss, 4), "s": seconds}) + "\n")

    return report


def stage1(
    shop: Workshop, settings: Settings, seed: int, name: str, shares: tuple[int, int, int]
) -> dict[str, np.ndarray]:
    """Weights after SOS-4K without any SOS-1K post."""
    path = shop.cache / f"{name}.safetensors"
    if not path.exists():
        rows = shop.data.sos4k
        four = assemble.labelled(rows, shop.ids(rows), shop.data)
        model = Encoder(shop.start, shop.shape, shop.memory)
        fit(
            model,
            lambda _, rng: join([four, negatives(shop, rng, *shares)]),
            settings,
            seed,
            _progress(shop.cache / f"{name}.log"),
        )
        save_file(model.weights(), path)
    return load_file(path)


def measured(shop: Workshop, fold: int) -> dict[str, list[Row]]:
    """What a fold's model is measured on: its own posts and its fifth of each held-out set."""
    data = shop.data
    sets = {"usual": data.new_everyday, "virus": data.held_everyday, "psy": data.held_unrelated}
    return {"fold": [r for r in data.folds if r.fold == fold]} | {k: v[fold - 1 :: 5] for k, v in sets.items()}


def measure(shop: Workshop, weights: dict[str, np.ndarray], fold: int) -> dict[str, np.ndarray]:
    """Predictions named set/head on everything `measured` names."""
    model = Encoder(shop.start | weights, shop.shape, shop.memory)
    out: dict[str, np.ndarray] = {}
    for name, rows in measured(shop, fold).items():
        out |= {f"{name}/{k}": v for k, v in predict(model, shop.ids(rows)).items()}
    return out


def stage2(
    shop: Workshop,
    first: dict[str, np.ndarray],
    settings: Settings,
    fold: int,
    seed: int,
    name: str,
    shares: tuple[int, int, int],
) -> dict[str, np.ndarray]:
    """Weights after SOS-1K without `fold` (0: all folds, leaks dropped); predictions cached beside them."""
    path = shop.cache / f"{name}-f{fold}-s{seed}.safetensors"
    if not path.exists():
        rows = [r for r in shop.data.folds if r.fold != fold and (fold or r.id not in shop.data.leaks)]
        one = assemble.labelled(rows, shop.ids(rows), shop.data)
        model = Encoder(shop.start | {k: v for k, v in first.items() if k in shop.start}, shop.shape, shop.memory)
        fit(
            model,
            lambda _, rng: join([one, negatives(shop, rng, *shares)]),
            settings,
            100 * seed + fold,
            _progress(path.with_suffix(".log")),
        )
        if fold:
            np.savez(path.with_suffix(".npz"), allow_pickle=False, **measure(shop, model.weights(), fold))
        save_file(model.weights(), path)
    return load_file(path)
