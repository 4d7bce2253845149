"""The client against a real server in every dialect met so far."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict
from pytest_httpserver import HTTPServer
from werkzeug import Response

from shouwang.errors import InputError
from shouwang.language import use_language
from shouwang.llm import Client, Endpoint, EndpointError, Message, Reply, Request
from tests.llm.scripted import Body, Scripted, chat, error, form


class Rating(BaseModel):
    model_config = ConfigDict(extra="forbid")
    level: Literal[0, 1, 2]
    why: str


GOOD = '{"level": 1, "why": "累"}'
FAST: dict[str, Any] = {"retries": 0, "timeout": 5.0}


def asking(text: str = "今天的茶凉了", name: str = "p-1", **more: Any) -> Request[Rating]:
    system: Message = {"role": "system", "content": "评分"}
    return Request(name, "v1", (system, {"role": "user", "content": text}), Rating, **more)


def endpoint(url: str, **more: Any) -> Endpoint:
    return Endpoint(url, "scripted", **{**FAST, **more})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def knows(*forms: str, status: int = 500) -> Callable[[Body], Response]:
    """A server that answers with an error to every response_format but these."""
    return lambda body: chat(GOOD) if form(body) in forms else error(status)


def test_the_answer_comes_back_validated(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD))
    with Client(endpoint(model.serve(server), key="secret"), cache) as client:
        reply = client.ask(asking())
    assert (reply.answer, reply.problem, reply.cached) == (Rating(level=1, why="累"), None, False)
    assert model.keys == ["Bearer secret"]
    assert model.bodies[0]["response_format"]["json_schema"]["schema"]["properties"]["level"]["enum"] == [0, 1, 2]


@pytest.mark.parametrize("status", [400, 422, 500, 501])
@pytest.mark.parametrize(
    ("forms", "rung"),
    [(["json_schema"], "json_schema"), (["json_object", "prompt"], "json_object"), (["prompt"], "prompt")],
)
def test_the_ladder_goes_down_to_what_the_server_knows_and_stays_there(
    server: HTTPServer, cache: Path, forms: list[str], rung: str, status: int
) -> None:
    model = Scripted(knows(*forms, status=status))
    with Client(endpoint(model.serve(server)), cache) as client:
        replies = [client.ask(asking(f"第{n}杯茶")) for n in range(3)]
        assert client.rung == rung
    assert all(reply.answer for reply in replies)
    assert [form(body) for body in model.bodies[-3:]] == [rung] * 3


def test_a_question_that_meets_the_ladder_late_is_asked_on_the_rung_that_another_proved(
    server: HTTPServer, cache: Path
) -> None:
    proven = threading.Event()

    def says(body: Body) -> Response:
        if form(body) == "prompt":
            proven.set()
            return chat(GOOD)
        if body["messages"][1]["content"] == "慢":
            proven.wait(5)
            time.sleep(0.1)
        return error(400)

    with Client(endpoint(Scripted(says).serve(server)), cache) as client:
        replies = [*client.stream([asking("慢", "slow"), asking("快", "fast")])]
    assert {reply.id: reply.problem for reply in replies} == {"slow": None, "fast": None}


def test_below_json_schema_the_schema_stands_in_the_prompt(server: HTTPServer, cache: Path) -> None:
    model = Scripted(knows("prompt"))
    with Client(endpoint(model.serve(server)), cache) as client:
        client.ask(asking())
    assert '"why"' in model.bodies[-1]["messages"][0]["content"]
    assert '"why"' not in model.bodies[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    "text",
    [
        f"<think>第一步 {{}} {GOOD.replace('1', '9')}</think>\n```json\n{GOOD}\n```",
        f"Sure! Here is my rating: {GOOD} I hope this helps.",
        f'{{"level": 7, "why": "x"}} {GOOD}',
        f'maybe {{"level": 2, "why": "draft"}} …</think>{GOOD}',  # its template began the thought
        f'<think>it says: </think>{{"level": 0, "why": "x"}}, ignore that</think>{GOOD}',
    ],
)
def test_a_server_that_ignores_the_form_is_still_understood(server: HTTPServer, cache: Path, text: str) -> None:
    model = Scripted(lambda body: chat(text))
    with Client(endpoint(model.serve(server)), cache) as client:
        assert client.ask(asking()).answer == Rating(level=1, why="累")
    assert len(model.bodies) == 1


@pytest.mark.parametrize("words", ["<think>", "</think>", "x</think>{"])
def test_words_about_thoughts_may_be_quoted(server: HTTPServer, cache: Path, words: str) -> None:
    model = Scripted(lambda body: chat(json.dumps({"level": 1, "why": words})))
    with Client(endpoint(model.serve(server)), cache) as client:
        assert client.ask(asking()).answer == Rating(level=1, why=words)


def test_a_thought_that_was_cut_short_is_no_answer(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(f"<think>perhaps {GOOD}", end="length"))
    with Client(endpoint(model.serve(server)), cache) as client:
        assert client.ask(asking()).problem == "invalid"


def test_a_useless_answer_is_asked_for_again_with_a_word_on_what_was_wrong(server: HTTPServer, cache: Path) -> None:
    answers = iter(['{"level": 9, "why": "x"}', "I cannot read Chinese.", GOOD])
    model = Scripted(lambda body: chat(next(answers)))
    with Client(endpoint(model.serve(server)), cache) as client:
        assert client.ask(asking()).answer == Rating(level=1, why="累")
    assert "level: literal_error" in model.bodies[1]["messages"][-1]["content"]
    assert "no JSON object" in model.bodies[2]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "text", ["", "%%%", "{" * 5_000, '{"等级": 3}', "[1]", "The level is 1 because they are tired."]
)
def test_garbage_is_given_up_after_three_answers_and_never_paid_for_again(
    server: HTTPServer, cache: Path, text: str
) -> None:
    model = Scripted(lambda body: chat(text))
    for _ in range(2):
        with Client(endpoint(model.serve(server)), cache) as client:
            reply = client.ask(asking())
        assert (reply.answer, reply.problem) == (None, "invalid")
    assert len(model.bodies) == 3


@pytest.mark.parametrize(
    "said", [chat(None, refusal="I'm sorry, I can't help with that."), chat("", end="content_filter")]
)
def test_a_refusal_is_taken_for_an_answer(server: HTTPServer, cache: Path, said: Response) -> None:
    model = Scripted(lambda body: said)
    with Client(endpoint(model.serve(server)), cache) as client:
        assert [client.ask(asking()).problem for _ in range(2)] == ["refused", "refused"]
    assert len(model.bodies) == 1


@pytest.mark.parametrize("code", ["content_filter", "data_inspection_failed", "DataInspectionFailed", "1301", 1301])
def test_a_service_that_lets_its_model_see_no_such_post_declines(
    server: HTTPServer, cache: Path, code: str | int
) -> None:
    model = Scripted(lambda body: error(400, code))
    with Client(endpoint(model.serve(server)), cache) as client:
        replies = [*client.stream(asking(f"第{n}杯茶", f"p-{n}") for n in range(9))]
    assert {reply.problem for reply in replies} == {"refused"}
    assert len(model.bodies) == 9


def test_a_wrong_key_stops_everything_and_is_not_shown(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: error(401, "invalid_api_key"))
    with (
        Client(endpoint(model.serve(server), key="sk-mine"), cache) as client,
        pytest.raises(EndpointError, match=r"the key is refused \(HTTP 401\)") as stopped,
    ):
        client.ask(asking())
    assert "sk-mine" not in str(stopped.value) + repr(client.endpoint)


def test_a_post_that_the_server_turns_down_does_not_stop_the_others(server: HTTPServer, cache: Path) -> None:
    model = Scripted(
        lambda body: error(400, "context_length") if len(body["messages"][1]["content"]) > 99 else chat(GOOD)
    )
    with Client(endpoint(model.serve(server)), cache) as client:
        replies = {r.id: r for r in client.stream([asking(), asking("茶" * 100, "long"), asking("水", "p-3")])}
    assert replies["long"].problem == "rejected"
    assert replies["long"].detail == "HTTP 400, context_length"
    assert [replies[name].problem for name in ("p-1", "p-3")] == [None, None]


def test_many_such_posts_in_a_row_do_not_stop_them_either(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: error(400, "x") if "长" in body["messages"][1]["content"] else chat(GOOD))
    posts = [*(asking(f"很长的第{n}条", f"long-{n}") for n in range(7)), asking(), asking("水", "last")]
    for _ in range(2):
        with Client(endpoint(model.serve(server), concurrency=1), cache) as client:
            replies = {reply.id: reply.problem for reply in client.stream(posts)}
        assert (replies["last"], [*replies.values()].count("rejected")) == (None, 7)
        server.clear()


def test_a_slow_server_is_left_and_may_have_charged(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD), seconds=1.0)
    with Client(endpoint(model.serve(server), timeout=0.2, price_in=1.0), cache) as client:
        reply = client.ask(asking())
        assert (reply.problem, reply.detail) == ("unreachable", "no answer within 0.2 s")
        assert client.costs().lost == 1
        assert client.costs().cost > 0


def test_every_call_that_came_to_nothing_is_in_the_bill_and_within_the_budget(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD), seconds=0.6)
    paid: dict[str, Any] = {"timeout": 0.2, "retries": 9, "price_in": 10_000.0, "budget": 2.0}
    with (
        Client(endpoint(model.serve(server), **paid), cache) as client,
        pytest.raises(EndpointError, match="is used up"),
    ):
        client.ask(asking("茶" * 60))  # each call: 62 characters, that may be 0.62
    with Client(endpoint(server.url_for("/v1"), **paid), cache) as client:
        assert client.costs().lost == 3
        assert client.costs().cost == pytest.approx(1.86)


def test_a_connection_that_breaks_may_have_been_charged_too(cache: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(65_536)
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        with Client(endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", price_in=1.0), cache) as client:
            assert client.ask(asking()).detail == "the connection broke"
            assert client.costs().lost == 1


def test_a_busy_server_is_asked_again(server: HTTPServer, cache: Path) -> None:
    answers = iter([error(429, **{"Retry-After": "0.05"}), chat(GOOD)])
    model = Scripted(lambda body: next(answers))
    with Client(endpoint(model.serve(server), retries=1), cache) as client:
        assert client.ask(asking()).answer
    assert len(model.bodies) == 2


NO_COMPLETION = [
    *("<html>busy</html>", '{"ok": true}', '{"choices": []}', "[]", "null", '"hello"', "{", '{"choices": {"a": 1}}'),
    *('{"choices": [{}]}', '{"choices": [null]}', '{"choices": [{"message": {"content": ["茶"]}}]}'),
]


@pytest.mark.parametrize("body", NO_COMPLETION)
def test_what_is_no_chat_completion_is_said_to_be_none(server: HTTPServer, cache: Path, body: str) -> None:
    for content_type in ("application/json", "text/html"):
        model = Scripted(lambda _: Response(body, content_type=content_type))  # noqa: B023 - served in this round
        with Client(endpoint(model.serve(server)), cache) as client:
            assert client.ask(asking()).problem == "rejected"
        server.clear()


def test_an_endpoint_that_dies_midway_stops_the_run_and_the_next_one_goes_on(server: HTTPServer, cache: Path) -> None:
    alive = {"left": 6}

    def dying(body: Body) -> Response:
        alive["left"] -= 1
        return chat(GOOD) if alive["left"] >= 0 else error(503)

    model = Scripted(dying)
    posts = [asking(f"第{n}杯茶", f"p-{n}") for n in range(20)]
    url = model.serve(server)
    done = []
    with (
        Client(endpoint(url, concurrency=1), cache) as client,
        pytest.raises(EndpointError, match="5 questions in a row failed"),
    ):
        for reply in client.stream(posts):
            done += [reply.id] if reply.answer else []
    assert len(done) == 6
    alive["left"] = 99
    with Client(endpoint(url), cache) as client:
        assert sum(reply.cached for reply in client.stream(posts)) == 6
    assert len(model.bodies) == 6 + 5 + 14


def test_a_run_that_stops_says_why_in_chinese_too(server: HTTPServer, cache: Path) -> None:
    use_language("zh")
    url = Scripted(lambda body: error(503)).serve(server)
    with (
        Client(endpoint(url, concurrency=1), cache) as client,
        pytest.raises(EndpointError, match="连续 5 次提问失败（HTTP 503）"),
    ):
        list(client.stream(asking(f"第{n}杯茶") for n in range(9)))


def test_nothing_listens_there(cache: Path) -> None:
    with Client(endpoint("http://127.0.0.1:9/v1"), cache) as client:
        assert client.ask(asking()).detail == "no connection"


def test_identifiers_do_not_leave(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD))
    with Client(endpoint(model.serve(server)), cache) as client:
        client.ask(asking("我的电话 13800138000，邮箱 tea@example.com"))
    assert model.bodies[0]["messages"][1]["content"] == "我的电话 [电话]，邮箱 [邮箱]"


def test_posts_do_not_follow_a_redirect_elsewhere(server: HTTPServer, cache: Path) -> None:
    elsewhere = server.url_for("/other")
    model = Scripted(lambda body: Response(status=307, headers={"Location": elsewhere}))
    with Client(endpoint(model.serve(server)), cache) as client:
        assert client.ask(asking()).problem == "rejected"
    assert [request.path for request, _ in server.log] == ["/v1/chat/completions"]


def test_calls_at_once_are_bounded(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD), seconds=0.2)
    with Client(endpoint(model.serve(server), concurrency=3), cache) as client:
        assert len(list(client.stream(asking(f"第{n}杯茶", f"p-{n}") for n in range(12)))) == 12
    assert model.most_at_once == 3


def test_calls_keep_the_pace(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD))
    began = time.monotonic()
    with Client(endpoint(model.serve(server), per_minute=600), cache) as client:
        list(client.stream(asking(f"第{n}杯茶") for n in range(6)))
    assert time.monotonic() - began >= 0.5


def test_the_budget_is_never_exceeded(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD))
    paid = {"price_in": 10_000.0, "price_out": 0.0, "budget": 3.5}  # each call: 100 tokens in, that is 1.0
    with (
        Client(endpoint(model.serve(server), concurrency=1, **paid), cache) as client,
        pytest.raises(EndpointError, match=r"the budget of 3\.5 is used up \(spent 3\.0"),
    ):
        list(client.stream(asking("茶" * 60 + str(n)) for n in range(9)))
    assert len(model.bodies) == 3
    with Client(endpoint(server.url_for("/v1"), **{**paid, "budget": 4.0}), cache) as client:
        client.ask(asking("茶" * 60 + "3"))
        assert client.costs().cost == pytest.approx(4.0)


def test_what_is_paid_for_comes_out_before_the_budget_stops_the_run(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD), seconds=0.2)
    paid: dict[str, Any] = {"concurrency": 4, "price_in": 10_000.0, "budget": 2.0}
    came: list[Reply[Rating]] = []
    with Client(endpoint(model.serve(server), **paid), cache) as client, pytest.raises(EndpointError, match="used up"):
        came.extend(client.stream(asking("茶" * 60 + str(n)) for n in range(9)))
    assert len(came) == len(model.bodies) == 3


@pytest.mark.parametrize(
    ("forms", "more", "reserved"),
    [
        (["json_schema"], {"extra": {"max_tokens": 5_000}}, 5_000),
        (["json_schema"], {"extra": {"max_completion_tokens": 3_000}}, 3_000),
        (["json_schema"], {}, 1_024),
        (["prompt"], {"price_in": 1e6, "price_out": 0.0}, 250),
    ],
    ids=["max_tokens", "max_completion_tokens", "default", "the schema in the prompt"],
)
def test_the_most_that_a_call_may_cost_is_reserved(
    server: HTTPServer, cache: Path, forms: list[str], more: dict[str, Any], reserved: int
) -> None:
    settings = {"price_out": 1e6, **more, "budget": reserved - 1.0}
    url = Scripted(knows(*forms)).serve(server)
    with Client(endpoint(url, **settings), cache) as client, pytest.raises(EndpointError, match="is used up"):
        client.ask(asking())


def test_tokens_are_reckoned_as_the_server_counts_them(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD))  # 100 tokens, for a few characters
    paid: dict[str, Any] = {"concurrency": 1, "price_in": 10_000.0, "budget": 1.9}
    with Client(endpoint(model.serve(server), **paid), cache) as client, pytest.raises(EndpointError, match="used up"):
        list(client.stream(asking(f"第{n}杯茶") for n in range(3)))
    assert len(model.bodies) == 1


@pytest.mark.parametrize("usage", ["null", "{}", '{"prompt_tokens": null}', "[]"])
def test_a_server_that_counts_no_tokens_is_reckoned_by_characters(server: HTTPServer, cache: Path, usage: str) -> None:
    body = f'{{"choices": [{{"message": {{"content": {json.dumps(GOOD)}}}}}], "usage": {usage}}}'
    model = Scripted(lambda _: Response(body, content_type="application/json"))
    with Client(endpoint(model.serve(server)), cache) as client:
        client.ask(asking("茶" * 50))
        costs = client.costs()
    assert (costs.unmetered, costs.tokens_in, costs.tokens_out) == (1, 52, len(GOOD))


def test_the_same_question_of_two_posts_is_paid_for_once(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD), seconds=0.1)
    with Client(endpoint(model.serve(server)), cache) as client:
        replies = [*client.stream(asking(name=f"p-{n}") for n in range(4))]
    assert (len(replies), len(model.bodies)) == (4, 1)


def test_what_was_asked_with_other_settings_is_asked_again(server: HTTPServer, cache: Path) -> None:
    answers = iter([*["<think>so"] * 3, GOOD])
    url = Scripted(lambda body: chat(next(answers))).serve(server)
    problems = []
    for extra in ({}, {}, {"chat_template_kwargs": {"enable_thinking": False}}):
        with Client(endpoint(url, extra=extra), cache) as client:
            problems.append(client.ask(asking()).problem)
    assert problems == ["invalid", "invalid", None]


@pytest.mark.parametrize(
    "changed", [{"sample": 1}, {"temperature": 0.5}, {"text": "水"}], ids=["vote", "temperature", "post"]
)
def test_another_question_is_another_call(server: HTTPServer, cache: Path, changed: dict[str, Any]) -> None:
    model = Scripted(lambda body: chat(GOOD))
    with Client(endpoint(model.serve(server)), cache) as client:
        client.ask(asking())
        assert client.ask(asking(name="the same")).cached
        assert not client.ask(asking(**changed)).cached
    assert len(set(model.names)) == 2


def test_a_second_run_on_the_same_file_is_refused(server: HTTPServer, cache: Path) -> None:
    url = Scripted(lambda body: chat(GOOD)).serve(server)
    with Client(endpoint(url), cache), pytest.raises(EndpointError, match="another run"):
        Client(endpoint(url), cache)


def test_a_file_that_is_no_cache_is_refused(cache: Path) -> None:
    cache.write_text("茶" * 1_000, encoding="utf-8")
    with pytest.raises(EndpointError, match="cannot be used as a cache"):
        Client(endpoint("http://127.0.0.1:9/v1"), cache)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"url": "localhost:8000"}, "not an http"), ({"model": ""}, "no model"), ({"budget": 1.0}, "needs prices")],
)
def test_an_endpoint_must_be_whole(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Endpoint(**{"url": "http://127.0.0.1/v1", "model": "m", **wrong})


def test_further_settings_reach_the_server(server: HTTPServer, cache: Path) -> None:
    model = Scripted(lambda body: chat(GOOD))
    extra = {"chat_template_kwargs": {"enable_thinking": False}}
    with Client(endpoint(model.serve(server), extra=extra), cache) as client:
        client.ask(asking())
    assert json.loads(json.dumps(model.bodies[0]))["chat_template_kwargs"] == {"enable_thinking": False}
