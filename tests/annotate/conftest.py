from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shouwang.annotate.project import Project
from tests.annotate import invented
from tests.llm.conftest import server

__all__ = ["server"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Six invented posts, two raters a post."""
    made = invented.project(tmp_path)
    yield made
    made.close()
