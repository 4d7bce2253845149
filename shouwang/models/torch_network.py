"""A fine-tuned encoder run by torch; evidence by integrated gradients. Imports torch: import it inside functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from shouwang.models.batches import Ints, of_similar_length, padded
from shouwang.models.finetuned import Floats, Score

if TYPE_CHECKING:
    from transformers import PreTrainedModel

STEPS = 8
"""Points on the way from the masked text to the text at which gradients are taken."""

_NUDGE = 1e-4


@dataclass(frozen=True, slots=True)
class TorchNetwork:
    """A sequence classifier in fp32; `pad` and `mask` are token ids."""

    model: PreTrainedModel
    pad: int
    mask: int

    def __call__(self, posts: Sequence[Ints]) -> NDArray[np.float32]:
        """As `Network`: posts of similar length share a batch."""
        rows = of_similar_length([len(ids) for ids in posts])
        found: dict[int, NDArray[np.float32]] = {}
        with torch.inference_mode():
            for batch in rows:
                ids, mask = (self._tensor(each) for each in padded([posts[row] for row in batch], self.pad))
                logits = self.model(input_ids=ids, attention_mask=mask).logits.float().cpu().numpy()
                found.update(zip(batch.tolist(), logits, strict=True))
        return np.stack([found[row] for row in range(len(posts))])

    def contributions(self, ids: Ints, pieces: Ints, score: Score) -> Floats:
        """As `Network`, by integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365) over the token vectors.

        The way begins where every token of the text is [MASK]; on it, the midpoints of `STEPS` equal parts are taken.
        """
        embed = self.model.get_input_embeddings()
        blank = np.where(pieces >= 0, self.mask, ids)
        with torch.no_grad():
            there, base = embed(self._tensor(ids)), embed(self._tensor(blank))
        shares = (torch.arange(STEPS, device=there.device) + 0.5) / STEPS
        points = (base + shares[:, None, None] * (there - base)).requires_grad_()
        seen = torch.ones(points.shape[:2], dtype=torch.long, device=points.device)
        logits = self.model(inputs_embeds=points, attention_mask=seen).logits.float()
        found = []
        for slope in slopes(score, logits.detach().cpu().numpy().astype(np.float64)):
            pull = torch.from_numpy(slope).to(logits)
            (gradient,) = torch.autograd.grad(logits, points, pull, retain_graph=True)
            found.append((gradient.mean(0) * (there - base)).sum(-1).cpu().numpy())
        return np.stack(found).astype(np.float64)

    def _tensor(self, array: Ints) -> torch.Tensor:
        return torch.from_numpy(array).to(self.model.device)


def slopes(score: Score, logits: Floats) -> Floats:
    """Derivatives (targets, n, columns) of the score, by central differences: one definition of it serves all."""
    nudges = _NUDGE * np.eye(logits.shape[1])
    ups, downs = (np.stack([score(logits + sign * each) for each in nudges], axis=-1) for sign in (1, -1))
    return np.moveaxis((ups - downs) / (2 * _NUDGE), 1, 0)
