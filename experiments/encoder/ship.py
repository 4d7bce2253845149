"""One artefact folder per left-out fold (and fold 0, the one that ships), and what the members say from it.

The out-of-fold numbers come from the very files and inference code that ship, quantised and all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from . import blend, graph, members, quantise
from .stages import LONGEST, Workshop

HIGH_FEATURES = ["enc.high", "ngram.high", "ngram.relevant", "enc level>=6", "ngram level>=6", "enc level>=1"]


def soup(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Mean of the weights of several seeds trained from one start."""
    loaded = [load_file(p) for p in paths]
    return {name: np.asarray(np.mean([w[name] for w in loaded], axis=0, dtype=np.float32)) for name in loaded[0]}


def encoder(shop: Workshop, trained: dict[str, np.ndarray], fold: int, bottom: int) -> bytes:
    """The quantised ONNX encoder; ranges come from every third training post."""
    shape, weights = shop.shape, shop.start | trained
    rows = [r for r in shop.data.folds if r.fold != fold][::3]
    tops = quantise.ranges(weights, shape.layers, shape.heads, shape.epsilon, shop.ids(rows))
    small = quantise.quantised(weights, tops)
    model = graph.build(small, shape.layers, shape.exits, shape.heads, shape.epsilon, bottom=bottom)
    return model.SerializeToString(deterministic=True)


def write(
    shop: Workshop, table: members.Table, recipe: members.Recipe, fold: int, seeds: Sequence[Path], folder: Path
) -> None:
    """Everything but the blends, which need all folds; the config is written last."""
    if (folder / "config.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    bottom = shop.shape.frozen_layers
    (folder / "encoder.onnx").write_bytes(encoder(shop, soup(seeds), fold, bottom))
    trio = members.train(table, fold, shop.data.leaks, recipe)
    save_file(members.primal(table, trio, recipe), folder / "ngrams.safetensors")
    (folder / "tokenizer.json").write_bytes((shop.cache / "tokenizer.json").read_bytes())
    config = {
        "longest": LONGEST,
        "exit": shop.shape.layers,
        "level_blend": {"weights": [0.5, 0.5], "bias": [0.0] * 11},
        "high_blend": {"weights": [1 / 6] * 6, "bias": 0.0},
        "normalise": shop.backbone.rules,
    }
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")


def finish(
    source: Path, out: Path, blends: tuple[blend.LevelBlend, blend.HighBlend], report: Mapping[str, Any]
) -> None:
    """Copy fold 0's artefact to `out` and complete its config: blends, thresholds, what the folds said."""
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    level, high = blends
    config |= {
        "level_blend": {"weights": level.weights.tolist(), "bias": level.bias.tolist()},
        "high_blend": {"weights": high.weights.tolist(), "bias": high.bias, "features": HIGH_FEATURES},
        "features": {"hash_bits": 18, "char_longest": 4, "word_longest": 2, "segmenter": "rjieba", "prefix": "query: "},
        "thresholds": {name: point["threshold"] for name, point in report["operating_points"].items()},
        "conformal": report["conformal"],
        "folds": dict(report),
    }
    for name in ("encoder.onnx", "ngrams.safetensors", "tokenizer.json"):
        (out / name).write_bytes((source / name).read_bytes())
    (out / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
