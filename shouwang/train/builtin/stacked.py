"""Several encoders of one shape, side by side: every parameter has a leading axis, one entry a copy.

An accelerator does the work of one small encoder and of thirty in nearly the same time. Parameters carry the names and
[in, out] shapes that the ONNX graph takes, so exporting is a copy. Embeddings stay frozen and 4-bit in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from shouwang.models.mixture import HEADS
from shouwang.train.builtin.backbone import unpack_rows

FROZEN = ("word.nibbles", "word.scales", "place", "emb.ln.w", "emb.ln.b")
LOW = -1e4  # below every activation
Arrays = Mapping[str, NDArray[Any]]
Weights = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    layers: int
    heads: int = 12
    epsilon: float = 1e-12
    dropout: float = 0.1


def fresh_heads(hidden: int, rng: np.random.Generator) -> Weights:
    """Small random weights for the heads."""
    return {
        "heads.w": (rng.normal(size=(2 * hidden, len(HEADS))) * 0.02).astype(np.float32),
        "heads.b": np.zeros(len(HEADS), np.float32),
    }


class Stacked(nn.Module):
    """One encoder for each of `copies`, on the embeddings in `frozen`. Ids and `real` (which tokens are no padding) are
    [copies, b, n] in every call; `rounded` computes in the numbers that are stored."""

    def __init__(self, frozen: Arrays, copies: Sequence[Arrays], shape: Shape, device: torch.device) -> None:
        super().__init__()
        self.shape, self.device = shape, device
        rows = unpack_rows(frozen["word.scales"], frozen["word.nibbles"])
        parts = {"word": rows, **{name: frozen[name] for name in ("place", "emb.ln.w", "emb.ln.b")}}
        self.embeddings = {
            name: torch.from_numpy(np.array(value, np.float32)).to(device) for name, value in parts.items()
        }
        self.names = {name.replace(".", "_"): name for name in copies[0] if name not in FROZEN}
        for parameter, name in self.names.items():
            value = torch.from_numpy(np.stack([np.asarray(each[name], np.float32) for each in copies])).to(device)
            self.register_parameter(parameter, nn.Parameter(value))

    def weights(self, copy: int) -> Weights:
        """A copy's arrays under their ONNX names, without the frozen ones."""
        return {self.names[n]: p.detach()[copy].cpu().numpy().copy() for n, p in self.named_parameters()}

    def __len__(self) -> int:
        return next(self.parameters()).shape[0]

    def forward(self, ids: torch.Tensor, real: torch.Tensor, rounded: bool = False) -> list[torch.Tensor]:
        """Output of the embeddings and of every layer: [copies, b, n, hidden] each."""
        copies, posts, length = ids.shape
        x = functional.embedding(ids, self.embeddings["word"]) + self.embeddings["place"][:length]
        hidden = x.shape[-1]
        scale, shift = self.embeddings["emb.ln.w"], self.embeddings["emb.ln.b"]
        x = self._drop(functional.layer_norm(x, (hidden,), scale, shift, self.shape.epsilon))
        x = x.view(copies, posts * length, hidden)
        out = [x]
        for i in range(self.shape.layers):
            out.append(self._layer(i, out[-1], real, rounded))
        return [each.view(copies, posts, length, hidden) for each in out]

    def logits(self, ids: torch.Tensor, real: torch.Tensor, rounded: bool = False) -> torch.Tensor:
        """Log-odds [copies, b, len(HEADS)] from the mean and the maximum over the tokens of the last layer."""
        x = self(ids, real, rounded)[-1].float()
        mean = (x * real[..., None]).sum(2) / real.sum(2)[..., None]
        peak = x.masked_fill(~real[..., None], LOW).amax(2)
        pooled = self._drop(torch.cat([mean, peak], -1))
        with torch.autocast(self.device.type, enabled=False):
            return torch.baddbmm(self._p("heads.b")[:, None], pooled, self._p("heads.w"))

    def _p(self, name: str) -> torch.Tensor:
        return self.get_parameter(name.replace(".", "_"))

    def _layer(self, i: int, x: torch.Tensor, real: torch.Tensor, rounded: bool) -> torch.Tensor:
        copies, posts, length = real.shape

        def times(value: torch.Tensor, matrix: str, bias: str) -> torch.Tensor:
            w = self._p(f"l{i}.{matrix}")
            if rounded:
                value, w = rounded_inputs(value, real), rounded_weights(w)
            return torch.baddbmm(self._p(f"l{i}.{bias}")[:, None], value, w)

        def norm(value: torch.Tensor, name: str) -> torch.Tensor:
            flat = functional.layer_norm(value.float(), value.shape[-1:], eps=self.shape.epsilon)
            return flat * self._p(f"l{i}.{name}.w")[:, None] + self._p(f"l{i}.{name}.b")[:, None]

        qkv = times(x, "qkv.w", "qkv.b").view(copies * posts, length, 3, self.shape.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mask = real.reshape(copies * posts, 1, 1, length)
        context = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        context = context.transpose(1, 2).reshape(copies, posts * length, -1)
        x = norm(x + self._drop(times(context, "ao.w", "ao.b")), "aln")
        wide = functional.gelu(times(x, "fi.w", "fi.b"))
        return norm(x + self._drop(times(wide, "fo.w", "fo.b")), "oln")

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.shape.dropout, self.training)


