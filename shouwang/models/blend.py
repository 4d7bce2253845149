"""Two unlike readers of one text, a linear model and a small encoder, and the mixture that makes them one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from shouwang.models.encoder import TextEncoder
from shouwang.models.linear import Entries, HashedLinear
from shouwang.models.mixture import Mixture
from shouwang.text.ngrams import Occurrences

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blend:
    """`dense` (d × heads) weighs the encoder's d frozen features in the linear member.

    `batch` texts are read at once: few, so that the first answers come soon.
    """

    batch: ClassVar[int] = 16

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
        frozen = np.stack([row @ self.dense for row in bottom])  # one matrix product would round by the batch's size
        linear = self.linear.logits(texts) + frozen
        return heads.astype(np.float64), linear.astype(np.float64)

    def explained(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Occurrences, Entries]:
        """As the linear member's: evidence comes from it alone, and its weights are log-odds of that member."""
        return self.linear.explained(texts)

    def shares(self, occurrences: Occurrences, entries: Entries, head: int) -> NDArray[np.float32]:
        """As the linear member's."""
        return self.linear.shares(occurrences, entries, head)
