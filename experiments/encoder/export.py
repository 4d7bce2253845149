"""Trained or frozen encoder weights → the arrays the graph takes."""

from __future__ import annotations

import numpy as np

from .backbone import Backbone


def weights(backbone: Backbone, keep: np.ndarray, layers: int, longest: int) -> dict[str, np.ndarray]:
    """The frozen backbone's first `layers` layers, matrices as [in, out], rows of the kept pieces still 4-bit."""
    t, hidden, wide = backbone.tensors, backbone.hidden, backbone.feed_forward
    place = t["emb.pos"].reshape(-1, hidden)[:longest] + t["emb.type"].reshape(-1, hidden)[0]
    w = {"word.nibbles": backbone.word_nibbles[keep], "word.scales": backbone.word_scales[keep], "place": place}
    w |= {name: t[name] for name in ("emb.ln.w", "emb.ln.b")}
    for i in range(layers):
        qkv = [t[f"l{i}.{m}.w"].reshape(hidden, hidden).T for m in "qkv"]
        w[f"l{i}.qkv.w"] = np.concatenate(qkv, axis=1)
        w[f"l{i}.qkv.b"] = np.concatenate([t[f"l{i}.{m}.b"] for m in "qkv"])
        w[f"l{i}.ao.w"] = t[f"l{i}.ao.w"].reshape(hidden, hidden).T
        w[f"l{i}.fi.w"] = t[f"l{i}.fi.w"].reshape(wide, hidden).T
        w[f"l{i}.fo.w"] = t[f"l{i}.fo.w"].reshape(hidden, wide).T
        for name in ("ao.b", "aln.w", "aln.b", "fi.b", "fo.b", "oln.w", "oln.b"):
            w[f"l{i}.{name}"] = t[f"l{i}.{name}"]
    return {name: np.ascontiguousarray(value) for name, value in w.items()}
