"""Two unlike readers of one text, a linear model and a small encoder, and the mixture that makes them one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shouwang.models.encoder import TextEncoder
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import Mixture

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blend:
    """`dense` (d × heads) weighs the encoder's d frozen features in the linear member."""

    linear: HashedLinear
    dense: NDArray[np.float32]
    encoder: TextEncoder
    mixture: Mixture

    def logits(self, texts: Sequence[str]) -> Floats:
        """Log-odds, one row per text and one column per head."""
        return self.mixture(*self.members(texts))

    def members(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """What each member says: log-odds of the encoder and of the linear member, (n, heads) each."""
        heads, bottom = self.encoder(texts)
        linear = self.linear.logits(texts) + bottom @ self.dense
        return heads.astype(np.float64), linear.astype(np.float64)
