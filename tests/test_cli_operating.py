from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shouwang.cli import application
from shouwang.errors import InputError
from shouwang.models import store
from tests.tiny import save_tiny, save_tiny_blend


@pytest.fixture(scope="module")
def blend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blend")
    save_tiny_blend(folder)
    return folder


def said(*arguments: object) -> str:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(application(), ["operating-points", *map(str, arguments)])
    if done.exception:
        raise done.exception
    return done.stdout


def test_every_named_point_and_every_further_one_has_a_row(blend: Path) -> None:
    shown = said("--model", blend, "workload=50/1000")
    for name in ("recall95", "recall99", "balanced *", "workload=50/1000"):
        assert name in shown
    assert "of 1,000 posts (20 high, the rest everyday posts)" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_json_holds_what_the_model_says_of_each_point(blend: Path) -> None:
    found = json.loads(said("--model", blend, "--base-rate", 0.5, "--rest", "tree-hole", "--json"))
    assert {key: found[key] for key in ("model", "default", "base_rate", "rest")} == {
        "model": "tiny-blend 0",
        "default": "balanced",
        "base_rate": 0.5,
        "rest": "tree-hole",
    }
    operating = store.load(blend).operating
    assert operating is not None
    for row in found["points"]:
        point = operating.points[row["name"]]
        assert (row["threshold"], row["recall"]) == (point.threshold, point.recall)
        assert point.recall is not None
        assert point.flagged_low is not None
        assert row["per_1000"] == {
            "flagged": pytest.approx(500 * (point.recall + point.flagged_low)),
            "false_alarms": pytest.approx(500 * point.flagged_low),
            "missed": pytest.approx(500 * (1 - point.recall)),
        }


def test_a_model_without_operating_points_says_so(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    with pytest.raises(InputError, match="model tiny 0 states no operating points; name another with --model"):
        said("--model", tmp_path)
