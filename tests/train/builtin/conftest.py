from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shouwang.models import tokens
from shouwang.train.builtin import texts as module
from shouwang.train.builtin import vocabulary
from shouwang.train.builtin.backbone import PREFIX, Backbone, starting_weights
from shouwang.train.builtin.stacked import fresh_heads
from shouwang.train.builtin.texts import Bank, Texts
from tests.train.builtin import invented

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """So small matrices are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return invented.backbone()


@pytest.fixture(scope="session")
def start(backbone: Backbone) -> dict[str, NDArray[Any]]:
    """All pieces, all layers."""
    return starting_weights(backbone, np.arange(len(invented.PIECES)), invented.LAYERS, invented.LONGEST)


@pytest.fixture(scope="session")
def weights(start: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """With random heads."""
    return start | fresh_heads(invented.HIDDEN, np.random.default_rng(1))


@pytest.fixture(scope="session")
def texts(backbone: Backbone) -> Texts:
    """The invented pools as the backbone's own tokenizer reads them, eight turns and four further ones."""
    tokenizer = vocabulary.build(backbone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TURNS", 8)
        return module.gather(
            invented.pools(),
            lambda rows: tokens.encode(tokenizer, {}, [row.text for row in rows]),
            invented.rows("turns", 12),
        )


@pytest.fixture(scope="session")
def bank(backbone: Backbone, texts: Texts) -> Bank:
    prefix = vocabulary.build(backbone).encode(PREFIX.strip(), add_special_tokens=False).ids
    return Bank(texts, np.array(prefix, np.int64), CPU)


@pytest.fixture
def weights_file(backbone: Backbone, tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(invented.spelled(backbone))
    return path
