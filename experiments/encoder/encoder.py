"""The trainable encoder: the backbone's first layers, with a pair of heads at each exit depth (torch).

Parameters carry the names and [in, out] shapes the ONNX graph takes, so exporting is a copy.
Embeddings stay frozen: they are looked up in numpy and never become parameters. The first
`frozen_layers` layers may stay frozen too; a post's output of them is then computed once and kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .backbone import unpack_rows

LEVELS = 11
FROZEN = ("word.nibbles", "word.scales", "place", "emb.ln.w", "emb.ln.b")


@dataclass(frozen=True)
class Shape:
    layers: int = 6
    exits: tuple[int, ...] = (3, 4, 6)
    heads: int = 12
    epsilon: float = 1e-12
    dropout: float = 0.1
    explain: int = 32
    frozen_layers: int = 0


def fresh_heads(shape: Shape, hidden: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Small random heads for every exit, and the explanation head of the last one."""
    sizes = {f"{kind}{e}": n for e in shape.exits for kind, n in (("levels", LEVELS), ("high", 2))}
    sizes["explain"] = shape.explain
    heads = {}
    for name, n in sizes.items():
        heads[f"{name}.w"] = (rng.normal(size=(2 * hidden, n)) * 0.02).astype(np.float32)
        heads[f"{name}.b"] = np.zeros(n, np.float32)
    return heads


class Encoder(nn.Module):
    """`forward` gives, per exit, the level logits [b, 11] and high logits [b, 2]; and the explanation [b, d]."""

    def __init__(
        self, weights: Mapping[str, np.ndarray], shape: Shape, memory: dict[bytes, torch.Tensor] | None = None
    ) -> None:
        super().__init__()
        self.shape = shape
        self.memory = {} if memory is None else memory
        self.frozen = {name: weights[name] for name in FROZEN}
        for name, value in weights.items():
            if name not in self.frozen:
                self.register_parameter(
                    name.replace(".", "_"),
                    nn.Parameter(torch.from_numpy(np.array(value, np.float32)), requires_grad=not self._still(name)),
                )
        self.names = {name.replace(".", "_"): name for name in weights if name not in self.frozen}

    def _still(self, name: str) -> bool:
        return any(name.startswith(f"l{i}.") for i in range(self.shape.frozen_layers))

    def _bottom(self, ids: np.ndarray, lengths: np.ndarray) -> torch.Tensor:
        """Output of the frozen part for each post, remembered: [b, n, hidden], 0 beyond a post's end."""
        keys = [row[:n].tobytes() for row, n in zip(ids, lengths, strict=True)]
        out = torch.zeros(*ids.shape, self.frozen["place"].shape[1])
        with torch.no_grad():
            for row, (key, n) in enumerate(zip(keys, lengths, strict=True)):
                if key not in self.memory:
                    x = self.embed(ids[row : row + 1, :n])
                    for i in range(self.shape.frozen_layers):
                        x = self._layer(i, x, None, drop=False)
                    self.memory[key] = x[0]
                out[row, :n] = self.memory[key]
        return out

    def weights(self) -> dict[str, np.ndarray]:
        """The trained arrays under their ONNX names, without the frozen ones."""
        return {self.names[n]: p.detach().numpy().copy() for n, p in self.named_parameters() if p.requires_grad}

    def embed(self, ids: np.ndarray) -> torch.Tensor:
        rows = unpack_rows(self.frozen["word.scales"][ids], self.frozen["word.nibbles"][ids])
        rows += self.frozen["place"][: ids.shape[1]]
        x = torch.from_numpy(rows)
        scale, shift = torch.from_numpy(self.frozen["emb.ln.w"]), torch.from_numpy(self.frozen["emb.ln.b"])
        return functional.layer_norm(x, x.shape[-1:], scale, shift, self.shape.epsilon)

    def _layer(self, i: int, x: torch.Tensor, mask: torch.Tensor | None, drop: bool = True) -> torch.Tensor:
        def p(name: str) -> torch.Tensor:
            return getattr(self, f"l{i}_{name}".replace(".", "_"))

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
        return torch.matmul(self._drop(pooled), getattr(self, f"{name}_w")) + getattr(self, f"{name}_b")

    def forward(
        self, ids: np.ndarray, lengths: np.ndarray
    ) -> tuple[dict[int, tuple[torch.Tensor, torch.Tensor]], torch.Tensor]:
        real = torch.arange(ids.shape[1])[None] < torch.from_numpy(lengths)[:, None]
        mask = None if bool(real.all()) else real[:, None, None, :]
        x = self._drop(self._bottom(ids, lengths) if self.shape.frozen_layers else self.embed(ids))
        out = {}
        for i in range(self.shape.frozen_layers, self.shape.layers):
            x = self._layer(i, x, mask)
            if i + 1 in self.shape.exits:
                mean = (x * real[..., None]).sum(1) / real.sum(1, keepdim=True)
                peak = x.masked_fill(~real[..., None], -torch.inf).amax(1)
                pooled = torch.cat([mean, peak], -1)
                out[i + 1] = self._head(f"levels{i + 1}", pooled), self._head(f"high{i + 1}", pooled)
        return out, self._head("explain", pooled)


def pad(posts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Ids [b, longest] padded with 1, and lengths [b]."""
    lengths = np.array([len(p) for p in posts])
    ids = np.ones((len(posts), lengths.max()), np.int64)
    for row, post in zip(ids, posts, strict=True):
        row[: len(post)] = post
    return ids, lengths


def predict(model: Encoder, posts: Sequence[np.ndarray], batch: int = 16) -> dict[str, np.ndarray]:
    """Probabilities per exit: `levels{e}` [n, 11] and `high{e}` [n]."""
    model.eval()
    order = np.argsort([len(p) for p in posts], kind="stable")
    out: dict[str, np.ndarray] = {f"levels{e}": np.zeros((len(posts), LEVELS), np.float32) for e in model.shape.exits}
    out |= {f"high{e}": np.zeros(len(posts), np.float32) for e in model.shape.exits}
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            logits, _ = model(*pad([posts[r] for r in rows]))
            for e, (levels, high) in logits.items():
                out[f"levels{e}"][rows] = levels.softmax(-1).numpy()
                out[f"high{e}"][rows] = high.softmax(-1)[:, 1].numpy()
    return out
