from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server that answers several calls at once."""
    with HTTPServer(host="127.0.0.1", threaded=True) as running:
        yield running
