from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from shouwang.triage import queue
from tests.databases import Server
from tests.triage.pages.desk import Desk, events
from tests.triage.pages.shift import Shift, Written


def test_the_most_urgent_come_first_and_the_newest_among_them(shift: Shift) -> None:
    assert Desk(shift, "Mei").cases() == [6, 5, 3, 4, 2, 1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("?priority=3", [6]),
        ("?show=free&priority=2", [5]),
        ("?show=mine", [3]),
        ("?show=closed", []),
        ("?show=second", []),
    ],
)
def test_the_queue_is_filtered(shift: Shift, query: str, numbers: list[int]) -> None:
    mei = Desk(shift, "Mei")
    mei.post("/cases/3/claim")
    assert mei.cases(query) == numbers


def test_every_case_is_reached_page_by_page(shift: Shift) -> None:
    shift.deliver([Written(6, f"想不到别的办法，第{n}天", "", 0.0001 * n) for n in range(30)], source="forum")
    mei, after, seen = Desk(shift, "Mei"), "", list[int]()
    while True:
        page = mei.get(f"/queue?priority=2&after={after}").text
        seen += [int(n) for n in re.findall(r'id="case-(\d+)"', page)]
        more = re.search(r"after=([^\"&]+)\" data-key=\"m\"", page)
        if not more:
            break
        after = more[1]
    assert len(seen) == len(set(seen)) == 32


def test_of_very_many_cases_the_page_says_that_there_are_more(shift: Shift, monkeypatch: pytest.MonkeyPatch) -> None:
    mei = Desk(shift, "Mei")
    assert "<strong>2</strong>" in mei.get("/queue/list").text
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    assert "<strong>2+</strong>" in mei.get("/queue/list").text


@pytest.mark.parametrize("after", ["x", "1:2", "1:nan:3", "9" * 70, "1:2:99999999999999999999"])
def test_a_place_that_was_tampered_with_does_no_harm(shift: Shift, after: str) -> None:
    assert Desk(shift, "Mei").get(f"/queue?after={after}").status_code == 200


def test_what_was_shown_is_recorded_and_a_page_left_open_adds_only_what_is_new(shift: Shift) -> None:
    mei = Desk(shift, "Mei")
    mei.get("/queue")
    mei.get("/queue/list?shown=6,5,3,4,2,1")
    assert len(events(shift, "saw")) == 1
    shift.deliver([Written(9, "就今晚了，谢谢大家", "")], source="forum")
    assert "个案" not in mei.get("/queue/list?shown=6,5,3,4,2,1").text
    assert events(shift, "saw")[1:] == [(mei.user.actor, "saw", "case:7")]


def test_taking_the_next_gives_everybody_another_case(shift: Shift) -> None:
    desks = [Desk(shift, name) for name in ("Mei", "Lan", "Bo")]
    assert [desk.post("/queue/next").headers["location"] for desk in desks] == ["/cases/6", "/cases/5", "/cases/3"]
    for _ in range(3):
        desks[0].post("/queue/next")
    assert desks[0].post("/queue/next").headers["location"] == "/queue"


def test_of_many_who_take_the_next_at_once_everybody_gets_another_case(postgresql: Server) -> None:
    with postgresql.lent() as url:
        shift = Shift(url)  # SQLite lets one at a time write
        shift.deliver()
        desks = [Desk(shift, name) for name in ("Mei", "Lan", "Bo", "Wei")]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda desk: desk.post("/queue/next").headers.get("location"), desks))
        shift.engine.dispose()
    assert sorted(found) == ["/cases/3", "/cases/4", "/cases/5", "/cases/6"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/queue", {"responder", "lead"}),
        ("/cases/1", {"responder", "lead"}),
        ("/policy", {"lead", "admin"}),
        ("/shadow", {"lead", "admin"}),
        ("/audit", {"lead", "auditor", "admin"}),
        ("/people", {"admin"}),
        ("/keys", {"admin"}),
        ("/overview", {"lead", "auditor", "admin"}),
    ],
)
def test_every_role_sees_what_it_needs_and_no_more(shift: Shift, path: str, allowed: set[str]) -> None:
    roles = ("admin", "lead", "responder", "auditor")
    assert {role for role in roles if Desk(shift, role, role).get(path).status_code == 200} == allowed
