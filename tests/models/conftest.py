from __future__ import annotations

import pytest

from shouwang.models import store
from shouwang.models.model import Model
from tests.tiny import save_tiny, save_tiny_blend


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model with random weights, as it comes back from its folder."""
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder)
    return store.load(folder)


@pytest.fixture(scope="session")
def tiny_blend(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A blend with random weights, as it comes back from its folder."""
    folder = tmp_path_factory.mktemp("tiny-blend")
    save_tiny_blend(folder)
    return store.load(folder)
