"""The API keeps to its own description, whatever it is sent.

With more examples: SHOUWANG_EXAMPLES=50 python -m pytest tests/triage/test_api_description.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from sqlalchemy import Engine

from shouwang import database
from shouwang.triage import keys, schema, service
from tests.triage.invented import POLICY, PSEUDONYMS, watch

OPERATIONS = 9
FEW = settings(
    max_examples=int(os.environ.get("SHOUWANG_EXAMPLES", "4")),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Engine]:
    engine = database.engine(tmp_path / "watch.sqlite")
    schema.upgrade(engine)
    watch(engine, "3 雨", "7 夜")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_described(filled: Engine, mode: GenerationMode) -> None:
    with database.writing(filled) as connection:
        key = keys.add(connection, "schemathesis", keys.SCOPES, "cli", 1.0, per_minute=10**9)
    api = service.api(service.Watch(filled, PSEUDONYMS, {"recall95": 0.2}, POLICY))
    described = schemathesis.openapi.from_asgi("/openapi.json", api)
    operations: list[Any] = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == OPERATIONS
    for operation in operations:

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {key}"})

        check()
