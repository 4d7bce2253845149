"""The recipe that was chosen, and its steps in order; each is cached on disk, so that a killed build goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits

from shouwang.models.blend import Blend
from shouwang.models.encoder import TextEncoder, session
from shouwang.models.mixture import HIGH_HEAD, Mixture
from shouwang.scale import INDICATORS
from shouwang.train.builtin import graph, members, mixing, quantise, sources, vocabulary
from shouwang.train.builtin.backbone import SHA256
from shouwang.train.builtin.encoder import Shape
from shouwang.train.builtin.fit import Settings
from shouwang.train.builtin.mixing import Said
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Row
from shouwang.train.builtin.stages import Draw, Weights, Workshop, stage1, stage2

FOLDS = (1, 2, 3, 4, 5)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was chosen, on the folds alone."""

    shape: Shape = field(default_factory=Shape)
    first: Settings = field(default_factory=lambda: Settings(epochs=4, rate=1.5e-4))
    first_draw: Draw = field(default_factory=lambda: Draw(150, 300, 700, 300, 60, 400))
    second: Settings = field(default_factory=lambda: Settings(epochs=3, rate=8e-5, average_from=0.6))
    second_draw: Draw = field(default_factory=lambda: Draw(40, 130, 260, 100, 20, 100))
    seeds: tuple[int, ...] = (1, 2)
    linear: members.Recipe = field(default_factory=members.Recipe)
    mixture: mixing.Settings = field(default_factory=mixing.Settings)


def fingerprint(plan: Plan, pools: Pools) -> str:
    """Names a cache: another plan, other posts or another backbone give another one (12 hexadecimal digits)."""
    said = hashlib.sha256(f"{plan} {SHA256}".encode())
    for row in (*pools.training, *pools.folds):
        said.update(f"{row}".encode())
    return said.hexdigest()[:12]


def prune(shop: Workshop) -> None:
    """keep.npy and tokenizer.json, from the training text and the counselling turns."""
    if (shop.cache / "tokenizer.json").exists():
        return
    texts = [row.text for row in [*shop.pools.training, *sources.smilechat()]]
    seen = vocabulary.seen_pieces(vocabulary.build(shop.backbone), shop.table, texts)
    keep = vocabulary.keep_pieces(shop.backbone, seen)
    np.save(shop.cache / "keep.npy", keep)
    vocabulary.build(shop.backbone, keep).save(str(shop.cache / "tokenizer.json"))


def train(shop: Workshop, plan: Plan, fold: int, seed: int) -> None:
    """Stage 1 once, then stage 2 without `fold`."""
    first = stage1(shop, plan.first, plan.first_draw, 1)
    stage2(shop, first, plan.second, plan.second_draw, fold, seed)


def frozen_features(shop: Workshop, rows: Sequence[Row]) -> NDArray[np.float32]:
    """Pooled output of the frozen layers for each row, by the float32 graph: [n, 2·hidden]."""
    path, layer = shop.cache / f"frozen{shop.shape.frozen_layers}.npy", shop.shape.frozen_layers
    if not path.exists():
        bare = {name: value for name, value in shop.start.items() if not name.startswith("heads.")}
        model = graph.build(bare, layer, shop.shape.heads, shop.shape.epsilon, bottom=layer)
        run = session(model.SerializeToString()).run
        np.save(path, np.concatenate([run(["bottom"], {"ids": ids[None]})[0] for ids in shop.ids(rows)]))
    features: NDArray[np.float32] = np.load(path)
    return features


def linear_table(shop: Workshop, recipe: members.Recipe) -> members.Table:
    rows, part = members.chosen(shop.pools, recipe)
    return members.table(rows, part, frozen_features(shop, rows), recipe)


def soup(paths: Sequence[Path]) -> Weights:
    """Mean of the weights of several seeds trained from one start (Wortsman et al. 2022, arXiv 2203.05482)."""
    loaded = [load_file(path) for path in paths]
    return {name: np.asarray(np.mean([each[name] for each in loaded], axis=0, dtype=np.float32)) for name in loaded[0]}


def encoder_graph(shop: Workshop, trained: Weights, fold: int) -> bytes:
    """The quantised ONNX encoder; ranges come from every third training post."""
    shape, weights = shop.shape, shop.start | trained
    rows = [row for row in shop.pools.folds if row.fold != fold][::3]
    tops = quantise.ranges(weights, shape.layers, shape.heads, shape.epsilon, shop.ids(rows))
    small = quantise.quantised(weights, tops)
    model = graph.build(small, shape.layers, shape.heads, shape.epsilon, bottom=shape.frozen_layers)
    return bytes(model.SerializeToString(deterministic=True))


