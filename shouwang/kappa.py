"""Cohen's kappa of tables of two answers: what a model is measured by, and annotators too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ratio(part: Floats, whole: Floats, undefined: float = np.nan) -> Floats:
    """part / whole, and `undefined` where whole is not positive; never with a warning."""
    filled = np.full(np.broadcast(part, whole).shape, undefined)
    found: Floats = np.divide(part, whole, out=filled, where=whole > 0)
    return found


def squared_distances(k: int) -> Floats:
    """(K, K): how far two of 0..K-1 are apart, squared."""
    places = np.arange(k, dtype=np.float64)
    squared: Floats = np.subtract.outer(places, places) ** 2
    return squared


def kappa(table: Floats, weights: Floats | None = None) -> Floats:
    """Agreement beyond chance, at most 1, of one table (K, K) of how often two answers met, or of many (…, K, K).

    Cohen 1960, Educ. Psychol. Meas. 20:37-46; with `weights` (K, K) of disagreement, 0 on the diagonal, his weighted
    kappa, 1968, Psychol. Bull. 70:213-220. nan where chance alone would not disagree.
    """
    weights = 1 - np.eye(table.shape[-1]) if weights is None else weights
    total = table.sum(axis=(-2, -1))
    chance = table.sum(axis=-1)[..., :, None] * table.sum(axis=-2)[..., None, :]
    expected = (chance * weights).sum(axis=(-2, -1))
    agreed: Floats = 1 - ratio((table * weights).sum(axis=(-2, -1)) * total, expected)
    return agreed
