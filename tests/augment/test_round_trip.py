from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shouwang.augment.methods import Material, augmenters
from shouwang.augment.records import NothingMadeError, Task
from shouwang.augment.round_trip import RoundTrip
from shouwang.augment.translators import Baidu, Kept, LanguageModel, pivots
from shouwang.errors import InputError
from shouwang.llm import Client, Endpoint, EndpointError
from shouwang.posts import LabelledPost
from tests.augment.invented import TRAIN, split
from tests.llm.scripted import Body, Scripted, chat, error

PHONE = LabelledPost("p", "打我电话13812345678，邻居很吵", 3, False)


class Clerk:
    """A server that speaks Baidu's dialect: it checks the signature and gives every line back with the language."""

    def __init__(self, *first: Response) -> None:
        self.asked: list[dict[str, str]] = []
        self.first = list(first)

    def __call__(self, request: Request) -> Response:
        form = request.form.to_dict()
        self.asked.append(form)
        if self.first:
            return self.first.pop(0)
        signed = hashlib.md5(f"id{form['q']}{form['salt']}key".encode(), usedforsecurity=False).hexdigest()
        if signed != form["sign"]:
            return answered({"error_code": "54001", "error_msg": "Invalid Sign"})
        results = [{"src": line, "dst": line + f"（经{form['to']}）"} for line in form["q"].split("\n")]
        return answered({"from": form["from"], "to": form["to"], "trans_result": results})

    def serve(self, server: HTTPServer) -> str:
        server.expect_request("/translate", method="POST").respond_with_handler(self)
        return server.url_for("/translate")


def answered(body: object) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), content_type="application/json")


def baidu(url: str, **options: float) -> Baidu:
    return Baidu("id", "key", url, **{"per_second": 1000, "timeout": 5, **options})  # type: ignore[arg-type]


def tasks(*posts: LabelledPost) -> list[Task]:
    return [(post, np.random.default_rng(i)) for i, post in enumerate(posts)]


@pytest.fixture
def clerk(server: HTTPServer) -> Callable[..., tuple[Clerk, Baidu]]:
    def make(*first: Response, **options: float) -> tuple[Clerk, Baidu]:
        made = Clerk(*first)
        return made, baidu(made.serve(server), **options)

    return make


Make = Callable[..., tuple[Clerk, Baidu]]


def test_baidu_is_asked_with_its_signature_there_and_back(clerk: Make, tmp_path: Path) -> None:
    asked, translator = clerk()
    trip = RoundTrip(Kept(translator, tmp_path / "c.sqlite"), ("es",))
    (new,) = trip.make(TRAIN[0], np.random.default_rng(0))
    assert new.text == TRAIN[0].text + "（经spa）（经zh）"
    assert (new.level, new.origins, new.notes) == (0, ("a-1",), {"pivot": "es"})
    assert [(form["from"], form["to"]) for form in asked.asked] == [("zh", "spa"), ("spa", "zh")]


def test_posts_travel_in_batches_and_none_is_sent_twice(clerk: Make, tmp_path: Path) -> None:
    asked, translator = clerk()
    for _ in range(2):  # the second is another run
        kept = Kept(translator, tmp_path / "c.sqlite")
        trip = RoundTrip(kept, ("en",))
        trip.ahead(tasks(*TRAIN))
        assert len([new for post, rng in tasks(*TRAIN) for new in trip.make(post, rng)]) == len(TRAIN)
        kept.close()
    assert len(asked.asked) == 2
    assert asked.asked[0]["q"].count("\n") == len(TRAIN) - 1


def test_what_points_to_a_person_does_not_leave(clerk: Make, tmp_path: Path) -> None:
    asked, translator = clerk()
    RoundTrip(Kept(translator, tmp_path / "c.sqlite"), ("en",)).make(PHONE, np.random.default_rng(0))
    assert not any("13812345678" in form["q"] for form in asked.asked)
    assert "[电话]" in asked.asked[0]["q"]


def test_a_post_of_several_lines_comes_back_whole(clerk: Make) -> None:
    assert list(clerk()[1].translate(["雨\n\n雪", "", "风"], "zh", "en")) == [
        "雨（经en）\n雪（经en）",
        None,
        "风（经en）",
    ]


