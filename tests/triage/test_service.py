from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from shouwang import database, ledger
from shouwang.triage import door, keys, service, serving
from tests.triage.invented import POLICY, PSEUDONYMS, watch, worker

EVERY_SCOPE = tuple(keys.SCOPES)


class Caller(TestClient):
    """Someone who asks the API with a key."""

    def __init__(self, engine: Engine, *scopes: str, per_minute: int = 1000) -> None:
        self.watch = service.Watch(engine, PSEUDONYMS, {"recall95": 0.2}, POLICY, clock=lambda: 2000.0)
        with database.writing(engine) as connection:
            key = keys.add(connection, "a caller", scopes or EVERY_SCOPE, "cli", 1.0, per_minute)
        super().__init__(serving.app(self.watch), headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def api(engine: Engine) -> Iterator[Caller]:
    with Caller(engine) as caller:
        yield caller


def posts(*texts: str, first: int = 1) -> dict[str, object]:
    return {"posts": [{"source": "weibo", "id": f"w{n}", "text": text} for n, text in enumerate(texts, first)]}


def test_posts_are_accepted_and_followed_to_the_cases_that_come_of_them(engine: Engine, api: Caller) -> None:
    answer = api.post("/v1/posts", json=posts("3 雨", "7 夜"))
    assert answer.status_code == 202
    assert {"accepted": 2, "repeated": 0, "conflicts": []}.items() <= answer.json().items()
    worker(engine).step()
    progress = api.get(f"/v1/receipts/{answer.json()['receipt']}").json()
    assert (progress["assessed"], progress["cases"]) == (2, 1)
    case = api.get("/v1/cases").json()["cases"][0]
    assert (case["text"], case["priority"], case["assessment"]["level"]) == ("7 夜", "today", 7)
    assert api.get(f"/v1/cases/{case['id']}").json()["ratings"] == []
    with engine.connect() as connection:
        assert [event.who for event in ledger.recorded(connection) if event.what == "saw"] == ["key:1", "key:1"]


def test_the_worker_of_the_service_assesses_what_comes_in(engine: Engine) -> None:
    with Caller(engine) as caller:
        caller.watch.worker = worker(engine)
    with caller:  # the app starts again, now with a worker
        receipt = caller.post("/v1/posts", json=posts("7 夜")).json()["receipt"]
        for _ in range(200):
            if caller.get(f"/v1/receipts/{receipt}").json()["assessed"]:
                break
        assert len(caller.get("/v1/cases").json()["cases"]) == 1


def test_sending_again_changes_nothing_and_another_text_under_a_known_id_is_named(api: Caller) -> None:
    api.post("/v1/posts", json=posts("3 雨"))
    assert api.post("/v1/posts", json=posts("3 雨")).json()["repeated"] == 1
    mixed = api.post("/v1/posts", json=posts("9 改过", "4 新"))
    assert (mixed.status_code, mixed.json()["accepted"]) == (202, 1)
    assert mixed.json()["conflicts"] == [{"source": "weibo", "id": "w1"}]
    assert api.post("/v1/posts", json=posts("9 改过")).status_code == 409


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [
        (b'{"posts": []}', ["body", "posts"], "at least 1"),
        (b'{"posts": [{"source": "a", "id": "1", "text": " "}]}', ["body", "posts", 0, "text"], "match pattern"),
        (b'{"posts": [{"source": "a", "id": 1, "text": "x"}]}', ["body", "posts", 0, "id"], "valid string"),
        (
            b'{"posts": [{"source": "a", "id": "1", "text": "x", "secret": 1}]}',
            ["body", "posts", 0, "?"],
            "not permitted",
        ),
        (
            b'{"posts": [{"source": "a", "id": "1", "text": "x", "posted_at": 5}]}',
            ["body", "posts", 0, "posted_at"],
            "with its zone",
        ),
        ('{"posts": [{"source": "a", "id": "1", "text": "雨"}]}'.encode("gb18030"), ["body"], "not JSON in UTF-8"),
        (b'{"posts": [', ["body", 11], "not JSON in UTF-8"),
        (b"", ["body"], "required"),
    ],
)
def test_a_body_that_is_not_as_described_is_refused_with_the_place_and_the_reason(
    api: Caller, body: bytes, place: list[object], said: str
) -> None:
    answer = api.post("/v1/posts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place
    assert said in answer.json()["detail"][0]["msg"]


def test_an_answer_and_the_log_never_quote_what_was_sent(
    engine: Engine, api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    words = "不能说的话"
    caplog.set_level(logging.DEBUG)
    long = {"posts": [{"source": "a", "id": "1", "text": words * 20_000, words: words, "posted_at": words}]}
    answers = [api.post("/v1/posts", json=long), api.get("/v1/cases", params={"after": words, "state": words})]
    with database.writing(engine) as connection:
        connection.execute(text("ALTER TABLE posts RENAME COLUMN text TO other"))
    answers.append(api.post("/v1/posts", json=posts(words)))
    assert [answer.status_code for answer in answers[:2]] == [422, 422]
    assert answers[2].status_code in (500, 503)
    told = caplog.text + "".join(json.dumps(answer.json(), ensure_ascii=False) for answer in answers)
    assert words not in told and words.encode("unicode_escape").decode() not in told


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_ten_megabytes_is_refused_and_nothing_is_stored(api: Caller, announced: bool) -> None:
    body = b'{"posts": [' + b" " * 10_000_000
    content = body if announced else iter([body[:5_000_000], body[5_000_000:]])
    answer = api.post("/v1/posts", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert f"more than {door.LARGEST_BODY} bytes" in answer.json()["detail"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic dTpw"])
def test_nobody_gets_in_without_a_key(api: Caller, header: str | None) -> None:
    api.headers.pop("Authorization")
    answer = api.get("/v1/cases", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_key_opens_what_its_scopes_name_and_nothing_once_it_is_revoked(engine: Engine) -> None:
    with Caller(engine, "posts:write") as caller:
        assert caller.post("/v1/posts", json=posts("3 雨")).status_code == 202
        refused = caller.get("/v1/cases")
        assert (refused.status_code, "lacks the scope cases:read" in refused.text) == (403, True)
        with database.writing(engine) as connection:
            keys.revoke(connection, 1, "cli", 2.0)
        assert caller.post("/v1/posts", json=posts("3 雪")).status_code == 401


def test_a_key_stands_in_the_database_as_a_hash_only(engine: Engine, api: Caller) -> None:
    key = str(api.headers["Authorization"]).removeprefix("Bearer ")
    with engine.connect() as connection:
        stored = str(connection.execute(text("SELECT * FROM api_keys")).all())
        told = str(connection.execute(text("SELECT * FROM events")).all())
    assert key not in stored + told and keys._hash(key) in stored


def test_whoever_asks_too_often_is_told_when_to_come_again(engine: Engine) -> None:
    with Caller(engine, per_minute=3) as caller:
        answers = [caller.get("/v1/policy") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 21


def test_pages_of_cases_are_followed_by_cursor(engine: Engine, api: Caller) -> None:
    watch(engine, *[f"7 第{n}条" for n in range(5)])
    seen: list[int] = []
    after = None
    while True:
        page = api.get("/v1/cases", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [case["id"] for case in page["cases"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert api.get("/v1/cases", params={"after": "not a cursor"}).status_code == 422


def test_hostile_markup_is_kept_as_text_and_given_as_json(engine: Engine, api: Caller) -> None:
    hostile = "7 <script>alert(1)</script><img src=x onerror=alert(1)>"
    api.post("/v1/posts", json=posts(hostile))
    worker(engine).step()
    answer = api.get("/v1/cases")
    assert answer.json()["cases"][0]["text"] == hostile
    assert answer.headers["Content-Type"] == "application/json"


def test_identifiers_are_replaced_on_request(engine: Engine, api: Caller) -> None:
    watch(engine, "7 夜里打 13912345678 找我")
    case = api.get("/v1/cases", params={"deidentify": True}).json()["cases"][0]
    assert (case["text"], case["post"]["id"], case["assessment"]["id"]) == ("7 夜里打 [电话] 找我", "", "")
    alone = api.get(f"/v1/cases/{case['id']}", params={"deidentify": True}).json()
    assert alone["text"] == case["text"]
    assert "13912345678" in api.get(f"/v1/cases/{case['id']}").json()["text"]


def test_a_policy_is_previewed_then_set_and_a_point_that_the_model_lacks_is_refused(
    engine: Engine, api: Caller
) -> None:
    watch(engine, "3 雨", "4 雪", "7 夜")
    wanted = POLICY.to_json() | {"basis": "recall95", "wish": None}
    seen = api.post("/v1/policy/preview", json=wanted).json()
    assert (seen["before"], seen["after"]) == ({"none": 1, "watch": 1, "today": 1}, {"none": 2, "today": 1})
    assert api.get("/v1/policy").json()["number"] == 0
    assert api.put("/v1/policy", json=wanted).json()["number"] == 1
    assert api.get("/v1/policy").json()["policy"]["basis"] == "recall95"
    refused = api.put("/v1/policy", json=wanted | {"basis": "recall59"})
    assert (refused.status_code, "Did you mean 'recall95'" in refused.text) == (409, True)


def test_health_and_readiness(engine: Engine, api: Caller) -> None:
    api.headers.pop("Authorization")
    assert api.get("/healthz").json()["status"] == "ok"
    assert api.get("/readyz").json() == {"ready": True, "why": "", "waiting": 0, "oldest_s": 0.0}
    with database.writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert api.get("/readyz").status_code == 503


def test_posts_that_pile_up_are_seen(engine: Engine) -> None:
    with Caller(engine) as caller:
        caller.post("/v1/posts", json=posts("3 雨"))
        caller.watch.clock = lambda: 2000.0 + serving.STUCK + 1
        assert "waiting for 61 s" in caller.get("/readyz").json()["why"]
