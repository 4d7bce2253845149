"""Models that are there at once: random weights, a few thousand features, an encoder of two layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shouwang.models import store
from shouwang.models.blend import Blend
from shouwang.models.encoder import TextEncoder
from shouwang.models.features import HashedFeatures
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import HEADS, Mixture
from shouwang.models.model import Model
from shouwang.models.operating import from_scores
from shouwang.models.sets import Sets

HIDDEN, LAYERS, WIDE, ATTENTION_HEADS, LONGEST = 32, 2, 48, 4, 256
PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "query",
    ":",
    *"今天我的好茶死想活了很累雨带伞明",
    "今天",
    "好喝",
    "想死",
)


def save_tiny(folder: Path) -> None:
    store.save(Model("tiny", "0", _linear(), 0.5), folder, {})


def save_tiny_blend(folder: Path) -> None:
    """A blend with operating points and level sets, whose numbers mean nothing."""
    store.save(tiny_blend(), folder, {})


def tiny_blend() -> Model:
    random = np.random.default_rng(1)
    mixture = Mixture(
        levels=np.array([0.7, 0.4]),
        level_bias=random.normal(0, 0.1, 11),
        high=random.uniform(0, 0.3, 6),
        high_bias=-0.1,
        indicators=random.uniform(0.2, 0.8, (5, 2)),
        indicator_bias=random.normal(0, 0.1, 5),
    )
    dense = random.normal(0, 0.1, (2 * HIDDEN, len(HEADS))).astype(np.float32)
    high, low, everyday = (random.beta(a, b, 200) for a, b in ((8, 2), (2, 3), (1, 30)))
    return Model(
        "tiny-blend",
        "0",
        Blend(_linear(), dense, _encoder(), mixture),
        0.5,
        operating=from_scores(high, low, everyday, 0.5),
        sets=Sets(0.9, 0.1, (0.3, 0.7)),
    )


def _linear() -> HashedLinear:
    features = HashedFeatures(bits=12)
    weights = np.random.default_rng(0).normal(0, 2, (features.columns, len(HEADS)))
    return HashedLinear(
        features,
        idf=np.ones(features.columns, np.float32),
        weights=weights.astype(np.float16).astype(np.float32),
        bias=np.zeros(len(HEADS), np.float32),
    )


def _encoder() -> TextEncoder:
    """Written as the built-in model's is, by its own graph and vocabulary."""
    from shouwang.train.builtin import graph, vocabulary
    from shouwang.train.builtin.backbone import Backbone, starting_weights

    random = np.random.default_rng(0)
    sizes = {"emb.pos": LONGEST * HIDDEN, "emb.type": HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for i in range(LAYERS):
        sizes |= {f"l{i}.{name}.w": HIDDEN * HIDDEN for name in ("q", "k", "v", "ao")}
        sizes |= {f"l{i}.{name}.b": HIDDEN for name in ("q", "k", "v", "ao", "aln", "oln", "fo")}
        sizes |= {f"l{i}.aln.w": HIDDEN, f"l{i}.oln.w": HIDDEN, f"l{i}.fi.b": WIDE}
        sizes |= {f"l{i}.fi.w": WIDE * HIDDEN, f"l{i}.fo.w": WIDE * HIDDEN}
    backbone = Backbone(
        *(HIDDEN, LAYERS, ATTENTION_HEADS, WIDE, 1e-12),
        pieces=PIECES,
        scores=np.log(np.full(len(PIECES), 1 / len(PIECES), np.float32)),
        rules={"，": " "},
        tensors={name: random.normal(0, 0.3, size).astype(np.float32) for name, size in sizes.items()},
        word_scales=random.uniform(0.02, 0.2, (len(PIECES), HIDDEN // 32)).astype(np.float16),
        word_nibbles=random.integers(0, 256, (len(PIECES), HIDDEN // 32, 16), np.uint8),
    )
    weights = starting_weights(backbone, np.arange(len(PIECES)), LAYERS, LONGEST)
    heads = {
        "heads.w": random.normal(0, 0.5, (2 * HIDDEN, len(HEADS))).astype(np.float32),
        "heads.b": np.zeros(len(HEADS), np.float32),
    }
    model: Any = graph.build(weights | heads, LAYERS, ATTENTION_HEADS, backbone.epsilon, bottom=1)
    pieces = vocabulary.build(backbone).to_str().encode()
    table = {ord(character): string for character, string in backbone.rules.items()}
    return TextEncoder(model.SerializeToString(deterministic=True), pieces, table)
