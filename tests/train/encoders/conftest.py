from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.train.encoders.tiny import save_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny BERT."""
    return save_checkpoint(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Sums in one order, as in the processes that these tests start."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def keyword_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the task of `keyword`, both heads."""
    from shouwang.train.encoders.run import train
    from tests.train.encoders import keyword

    folder = tmp_path_factory.mktemp("keyword")
    checkpoint = save_checkpoint(folder / "checkpoint")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run = train(str(checkpoint), keyword.splits(), keyword.SETTINGS, folder / "run", drop_leaks=True)
    torch.set_num_threads(before)
    return run.folder
