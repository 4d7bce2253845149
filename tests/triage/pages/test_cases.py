from __future__ import annotations

import re
from typing import Any

import pytest

from tests.triage.pages.desk import Desk, events
from tests.triage.pages.shift import POSTS, Shift, Written


def test_a_case_shows_text_evidence_level_certainty_and_course(shift: Shift) -> None:
    page = Desk(shift, "Mei").get("/cases/6").text
    assert '<mark class="plan" title="plan">都安排好了</mark>' in page
    assert 'aria-label="level 9 / 10, possible 8, 9, 10"' in page
    assert "within days" in page
    assert "98%" in page
    assert "tiny 1" in page
    assert page.count('class="dot') == 4, "four posts of this author"
    assert "xiaozhou" not in page, "only the pseudonym"
    assert [subject for _, what, subject in events(shift, "saw")] == ["case:6", "author:1"]


def test_a_whole_case_from_claim_to_close_is_in_its_trail(shift: Shift) -> None:
    mei = Desk(shift, "Mei")
    mei.post("/cases/6/claim")
    mei.post("/cases/6/rate", level=9)
    mei.post("/cases/6/note", text="已与家人通话")
    mei.post("/cases/6/close", outcome="reached-out")
    done = [what for _, what, subject in events(shift, "claimed", "rated", "noted", "closed") if subject == "case:6"]
    assert done == ["claimed", "rated", "noted", "closed"]
    page = mei.get("/cases/6").text
    assert "rated 9" in page
    assert "closed: reached out" in page
    assert "已与家人通话" in page
    assert 6 not in mei.cases()


@pytest.mark.parametrize(("high", "told"), [("by-level", "low"), ("yes", "high"), ("no", "low")])
def test_high_follows_the_level_unless_the_person_says_otherwise(shift: Shift, high: str, told: str) -> None:
    mei = Desk(shift, "Mei")
    mei.post("/cases/6/claim")
    mei.post("/cases/6/rate", level=5, high=high)
    assert f"5 strong wish to die · {told}" in mei.get("/cases/6").text


def test_of_two_people_one_has_the_case_and_the_other_is_told_who(shift: Shift) -> None:
    mei, lan = Desk(shift, "Mei"), Desk(shift, "Lan")
    mei.post("/cases/6/claim")
    for path, fields in (("claim", {}), ("rate", {"level": 3}), ("close", {"outcome": "referred"})):
        refused = lan.post(f"/cases/6/{path}", **fields)
        assert refused.status_code == 409
        assert "Mei holds this case until" in refused.text
    assert "Mei</strong> holds this case" in lan.get("/cases/6").text


def test_a_claim_runs_out_and_the_case_is_free_again(shift: Shift) -> None:
    mei, lan = Desk(shift, "Mei"), Desk(shift, "Lan")
    mei.post("/cases/6/claim")
    shift.now += 13 * 60
    assert "then it goes back to the others" in mei.get("/cases/6/state").text
    shift.now += 3 * 60
    assert lan.post("/cases/6/claim").status_code == 303


def test_a_handed_over_case_is_the_other_person_s(shift: Shift) -> None:
    mei, lan, auditor = Desk(shift, "Mei"), Desk(shift, "Lan"), shift.person("Aud", "auditor")
    mei.post("/cases/6/claim")
    assert mei.post("/cases/6/hand-over", to=auditor.id).status_code == 422
    assert mei.post("/cases/6/hand-over", to=lan.user.id).status_code == 303
    assert lan.cases("?show=mine") == [6]
    assert "handed over → Lan" in lan.get("/cases/6").text


