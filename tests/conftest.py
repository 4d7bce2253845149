from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shouwang.language import use_language

BESIDE = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with local copies of the public data sets."""
    folder = Path(os.environ.get("SHOUWANG_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip("no local copy of the public data sets: set SHOUWANG_DATA to its folder")
    return folder


@pytest.fixture(autouse=True)
def _no_language_chosen() -> Iterator[None]:
    """A language that one test chose is not the next one's: which tests share a process is chance."""
    yield
    use_language(None)
