"""Models as annotators against a real server, and what they must not get away with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from shouwang import scale
from shouwang.annotate.annotators import Annotated, annotate
from shouwang.annotate.guideline import EXAMPLES, STRATEGIES, get
from shouwang.annotate.labels import Span
from shouwang.annotate.project import Project
from shouwang.errors import InputError
from shouwang.llm import Client, Endpoint, EndpointError
from shouwang.posts import Post
from tests.llm.scripted import Body, Scripted, chat, error


def post_in(body: Body) -> str:
    found: str = json.JSONDecoder().raw_decode(body["messages"][1]["content"])[0]["post"]
    return found


def answer(level: int = 4, quotes: tuple[tuple[str, str], ...] = (), **more: Any) -> str:
    said = {"level": level, "high": level >= 6, "instructs": False, **more}
    said["quotes"] = [{"indicator": name, "text": text} for name, text in quotes]
    return json.dumps(said, ensure_ascii=False)


def run(
    server: HTTPServer, project: Project, says: Scripted | Callable[[Body], Any], strategy: str = "levels", **more: Any
) -> Annotated:
    model = says if isinstance(says, Scripted) else Scripted(says)
    endpoint = Endpoint(model.serve(server), "scripted", retries=0, timeout=5.0)
    with Client(endpoint, project.path) as client:
        return annotate(project, client, get(strategy), **more)


def test_every_post_is_rated_once_and_written_down(server: HTTPServer, project: Project) -> None:
    model = Scripted(lambda body: chat(answer(4 if "不想活" in post_in(body) else 0)))
    assert run(server, project, model).rated == 6
    assert (run(server, project, model).there, len(model.bodies)) == (6, 6)
    rated = {each.post: each for each in project.ratings()}
    assert {name: each.label and each.label.level for name, each in rated.items()}["p-3"] == 4
    assert rated["p-1"].who == "llm:scripted/levels@3"


def test_quotes_count_only_where_they_stand_in_the_post(server: HTTPServer, project: Project) -> None:
    said = answer(4, (("wish", "“不想活了”"), ("plan", "I have a plan"), ("pain", "")))
    found = run(server, project, lambda body: chat(said))
    labels = {each.post: each.label for each in project.ratings()}
    assert labels["p-3"]
    assert labels["p-3"].spans == (Span(0, 4, "wish"),)
    assert labels["p-1"]
    assert labels["p-1"].indicators == frozenset()
    assert (found.quotes, found.misquoted) == (18, 17)


def test_the_level_follows_from_the_indicators(server: HTTPServer, project: Project) -> None:
    grades = {"pain": "clear", "wish": "present", "plan": "planning", "method": "unclear", "time": "roughly"}
    said = json.dumps({**grades, "high": True, "instructs": False, "quotes": []})
    run(server, project, lambda body: chat(said), "indicators")
    (label, *_) = [each.label for each in project.ratings()]
    assert label
    assert (label.level, label.indicators) == (8, frozenset(scale.INDICATORS))


def test_votes_come_to_their_median(server: HTTPServer, project: Project) -> None:
    votes = {0: 2, 1: 8, 2: 3}
    model = Scripted(lambda body: chat(answer(votes[body.get("seed", 0)])))
    run(server, project, model, votes=3)
    first = project.ratings()[0]
    assert (first.label and first.label.level, first.data["spread"]) == (3, 6)
    assert {body["temperature"] for body in model.bodies} == {0.7}


def test_a_server_that_fails_midway_leaves_the_rest_for_the_next_run(server: HTTPServer, project: Project) -> None:
    calls = iter(range(100))
    dying = Scripted(lambda body: chat(answer()) if next(calls) < 2 else error(503))
    with pytest.raises(EndpointError, match="in a row failed"):
        run(server, project, dying, votes=2)
    server.clear()
    found = run(server, project, lambda body: chat(answer()), votes=2)
    assert found.rated + found.there == 6


def test_a_rating_waits_for_all_of_its_votes(server: HTTPServer, project: Project) -> None:
    votes = [2, 8, 3]
    failing = Scripted(lambda body: error(503) if "seed" in body else chat(answer(votes[0])))
    found = run(server, project, failing, votes=3)
    assert (found.rated, found.problems, project.ratings()) == (0, {"rejected": 12}, [])
    server.clear()
    whole = Scripted(lambda body: chat(answer(votes[body.get("seed", 0)])))
    assert run(server, project, whole, votes=3).rated == 6
    assert {tuple(sorted(each.data["votes"])) for each in project.ratings()} == {(2, 3, 8)}


def test_a_truth_value_is_no_level(server: HTTPServer, project: Project) -> None:
    found = run(server, project, lambda body: chat(answer(False)))
    assert (found.rated, found.problems) == (0, {"invalid": 6})


def test_answers_that_were_cut_short_do_not_keep_a_post_from_being_asked_otherwise(
    server: HTTPServer, project: Project
) -> None:
    def says(body: Body) -> Any:
        return chat(answer()) if "chat_template_kwargs" in body else chat("<think>", end="length")

    assert (run(server, project, says).rated, project.ratings()) == (0, [])
    endpoint = Endpoint(server.url_for("/v1"), "scripted", retries=0, extra={"chat_template_kwargs": {}})
    with Client(endpoint, project.path) as client:
        assert annotate(project, client, get("levels")).rated == 6


def test_a_refusal_is_written_down_and_garbage_is_not(server: HTTPServer, project: Project) -> None:
    def says(body: Body) -> Any:
        return chat(None, refusal="no") if "不想活" in post_in(body) else chat("I cannot read this.")

    found = run(server, project, says)
    assert found.problems == {"refused": 1, "invalid": 5}
    assert found.rated == 0
    assert {each.post: each.data["problems"] for each in project.ratings()} == {"p-3": ["refused"]}


@pytest.mark.parametrize("name", STRATEGIES)
def test_prompts_are_built_from_the_scale_and_hold_the_post_as_data(name: str) -> None:
    tricky = Post("p", '今天"好累"\n\\ {}')
    system, user = get(name).messages(tricky)
    decoded, end = json.JSONDecoder().raw_decode(user["content"])
    assert decoded == {"post": tricky.text}
    assert user["content"][end:].strip().startswith("以上 JSON")
    assert (scale.LEVELS[6].definition.zh in system["content"]) == (name in ("levels", "few-shot"))


def test_examples_cover_every_level_once() -> None:
    assert [level for _, level, _ in EXAMPLES] == list(range(11))


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(InputError, match="Did you mean 'scene'"):
        get("scenes")