def test_a_request_is_no_longer_than_baidu_takes_and_a_line_beyond_that_is_not_sent(clerk: Make) -> None:
    asked, translator = clerk()
    assert list(translator.translate(["雨" * 1_500, "雪" * 1_500, "风" * 2_001, "云"], "zh", "en"))[2] is None
    assert [len(form["q"]) for form in asked.asked] == [1_500, 1_502]


@pytest.mark.parametrize(
    "passing",
    [
        answered({"error_code": "54003", "error_msg": "Invalid Access Limit"}),
        answered({"error_code": 52001, "error_msg": "timeout"}),
        Response("<html>busy</html>", status=502),
        answered(["garbage"]),
        answered({"trans_result": [{"dst": "雨"}, {"dst": "多了"}]}),
        answered({"trans_result": "雨"}),
    ],
)
def test_what_passes_is_tried_again(clerk: Make, passing: Response) -> None:
    asked, translator = clerk(passing)
    assert list(translator.translate(["雨"], "zh", "en")) == ["雨（经en）"]
    assert len(asked.asked) == 2


def test_attempts_are_bounded_and_the_error_says_what_to_do(clerk: Make) -> None:
    asked, translator = clerk(*[Response("busy", status=503)] * 9, retries=2)
    with pytest.raises(EndpointError, match="no JSON, 3 times; what arrived is kept: run the same command again"):
        list(translator.translate(["雨"], "zh", "en"))
    assert len(asked.asked) == 3


@pytest.mark.parametrize(
    ("code", "complaint"), [("52003", "application id"), ("54004", "balance"), ("58001", "error 58001")]
)
def test_what_no_attempt_would_cure_stops_at_once(clerk: Make, code: str, complaint: str) -> None:
    asked, translator = clerk(answered({"error_code": code}))
    with pytest.raises(EndpointError, match=complaint):
        list(translator.translate(["雨"], "zh", "en"))
    assert len(asked.asked) == 1


def test_a_wrong_key_is_named(clerk: Make) -> None:
    _, translator = clerk()
    translator.key = "wrong"
    with pytest.raises(EndpointError, match="signature is refused: check id and key"):
        list(translator.translate(["雨"], "zh", "en"))


def test_no_key_sends_nothing() -> None:
    with pytest.raises(InputError, match="nothing was sent"):
        Baidu("", "")


def test_what_arrived_before_a_failure_is_not_paid_for_again(clerk: Make, tmp_path: Path) -> None:
    texts = ["雨" * 1_500, "雪" * 1_500]  # a request each, in one batch
    first = answered({"trans_result": [{"dst": "rain"}]})
    asked, translator = clerk(first, Response("busy", status=503), retries=0)
    kept = Kept(translator, tmp_path / "c.sqlite")
    with pytest.raises(EndpointError, match="what arrived is kept"):
        kept.translate(texts, "zh", "en")
    assert kept.translate(texts, "zh", "en")[0] == "rain"
    assert [form["q"][0] for form in asked.asked] == ["雨", "雪", "雪"]


def test_translations_are_for_their_owner_alone_and_a_full_disk_is_named(clerk: Make, tmp_path: Path) -> None:
    kept = Kept(clerk()[1], tmp_path / "c.sqlite")
    assert (tmp_path / "c.sqlite").stat().st_mode & 0o077 == 0
    kept._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(EndpointError, match="make room on the disk"):
        kept.translate(["雨" * 1_500, "雪" * 1_500, "风" * 1_500], "zh", "en")


def late(request: Request) -> Response:
    time.sleep(0.5)
    return answered({})


def test_an_endpoint_that_is_down_or_slow_is_an_error_after_a_bounded_time(server: HTTPServer) -> None:
    with pytest.raises(EndpointError, match="no connection, 2 times"):
        list(baidu("http://127.0.0.1:9/translate", retries=1).translate(["雨"], "zh", "en"))
    server.expect_request("/late").respond_with_handler(late)
    with pytest.raises(EndpointError, match=r"no answer within 0\.1 s, 1 times"):
        list(baidu(server.url_for("/late"), retries=0, timeout=0.1).translate(["雨"], "zh", "en"))