def test_a_second_opinion_is_given_before_the_first_is_seen(shift: Shift) -> None:
    mei, lan = Desk(shift, "Mei"), Desk(shift, "Lan")
    mei.post("/cases/6/claim")
    mei.post("/cases/6/rate", level=9)
    mei.post("/cases/6/note", text="很急，请接手")
    mei.post("/cases/6/second")
    blind = lan.get("/cases/6").text
    for hidden in ("within days</span> · ", "98%", "rated 9", "<mark", 'class="dot', 'class="priority', "很急"):
        assert hidden not in blind
    assert "notes appear after your own rating" in blind
    listed = lan.get("/queue?show=second").text
    assert "都安排好了" in listed
    for hidden in ('class="level"', "98%", "a date may be set", "<mark", 'class="priority', "case-row p"):
        assert hidden not in listed
    assert "98%" in mei.get("/queue?show=second").text
    lan.post("/cases/6/rate", level=8)
    seen = lan.get("/cases/6").text
    assert "98%" in seen and 'class="priority' in seen and "很急" in seen
    assert "second opinion" in seen
    assert "rated 9" in seen


def test_a_second_opinion_is_not_given_away_by_another_case_of_the_author(shift: Shift) -> None:
    mei, lan = Desk(shift, "Mei"), Desk(shift, "Lan")
    mei.post("/cases/6/claim")
    mei.post("/cases/6/second")
    level = "level 9 within days"
    for reader, shown in ((mei, True), (lan, False)):
        other = reader.get("/cases/1").text
        assert (level in other, other.count('class="dot')) == (shown, 3 + shown)
        assert "level 5 strong wish to die" in other and "/cases/6" in other
    lan.post("/cases/6/rate", level=8)
    assert level in lan.get("/cases/1").text


def test_another_post_of_the_author_is_made_a_case_by_whoever_reads_it(shift: Shift) -> None:
    mei = Desk(shift, "Mei")
    (first, *_) = re.findall(r'name="post" value="(\d+)"', mei.get("/cases/6").text)
    made = mei.post("/cases/6/open", post=first).headers["location"]
    assert made == "/cases/7" and "opened by a person" in mei.get(made).text
    assert events(shift, "opened")[-1] == (mei.user.actor, "opened", "case:7")
    assert mei.post("/cases/6/open", post=first).headers["location"] == made
    assert mei.post("/cases/2/open", post=first).status_code == 422  # another author's


def test_hostile_markup_stays_text(shift: Shift) -> None:
    hostile = "</div><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\"'><svg/onload=alert(3)>"
    shift.deliver([Written(6, hostile, hostile)], source='<b onmouseover="alert(4)">')
    mei = Desk(shift, "<i>Mei</i>")
    mei.post("/cases/7/claim")
    mei.post("/cases/7/note", text=hostile)
    for page in (mei.get("/queue").text, mei.get("/cases/7").text, mei.get("/queue/list").text):
        assert "&lt;script&gt;alert(1)" in page
        for tag in ("<script>", "<img src=x", "<svg/onload", "<b onmouseover", "<i>Mei", "49&#34;"):
            assert tag not in page


@pytest.mark.parametrize("path", ["/cases/99", "/cases/0", f"/cases/{2**70}", "/cases/x", "/cases/99/state"])
def test_a_case_that_is_not_there_is_a_clear_answer(shift: Shift, path: str) -> None:
    assert Desk(shift, "Mei").get(path).status_code in (404, 422)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("rate", {"level": 11}),
        ("rate", {"level": "x"}),
        ("rate", {}),
        ("close", {"outcome": "forgotten"}),
        ("note", {"text": " "}),
        ("note", {"text": "x" * 10_001}),
        ("hand-over", {"to": 10**9}),
    ],
)
def test_what_was_not_filled_in_right_is_refused_and_changes_nothing(
    shift: Shift, path: str, fields: dict[str, Any]
) -> None:
    mei = Desk(shift, "Mei")
    mei.post("/cases/6/claim")
    refused = mei.post(f"/cases/6/{path}", **fields)
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert events(shift, "rated", "noted", "closed", "handed-over") == []


def test_no_post_is_in_the_ledger_or_in_an_error(shift: Shift, caplog: pytest.LogCaptureFixture) -> None:
    mei = Desk(shift, "Mei")
    mei.get("/queue")
    mei.post("/cases/6/claim")
    mei.post("/cases/6/note", text=POSTS[3].text)
    with shift.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM events").all())
    for post in POSTS:
        assert post.text not in rows + caplog.text
        assert post.author not in rows
