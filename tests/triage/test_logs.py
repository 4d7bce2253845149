from __future__ import annotations

import json
import logging

import pytest
from sqlalchemy import Engine

from shouwang.triage.logs import JsonLines
from tests.triage.test_service import Caller, posts


def test_of_an_error_the_kind_is_told_and_never_what_it_says() -> None:
    try:
        raise ValueError("秘密的话")
    except ValueError as error:
        record = logging.LogRecord("shouwang.api", logging.ERROR, "f", 1, "failed", (), (ValueError, error, None))
    told = json.loads(JsonLines().format(record))
    assert (told["message"], told["error"], told["level"]) == ("failed", "ValueError", "error")
    assert "秘密" not in JsonLines().format(record)


def test_a_request_is_logged_by_route_without_text_id_or_query(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shouwang")
    with Caller(engine) as caller:
        caller.post("/v1/posts", json=posts("9 秘密的话"))
        caller.post("/v1/posts", content="秘密的话")
        caller.get("/v1/cases/4711?token=4712")
    lines = [JsonLines().format(record) for record in caplog.records]
    found = [json.loads(line) for line in lines if "shouwang.access" in line]
    assert [(each["route"], each["status"]) for each in found] == [
        ("/v1/posts", "202"),
        ("/v1/posts", "422"),
        ("/v1/cases/{number}", "422"),
    ]
    assert not [line for line in lines if "秘密" in line or "4711" in line or "4712" in line]