def test_a_redirect_is_not_followed(server: HTTPServer) -> None:
    elsewhere = Clerk()
    target = elsewhere.serve(server)
    server.expect_request("/moved").respond_with_data("", status=307, headers={"Location": target})
    with pytest.raises(EndpointError):
        list(baidu(server.url_for("/moved"), retries=0).translate(["雨"], "zh", "en"))
    assert elsewhere.asked == []


# --- a language model -----------------------------------------------------------------------------------------------


def echoed(body: Body) -> Response:
    return chat(json.dumps({"translation": "译：" + body["messages"][-1]["content"]}, ensure_ascii=False))


def test_a_language_model_translates_through_the_one_client(server: HTTPServer, tmp_path: Path) -> None:
    scripted = Scripted(echoed)
    with Client(Endpoint(scripted.serve(server), "m", retries=0), tmp_path / "a.sqlite") as client:
        trip = RoundTrip(Kept(LanguageModel(client), tmp_path / "c.sqlite"), ("fr", "ja"))
        trip.ahead(tasks(PHONE))
        (new,) = trip.make(*tasks(PHONE)[0])
    assert new.text == "译：译：打我电话[电话]，邻居很吵"
    assert (
        "法语" in scripted.bodies[0]["messages"][0]["content"] or "日语" in scripted.bodies[0]["messages"][0]["content"]
    )
    assert len(scripted.bodies) == 2


@pytest.mark.parametrize("answer", [chat("no JSON at all"), chat("", refusal="no"), error(400, "content_policy")])
def test_garbage_and_refusals_are_counted_skips_and_asked_no_more(
    server: HTTPServer, tmp_path: Path, answer: Response
) -> None:
    scripted = Scripted(lambda body: answer)
    with Client(Endpoint(scripted.serve(server), "m", retries=0), tmp_path / "a.sqlite") as client:
        trip = RoundTrip(Kept(LanguageModel(client), tmp_path / "c.sqlite"), ("en",))
        trip.ahead(tasks(TRAIN[0]))
        sent = len(scripted.bodies)
        with pytest.raises(NothingMadeError, match="no translation"):
            trip.make(*tasks(TRAIN[0])[0])
    assert len(scripted.bodies) == sent


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_translation_is_a_counted_skip(server: HTTPServer, tmp_path: Path, nothing: str) -> None:
    scripted = Scripted(lambda body: chat(json.dumps({"translation": nothing})))
    with Client(Endpoint(scripted.serve(server), "m", retries=0), tmp_path / "a.sqlite") as client:
        trip = RoundTrip(Kept(LanguageModel(client), tmp_path / "c.sqlite"), ("en",))
        trip.ahead(tasks(*TRAIN[:2]))
        for task in tasks(*TRAIN[:2]):
            with pytest.raises(NothingMadeError, match="no translation"):
                trip.make(*task)


def test_what_failed_once_and_is_translated_later_counts(server: HTTPServer, tmp_path: Path) -> None:
    failing = [error(409)]
    scripted = Scripted(lambda body: failing.pop() if failing else echoed(body))
    with Client(Endpoint(scripted.serve(server), "m", retries=0), tmp_path / "a.sqlite") as client:
        trip = RoundTrip(Kept(LanguageModel(client), tmp_path / "c.sqlite"), ("en",))
        for _ in range(2):
            trip.ahead(tasks(TRAIN[0]))
        (new,) = trip.make(*tasks(TRAIN[0])[0])
    assert new.text == "译：译：" + TRAIN[0].text


def test_without_a_translator_nothing_is_sent() -> None:
    with pytest.raises(InputError, match=r"none is named; nothing was sent"):
        augmenters(["round_trip"], Material(split()))


def test_a_post_of_emoji_and_an_unknown_pivot_are_met(clerk: Make, tmp_path: Path) -> None:
    asked, translator = clerk()
    trip = RoundTrip(Kept(translator, tmp_path / "c.sqlite"), ("en",))
    trip.ahead(tasks(LabelledPost("e", "😀", 0)))
    with pytest.raises(NothingMadeError, match="no Chinese words"):
        trip.make(*tasks(LabelledPost("e", "😀", 0))[0])
    assert asked.asked == []
    with pytest.raises(InputError, match="No pivot 'de'"):
        pivots(["de"])
