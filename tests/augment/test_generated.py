from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from shouwang import scale
from shouwang.augment.filters import DEFAULT
from shouwang.augment.generated import EXAMPLES, PER_CALL, VERSION, Generated, estimate, messages
from shouwang.augment.methods import Material, augmenters
from shouwang.augment.plan import Result, augment
from shouwang.benchmark.augmentation import leaking
from shouwang.errors import InputError
from shouwang.llm import Client, Endpoint, EndpointError
from tests.augment.invented import HELD_OUT, TRAIN, split
from tests.llm.scripted import Body, Scripted, chat, error

SPLIT = split()


def writer(*extra: str) -> Scripted:
    """Writes another five posts at every call, and `extra` with the first five."""
    count = iter(range(10_000))
    more = iter([list(extra)])

    def answer(body: Body) -> Response:
        n = next(count)
        posts = [f"窗外第{n}场雨落了{i}个下午，没有人来" for i in range(PER_CALL)]
        return chat(json.dumps({"posts": next(more, []) + posts}, ensure_ascii=False))

    return Scripted(answer)


def go(server: HTTPServer | str, scripted: Scripted, folder: Path, plan: str = "8=9", **options: float) -> Result:
    url = server if isinstance(server, str) else scripted.serve(server)
    place = Endpoint(url, "writer", retries=0, concurrency=1, timeout=2, **options)  # type: ignore[arg-type]
    with Client(place, folder / "a.sqlite") as client:
        made = augmenters(["generated"], Material(SPLIT, client=client))
        return augment(SPLIT, plan, made, leaking, filters=DEFAULT)


def test_posts_of_the_wanted_level_carry_model_prompt_seed_and_examples(server: HTTPServer, tmp_path: Path) -> None:
    scripted = writer()
    result = go(server, scripted, tmp_path, plan="4=8")
    assert [(post.level, post.high, post.method) for post in result.kept] == [(4, False, "generated")] * 6
    assert set(result.kept[0].origins) == {"b-1", "b-2"}
    notes = result.kept[0].notes
    assert (notes["model"], notes["prompt"]) == ("writer", VERSION)
    assert notes["seed"] in {body["seed"] for body in scripted.bodies}


@pytest.mark.parametrize("level", range(11))
def test_the_prompt_is_built_from_the_scale_and_holds_back_from_harm(level: int) -> None:
    system, user = (message["content"] for message in messages(level, ["示例一"], 5))
    assert scale.level(level).definition.zh in user
    assert "<示例>示例一</示例>" in user
    assert "绝不写怎样伤害自己" in system


def test_examples_come_from_that_level_of_the_training_split_alone(server: HTTPServer, tmp_path: Path) -> None:
    scripted = writer()
    go(server, scripted, tmp_path, plan="4=8")
    asked = " ".join(body["messages"][-1]["content"] for body in scripted.bodies)
    assert {post.id for post in TRAIN if post.text in asked} == {"b-1", "b-2"}
    assert HELD_OUT[0].text not in asked


def test_what_explains_harm_is_in_english_or_leaks_is_refused_and_counted(server: HTTPServer, tmp_path: Path) -> None:
    bad = ("告诉你们药的剂量", "I want to disappear from here", HELD_OUT[0].text)
    result = go(server, writer(*bad), tmp_path)
    reasons = {reason for _, _, reason in result.filtered}
    assert {"harm", "language", "leak"} <= reasons
    assert not {post.text for post in result.kept} & set(bad)
    assert len(result.kept) == 8


def test_a_run_that_stopped_goes_on_from_its_cache(server: HTTPServer, tmp_path: Path) -> None:
    scripted = writer()
    first = go(server, scripted, tmp_path, plan="8=9")
    calls = len(scripted.bodies)
    assert go(server, scripted, tmp_path, plan="8=9").kept == first.kept
    assert len(scripted.bodies) == calls


def test_the_budget_is_not_exceeded_and_a_larger_one_goes_on(server: HTTPServer, tmp_path: Path) -> None:
    scripted = writer()
    prices = {"price_in": 1.0, "price_out": 1.0}
    with pytest.raises(EndpointError, match="give a larger budget to go on"):
        go(server, scripted, tmp_path, plan="8=40", budget=0.0022, **prices)
    sent = len(scripted.bodies)
    assert sent < 8
    result = go(server, scripted, tmp_path, plan="8=40", budget=10, **prices)
    assert len(result.kept) == 39
    assert len(scripted.bodies) == 8


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(chat("抱歉"), "invalid"), (chat(None, refusal="no"), "refused"), (chat('{"posts": []}'), "invalid")],
)
def test_garbage_and_refusals_are_counted_and_the_level_is_reported_short(
    server: HTTPServer, tmp_path: Path, answer: Response, reason: str
) -> None:
    result = go(server, Scripted(lambda body: answer), tmp_path, plan="8=3")
    assert result.not_made["generated", 8, reason] > 0
    assert result.short == {8: 2}


def test_a_wrong_key_and_a_server_that_is_down_are_errors_that_say_so(server: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(EndpointError, match="the key is refused"):
        go(server, Scripted(lambda body: error(401)), tmp_path)
    with pytest.raises(EndpointError, match="run the same command again"):
        go("http://127.0.0.1:9/v1", writer(), tmp_path, plan="8=60")


def test_without_an_endpoint_nothing_is_sent() -> None:
    with pytest.raises(InputError, match="no endpoint is named; nothing was sent"):
        augmenters(["generated"], Material(SPLIT))


def test_an_estimate_counts_calls_and_tokens() -> None:
    calls, tokens_in, tokens_out = estimate(11, TRAIN)
    assert (calls, tokens_out) == (3, 3 * PER_CALL * 60)
    assert tokens_in > 3 * EXAMPLES * 10


def test_requests_are_the_same_for_the_same_rng(server: HTTPServer, tmp_path: Path) -> None:
    import numpy as np

    with Client(Endpoint(server.url_for("/v1"), "m"), tmp_path / "a.sqlite") as client:
        made = Generated(client, TRAIN)
        first, second = (made.request(TRAIN[3], np.random.default_rng(1)) for _ in range(2))
    assert first == second