def blend(shop: Workshop, table: members.Table, plan: Plan, fold: int) -> Blend:
    """The model without `fold` (0: of all folds), its mixture still even."""
    path = shop.cache / f"encoder-fold{fold}.onnx"
    if not path.exists():
        seeds = [shop.cache / f"stage2-fold{fold}-seed{seed}.safetensors" for seed in plan.seeds]
        path.write_bytes(encoder_graph(shop, soup(seeds), fold))
    linear, dense = members.fit(table, fold, shop.pools.leaks, plan.linear)
    tokenizer = (shop.cache / "tokenizer.json").read_bytes()
    return Blend(linear, dense, TextEncoder(path.read_bytes(), tokenizer, shop.table), EVEN)


EVEN = Mixture(
    np.full(2, 0.5),
    np.zeros(HIGH_HEAD),
    np.full(6, 1 / 6),
    0.0,
    np.full((len(INDICATORS), 2), 0.5),
    np.zeros(len(INDICATORS)),
)


def measured(shop: Workshop, fold: int) -> dict[str, list[Row]]:
    """What a fold's model is asked: its own posts, and its fifth of every set that no model was trained on."""
    p = shop.pools
    sets = {
        "virus": p.held_virus[:1500],
        "invented": p.held_invented,
        "usual": p.new_usual,
        "unrelated": p.new_unrelated,
    }
    return {"fold": [row for row in p.folds if row.fold == fold]} | {k: v[fold - 1 :: 5] for k, v in sets.items()}


Read = tuple[Said, NDArray[np.int64]]
"""What the members said of a set's posts, and which fold's model read each post."""


def read_by_folds(shop: Workshop, blends: Mapping[int, Blend]) -> dict[str, Read]:
    """By set; "fold" is in the order of `shop.pools.folds`, the other sets fold after fold."""
    found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64], int]]] = {}
    for fold in FOLDS:
        for name, rows in measured(shop, fold).items():
            found.setdefault(name, []).append((*blends[fold].members([row.text for row in rows]), fold))
    return {
        name: (
            Said(np.concatenate([e for e, _, _ in parts]), np.concatenate([x for _, x, _ in parts])),
            np.repeat([fold for _, _, fold in parts], [len(e) for e, _, _ in parts]),
        )
        for name, parts in found.items()
    }


def mixture(shop: Workshop, read: Mapping[str, Read], settings: mixing.Settings, without: int = 0) -> Mixture:
    """The mixture fitted on what was read of every fold but one (0: of all)."""
    said, fold = read["fold"]
    levels, high = (np.array([getattr(row, name) for row in shop.pools.folds]) for name in ("level", "high"))
    own = fold != without
    parts = [each.take(number != without) for each, number in (read[name] for name in CALM)]
    calm = Said(np.concatenate([p.encoder for p in parts]), np.concatenate([p.linear for p in parts]))
    return mixing.fit(said.take(own), levels[own], high[own], calm, settings)


CALM = ("virus", "invented")
"""Held-out sets of ordinary posts that the mixture learns from; "usual" and "unrelated" only measure."""


@dataclass(frozen=True, slots=True)
class Built:
    """Finished models by fold left out (0: none); and by set the posts, the log-odds (n, heads) that a model gave which
    had not seen them, and the fold (n,) of that model."""

    blends: dict[int, Blend]
    rows: dict[str, list[Row]]
    logits: dict[str, NDArray[np.float64]]
    fold: dict[str, NDArray[np.int64]]


def build(shop: Workshop, plan: Plan, say: Say = lambda line: None) -> Built:
    """Train what the cache lacks, then put every fold's model together."""
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        say("vocabulary")
        prune(shop)
        for seed in plan.seeds:
            for fold in (*FOLDS, 0):
                say(f"encoder without fold {fold}, seed {seed}" if fold else f"encoder of all folds, seed {seed}")
                train(shop, plan, fold, seed)
        say("linear members")
        table = linear_table(shop, plan.linear)
        blends = {fold: blend(shop, table, plan, fold) for fold in (*FOLDS, 0)}
        say("mixture")
        read = read_by_folds(shop, blends)
        blends = {k: replace(each, mixture=mixture(shop, read, plan.mixture, k)) for k, each in blends.items()}
    return Built(
        blends,
        {name: [row for fold in FOLDS for row in measured(shop, fold)[name]] for name in read},
        {name: _mixed(blends, *each) for name, each in read.items()},
        {name: fold for name, (_, fold) in read.items()},
    )


def _mixed(blends: Mapping[int, Blend], said: Said, fold: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.zeros_like(said.linear)
    for k in FOLDS:
        mine = said.take(fold == k)
        out[fold == k] = blends[k].mixture(mine.encoder, mine.linear)
    return out
