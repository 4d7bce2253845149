"""Smoothed 7-bit weights for processors without VNNI, where full 8-bit products saturate.

Activations are quantised inside onnxruntime, per post (posts run one at a time, so none depends on a
batch-mate). Smoothing moves activation outliers into the weights: inputs × 1/s, weights × s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shouwang.models.encoder import session
from shouwang.train.builtin import graph

INPUTS = {"qkv.w": "h{}", "ao.w": "context{}", "fi.w": "a{}", "fo.w": "gelu{}"}
LIMIT = 63
STORED_ONLY = ("fo.w",)  # fed by outliers: stored as int8, multiplied in float32 (as fast here, and truer)


def ranges(
    weights: Mapping[str, np.ndarray], layers: int, heads: int, epsilon: float, posts: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """Largest absolute input of every matrix, by column, over `posts`."""
    names = {f"l{i}.{m}": value.format(i) for i in range(layers) for m, value in INPUTS.items()}
    extra = sorted(set(names.values()))
    bare = {name: value for name, value in weights.items() if not name.startswith("heads.")}
    run = session(graph.build(bare, layers, heads, epsilon, extra).SerializeToString())
    top: dict[str, np.ndarray] = {}
    for ids in posts:
        for name, value in zip(extra, run.run(extra, {"ids": ids[None]}), strict=True):
            peak = np.abs(value[0]).max(0)
            top[name] = np.maximum(top.get(name, peak), peak)
    return {matrix: top[value] for matrix, value in names.items()}


def quantised(
    weights: Mapping[str, np.ndarray], tops: Mapping[str, np.ndarray], alpha: float = 0.8
) -> dict[str, np.ndarray]:
    """`weights` with each matrix named in `tops` as int8, scale and smoothing."""
    out = dict(weights)
    for name, top in tops.items():
        matrix = out.pop(name)
        if name.endswith(STORED_ONLY):
            scale = np.abs(matrix).max(0) / 127
            out[f"{name}.stored"] = np.round(matrix / scale).astype(np.int8)
            out[f"{name}.scale"] = scale.astype(np.float32)
            continue
        s = np.maximum(top, 1e-4) ** alpha / np.maximum(np.abs(matrix).max(1), 1e-4) ** (1 - alpha)
        s = (s / np.exp(np.log(s).mean())).astype(np.float32)
        matrix = matrix * s[:, None]
        out[f"{name}.smooth"] = (1 / s).astype(np.float32)
        scale = np.abs(matrix).max(0) / LIMIT
        out[f"{name}.q"] = np.round(matrix / scale).clip(-LIMIT, LIMIT).astype(np.int8)
        out[f"{name}.scale"] = scale.astype(np.float32)
    return out
