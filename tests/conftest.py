from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with local copies of the public data sets."""
    folder = Path(os.environ.get("SHOUWANG_DATA", BESIDE))
    if not folder.is_dir():
        pytest.skip("no local copy of the public data sets: set SHOUWANG_DATA to its folder")
    return folder
