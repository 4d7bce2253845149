"""The recipe that was chosen, and its steps in order; each is cached on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rjieba
import torch

from . import backbone, calibrate, graph, infer, members, quantise, ship, sources, vocabulary
from .encoder import Shape
from .fit import Settings
from .report import folds_report, test_report
from .sources import Row
from .stages import Workshop, measured, stage1, stage2

FOLDS = (1, 2, 3, 4, 5)
SHAPE = Shape(layers=8, exits=(8,), frozen_layers=4)
FIRST = Settings(epochs=4, rate=1.5e-4, exit_shares=(1.0,))
SECOND = Settings(epochs=3, rate=8e-5, exit_shares=(1.0,), average_from=0.6)


@dataclass(frozen=True)
class Plan:
    """The chosen recipe. `shares` are negatives an epoch: everyday, talk, PsyGUARD intent."""

    shape: Shape = SHAPE
    first: Settings = FIRST
    first_shares: tuple[int, int, int] = (450, 350, 60)
    second: Settings = SECOND
    second_shares: tuple[int, int, int] = (200, 150, 20)
    seeds: tuple[int, ...] = (1, 2)
    linear: members.Recipe = field(default_factory=members.Recipe)
    blend: calibrate.Settings = field(default_factory=calibrate.Settings)


def prune(shop: Workshop) -> None:
    """keep.npy and tokenizer.json, from all public text but the held-out everyday source."""
    if (shop.cache / "tokenizer.json").exists():
        return
    rows = sources.sos1k()[0] + sources.sos4k() + sources.everyday("virus-train") + sources.psyguard()
    rows += sources.smilechat()
    table = {ord(k): v for k, v in shop.backbone.rules.items()}
    seen = vocabulary.seen_pieces(vocabulary.build(shop.backbone), table, [r.text for r in rows])
    keep = backbone.keep_pieces(shop.backbone, seen)
    np.save(shop.cache / "keep.npy", keep)
    vocabulary.build(shop.backbone, keep).save(str(shop.cache / "tokenizer.json"))


def bottom_features(shop: Workshop, rows: Sequence[Row]) -> np.ndarray:
    """Pooled output of the frozen layers for each post, float32 encoder: [n, 2·hidden]."""
    path, layer = shop.cache / f"bottom{shop.shape.frozen_layers}.npy", shop.shape.frozen_layers
    if not path.exists():
        model = graph.build(shop.start, layer, (), shop.shape.heads, shop.shape.epsilon, bottom=layer)
        run = quantise.session(model.SerializeToString()).run
        np.save(path, np.concatenate([run(["bottom"], {"ids": ids[None]})[0] for ids in shop.ids(list(rows))]))
    return np.load(path)


def train(shop: Workshop, plan: Plan) -> None:
    """Stage 1 once; stage 2 for every fold (and 0, all of them) and seed."""
    first = stage1(shop, plan.first, 1, "y1", plan.first_shares)
    for seed in plan.seeds:
        for fold in (*FOLDS, 0):
            stage2(shop, first, plan.second, fold, seed, "y2", plan.second_shares)


def artefacts(shop: Workshop, plan: Plan) -> list[dict[str, np.ndarray]]:
    """Write the folder of every fold and of 0; give the folds' predictions by the shipped code."""
    chosen = members.parts(shop.data, plan.linear)
    bottom = bottom_features(shop, [r for p in chosen.values() for r in p])
    table = members.table(chosen, rjieba.cut, bottom, plan.linear)
    for fold in (*FOLDS, 0):
        seeds = [shop.cache / f"y2-f{fold}-s{s}.safetensors" for s in plan.seeds]
        ship.write(shop, table, plan.linear, fold, seeds, shop.cache / f"art-soup-{fold}")
    return [_read_by_fold(shop, fold) for fold in FOLDS]


def _read_by_fold(shop: Workshop, fold: int) -> dict[str, np.ndarray]:
    path = shop.cache / f"oof-soup-{fold}.npz"
    if not path.exists():
        model = infer.Model(shop.cache / f"art-soup-{fold}")
        out: dict[str, np.ndarray] = {}
        for name, rows in measured(shop, fold).items():
            said = [model.members(r.text) for r in rows[:400]]
            for i, key in enumerate(calibrate.LEVELS):
                out[f"{name}/{key}"] = np.stack([levels[i] for levels, _ in said])
            for i, key in enumerate(calibrate.HIGHS):
                out[f"{name}/{key}"] = np.array([highs[i] for _, highs in said])
        np.savez(path, allow_pickle=False, **out)
    return dict(np.load(path))


def build(e5: Path, cache: Path, out: Path, *, test: bool = False, plan: Plan | None = None) -> None:
    """Train what the cache lacks, then write the model, `oof.npz` and `report.json` to `out`."""
    plan = plan or Plan()
    torch.set_num_threads(1)
    cache.mkdir(parents=True, exist_ok=True)
    shop = Workshop(e5, cache, plan.shape)
    prune(shop)
    train(shop, plan)
    oof = calibrate.gather(shop.data.folds, artefacts(shop, plan))
    report = blended(shop, oof, plan, out)
    if test:
        report["test"] = test_report(infer.Model(out), shop.data.test)
    (out / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def blended(shop: Workshop, oof: dict[str, np.ndarray], plan: Plan, out: Path) -> dict[str, object]:
    """Fit the blends, write the model and its out-of-fold numbers to `out`; what the folds say of it."""
    folds = shop.data.folds
    gold, high, fold = (np.array([getattr(r, f) for r in folds]) for f in ("level", "high", "fold"))
    crossed = calibrate.cross_fitted(oof, gold, high, fold, plan.blend)
    report = folds_report(gold, high, fold, crossed)
    everything = np.ones(len(oof["virus.fold"]), bool)
    blends = calibrate.fit(oof, gold, high, np.ones(len(folds), bool), everything, plan.blend)
    ship.finish(shop.cache / "art-soup-0", out, blends, report)
    save = {f"blend.{k}": v for k, v in crossed.items()} | {k.replace("/", "."): v for k, v in oof.items()}
    save |= {"ids": np.array([r.id for r in folds]), "fold": fold, "level": gold, "high": high}
    np.savez(out / "oof.npz", allow_pickle=False, **save)
    return report
