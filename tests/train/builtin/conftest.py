from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shouwang.train.builtin.backbone import Backbone, starting_weights
from shouwang.train.builtin.encoder import fresh_heads
from tests.train.builtin import invented


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return invented.backbone()


@pytest.fixture(scope="session")
def weights(backbone: Backbone) -> dict[str, NDArray[Any]]:
    """What an encoder starts from: all pieces, all layers, random heads."""
    heads = fresh_heads(invented.SHAPE, invented.HIDDEN, np.random.default_rng(1))
    return starting_weights(backbone, np.arange(len(invented.PIECES)), invented.LAYERS, invented.LONGEST) | heads


@pytest.fixture
def weights_file(backbone: Backbone, tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(invented.spelled(backbone))
    return path
