"""A model that is there at once: random weights, a few thousand features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shouwang.models import store
from shouwang.models.features import HashedFeatures
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import HEADS
from shouwang.models.model import Model


def save_tiny(folder: Path) -> None:
    features = HashedFeatures(bits=12)
    weights = np.random.default_rng(0).normal(0, 2, (features.columns, len(HEADS)))
    heads = HashedLinear(
        features,
        idf=np.ones(features.columns, np.float32),
        weights=weights.astype(np.float32),
        bias=np.zeros(len(HEADS), np.float32),
    )
    store.save(Model("tiny", "0", heads, 0.5), folder, {})
