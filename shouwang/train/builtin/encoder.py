"""The trainable encoder: the backbone's first layers and one row of heads (torch).

Parameters carry the names and [in, out] shapes the ONNX graph takes, so exporting is a copy. Embeddings stay frozen:
they are looked up in numpy and never become parameters. The first `frozen_layers` layers stay frozen too; a post's
output of them is computed once and kept.
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
from shouwang.models.tokens import PAD
from shouwang.train.builtin.backbone import unpack_rows

FROZEN = ("word.nibbles", "word.scales", "place", "emb.ln.w", "emb.ln.b")
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    layers: int = 8
    heads: int = 12
    epsilon: float = 1e-12
    dropout: float = 0.1
    explain: int = 32
    frozen_layers: int = 4


def fresh_heads(shape: Shape, hidden: int, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """Small random weights for the heads and for the explanation."""
    heads = {}
    for name, size in (("heads", len(HEADS)), ("explain", shape.explain)):
        heads[f"{name}.w"] = (rng.normal(size=(2 * hidden, size)) * 0.02).astype(np.float32)
        heads[f"{name}.b"] = np.zeros(size, np.float32)
    return heads


class Encoder(nn.Module):
    """`forward` gives log-odds [b, len(HEADS)] and the explanation [b, d]."""

    def __init__(self, weights: Arrays, shape: Shape, memory: dict[bytes, torch.Tensor] | None = None) -> None:
        super().__init__()
        self.shape = shape
        self.memory = {} if memory is None else memory
        self.frozen = {name: weights[name] for name in FROZEN}
        self.names = {name.replace(".", "_"): name for name in weights if name not in self.frozen}
        for parameter, name in self.names.items():
            value = torch.from_numpy(np.array(weights[name], np.float32))
            self.register_parameter(parameter, nn.Parameter(value, requires_grad=not self._still(name)))

    def _still(self, name: str) -> bool:
        return any(name.startswith(f"l{i}.") for i in range(self.shape.frozen_layers))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The trained arrays under their ONNX names, without the frozen ones."""
        return {self.names[n]: p.detach().numpy().copy() for n, p in self.named_parameters() if p.requires_grad}

    def forward(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        real = torch.arange(ids.shape[1])[None] < torch.from_numpy(lengths)[:, None]
        mask = None if bool(real.all()) else real[:, None, None, :]
        x = self._drop(self._bottom(ids, lengths))
        for i in range(self.shape.frozen_layers, self.shape.layers):
            x = self._layer(i, x, mask)
        mean = (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        peak = x.masked_fill(~real[..., None], -torch.inf).amax(1)
        pooled = torch.cat([mean, peak], -1)
        return self._head("heads", pooled), self._head("explain", pooled)

    def _bottom(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> torch.Tensor:
        """Output of the frozen part for each post, remembered: [b, n, hidden], 0 beyond a post's end."""
        out = torch.zeros(*ids.shape, self.frozen["place"].shape[1])
        with torch.no_grad():
            for row, n in enumerate(lengths):
                key = ids[row, :n].tobytes()
                if key not in self.memory:
                    x = self._embedded(ids[row : row + 1, :n])
                    for i in range(self.shape.frozen_layers):
                        x = self._layer(i, x, None, drop=False)
                    self.memory[key] = x[0]
                out[row, :n] = self.memory[key]
        return out

    def _embedded(self, ids: NDArray[np.int64]) -> torch.Tensor:
        rows = unpack_rows(self.frozen["word.scales"][ids], self.frozen["word.nibbles"][ids])
        x = torch.from_numpy(rows + self.frozen["place"][: ids.shape[1]])
        scale, shift = torch.from_numpy(self.frozen["emb.ln.w"]), torch.from_numpy(self.frozen["emb.ln.b"])
        return functional.layer_norm(x, x.shape[-1:], scale, shift, self.shape.epsilon)

    def _layer(self, i: int, x: torch.Tensor, mask: torch.Tensor | None, drop: bool = True) -> torch.Tensor:
        def p(name: str) -> torch.Tensor:
            return self.get_parameter(f"l{i}_{name}".replace(".", "_"))

        batch, length, hidden = x.shape
        qkv = torch.matmul(x, p("qkv.w")) + p("qkv.b")
        q, k, v = qkv.view(batch, length, 3, self.shape.heads, -1).permute(2, 0, 3, 1, 4)
        context = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        context = context.transpose(1, 2).reshape(batch, length, hidden)
        out = torch.matmul(context, p("ao.w")) + p("ao.b")
        out = self._drop(out) if drop else out
        x = functional.layer_norm(x + out, (hidden,), p("aln.w"), p("aln.b"), self.shape.epsilon)
        out = functional.gelu(torch.matmul(x, p("fi.w")) + p("fi.b"))
        out = torch.matmul(out, p("fo.w")) + p("fo.b")
        out = self._drop(out) if drop else out
        return functional.layer_norm(x + out, (hidden,), p("oln.w"), p("oln.b"), self.shape.epsilon)

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.shape.dropout, self.training)

    def _head(self, name: str, pooled: torch.Tensor) -> torch.Tensor:
        return torch.matmul(self._drop(pooled), self.get_parameter(f"{name}_w")) + self.get_parameter(f"{name}_b")


def pad(posts: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids [b, longest], padded, and lengths [b]."""
    lengths = np.array([len(post) for post in posts])
    ids = np.full((len(posts), lengths.max()), PAD, np.int64)
    for row, post in zip(ids, posts, strict=True):
        row[: len(post)] = post
    return ids, lengths