LIMIT = 63
"""Weights are rounded to 7 bits: full 8-bit products saturate on processors without VNNI."""

NIL = 1e-8


def rounded_inputs(x: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """What onnxruntime's dynamic quantisation makes of `x` [copies, b·n, c]: 8 bits over each post's own range, which
    holds 0. Gradients pass as if nothing had been rounded (straight through; Bengio et al. 2013, arXiv 1308.3432)."""
    x = x * real.reshape(*x.shape[:2], 1)
    with torch.no_grad():
        posts = x.reshape(*real.shape[:2], -1).float()
        low, high = posts.amin(2, keepdim=True).clamp(max=0), posts.amax(2, keepdim=True).clamp(min=0)
        scale = ((high - low) / 255).clamp(min=NIL)
        zero = torch.round(-low / scale)
        near = (((torch.round(posts / scale) + zero).clamp(0, 255) - zero) * scale).view_as(x).to(x.dtype)
    return x + (near - x).detach()


def rounded_weights(w: torch.Tensor) -> torch.Tensor:
    """`w` [copies, in, out] as 7-bit numbers times one scale a column, straight through."""
    with torch.no_grad():
        scale = w.abs().amax(1, keepdim=True).clamp(min=NIL) / LIMIT
        near = torch.round(w / scale) * scale
    return w + (near - w).detach()


def stored(weights: Arrays) -> Weights:
    """One copy's weights as the graph holds them: `name.q` int8 and `name.scale` by column for every matrix of a layer."""
    out: Weights = {}
    for name, value in weights.items():
        if not name.startswith("l") or value.ndim != 2:
            out[name] = value
            continue
        scale = np.maximum(np.abs(value).max(0), NIL) / LIMIT
        out[f"{name}.q"] = np.round(value / scale).astype(np.int8)
        out[f"{name}.scale"] = scale.astype(np.float32)
    return out


def restored(weights: Arrays) -> Weights:
    """The numbers that `stored` weights stand for."""
    out: Weights = {}
    for name, value in weights.items():
        if name.endswith(".q"):
            name = name.removesuffix(".q")
            out[name] = value.astype(np.float32) * weights[f"{name}.scale"]
        elif not name.endswith(".scale"):
            out[name] = value
    return out


def shallow(weights: Arrays, layers: Sequence[int], units: int) -> Weights:
    """The named layers alone, each with the `units` feed-forward units whose weights are largest."""
    out: Weights = {}
    for new, old in enumerate(layers):
        part = {name.removeprefix(f"l{old}."): v for name, v in weights.items() if name.startswith(f"l{old}.")}
        size = np.linalg.norm(part["fi.w"], axis=0) * np.linalg.norm(part["fo.w"], axis=1)
        kept = np.sort(np.argsort(-size)[:units])
        part |= {"fi.w": part["fi.w"][:, kept], "fi.b": part["fi.b"][kept], "fo.w": part["fo.w"][kept]}
        out |= {f"l{new}.{name}": np.ascontiguousarray(value) for name, value in part.items()}
    return out
