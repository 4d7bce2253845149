"""The rating pages over HTTP: what is saved, what stays hidden, what comes back when something is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from sqlalchemy import event, text

from shouwang.annotate import pages
from shouwang.annotate.project import Project, add_rating
from shouwang.web.site import Site
from tests.annotate import invented
from tests.annotate.invented import TEXTS, label

FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SECRET = "a sentence to keep"  # noqa: S105


class Team:
    """The application on a project, and people who are logged in."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.app = pages.app(project, hasher=FAST)
        self.site: Site = self.app.state.site

    def member(self, name: str, *roles: str) -> TestClient:
        self.site.accounts.add(name, SECRET, roles or ("rater",))
        browser = TestClient(self.app, headers={"accept-language": "en"})
        data = {"csrf": csrf(browser.get("/login").text), "name": name, "password": SECRET, "next": "/"}
        assert browser.post("/login", data=data).status_code == 200
        return browser


def csrf(html: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', html)
    assert found
    return found[1]


def send(browser: TestClient, path: str, **data: Any) -> Any:
    token = csrf(browser.get("/guideline").text)
    return browser.post(path, data={"csrf": token, **data})


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    project = invented.project(tmp_path)
    with project.writing() as connection:
        add_rating(connection, "p-1", "llm:m/levels@1", "llm", label(9), {"votes": [9], "instructs": False})
    yield Team(project)
    project.close()


def test_what_a_model_was_not_shown_stands_beside_its_suggestion(tmp_path: Path) -> None:
    project = invented.project(tmp_path)
    data = {"votes": [0], "instructs": True, "left_out": [[6, 10]]}
    with project.writing() as connection:
        add_rating(connection, "p-1", "llm:m/levels@3", "llm", label(0), data)
    page = send(Team(project).member("Mei"), "/rate/1", level="1", high="false").text
    assert "may speak to whoever rates it" in page
    assert f"<li>{TEXTS[0][6:10]}</li>" in page
    project.close()


def test_the_suggestion_comes_after_ones_own_rating(team: Team) -> None:
    mei = team.member("Mei")
    page = mei.get("/")
    assert page.url.path == "/rate/1"
    assert TEXTS[0] in page.text
    assert "language model" not in page.text
    assert mei.get("/reveal/1").url.path == "/rate/1"
    revealed = send(mei, "/rate/1", level="1", high="false", indicators="pain")
    assert revealed.url.path == "/reveal/1"
    assert re.search(r"A language model</dt><dd>\s*<b>9</b>", revealed.text)
    assert send(mei, "/reveal/1", level="2", high="false").url.path == "/rate/2"
    stages = [(each.stage, each.label and each.label.level) for each in team.project.ratings("p-1")]
    assert stages == [("llm", 9), ("blind", 1), ("after", 2)]


def test_a_change_that_cannot_be_saved_leaves_ones_own_rating_as_it_is(team: Team) -> None:
    mei = team.member("Mei")
    send(mei, "/rate/1", level="1", high="false", spans='[[0, 2, "pain"]]')
    for change in ({"high": "true"}, {"level": "11", "high": "true"}, {"level": "7", "high": "true", "spans": "{"}):
        page = send(mei, "/reveal/1", **change)
        assert page.status_code == 422
        assert re.search(r"<dt>You</dt><dd>\s*<b>1</b>", page.text)
        stay = page.text[page.text.index('class="inline"') : page.text.index("I stay with mine")]
        assert 'name="level" value="1"' in stay
        assert 'value="[[0, 2, &#34;pain&#34;]]"' in stay
    assert [each.stage for each in team.project.ratings("p-1")] == ["llm", "blind"]


def test_without_a_suggestion_the_next_post_comes_at_once(team: Team) -> None:
    mei = team.member("Mei")
    send(mei, "/rate/1", level="0", high="false")
    send(mei, "/reveal/1", level="0", high="false")
    assert send(mei, "/rate/2", level="2", high="false").url.path == "/rate/3"


def test_nobody_reads_what_another_said(team: Team) -> None:
    mei, lan = team.member("Mei"), team.member("Lan")
    send(mei, "/rate/1", level="7", high="true", note="很担心她")
    for path in ("/", "/rate/1", "/reveal/1", "/mine", "/adjudicate", "/adjudicate/1"):
        assert "很担心她" not in lan.get(path).text
    assert lan.get("/adjudicate/1").status_code == 403


def test_a_form_that_is_not_complete_comes_back(team: Team) -> None:
    mei = team.member("Mei")
    for data, says in (
        ({"high": "true"}, "no level chosen"),
        ({"level": "3"}, "high or low"),
        ({"level": "3", "high": "false", "spans": '[[0, 999, "pain"]]'}, "does not lie in the post"),
        ({"level": "3", "high": "false", "spans": "{"}, "cannot be read"),
    ):
        found = send(mei, "/rate/2", **data)
        assert (found.status_code, says in found.text) == (422, True)
    assert team.project.ratings("p-2") == []


def test_what_cannot_be_saved_comes_back_filled_in(team: Team) -> None:
    mei, engine = team.member("Mei"), team.project.engine
    filled = {"level": "4", "high": "true", "indicators": "plan", "spans": '[[0, 4, "wish"]]', "unsure": "true"}
    too_long = send(mei, "/rate/3", **filled, note="很" * 2_001)
    with engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))
    engine.dispose()
    full_disk = send(mei, "/rate/3", **filled, note="很" * 2_000)
    for page, says in ((too_long, "2000 are the most"), (full_disk, "make room")):
        assert (page.status_code, says in page.text) == (422, True)
        assert len(re.findall(r"<input [^>]* checked", page.text)) == 4
        assert "很" * 2_000 in page.text
    assert "[[0, 4, &#34;wish&#34;]]" in full_disk.text
    assert team.project.ratings("p-3") == []


def test_marked_words_are_kept(team: Team) -> None:
    mei = team.member("Mei")
    send(mei, "/rate/3", level="4", high="false", spans='[[0, 4, "wish"]]', unsure="true", note="语气？")
    (found,) = team.project.ratings("p-3")
    assert found.label
    assert (found.label.spans[0].indicator, found.label.unsure, found.label.note) == ("wish", True, "语气？")


def test_two_windows_of_one_person_lose_nothing(team: Team) -> None:
    mei = team.member("Mei")
    send(mei, "/rate/2", level="2", high="false")
    again = send(mei, "/rate/2", level="3", high="false")
    assert "in another window" in again.text
    assert [each.stage for each in team.project.ratings("p-2")] == ["blind", "after"]


def test_disagreements_are_settled_without_names(team: Team) -> None:
    mei, lan, hua = team.member("Mei"), team.member("Lan"), team.member("Hua", "adjudicator")
    send(mei, "/rate/2", level="2", high="false", note="只是累")
    assert "p-2" not in hua.get("/adjudicate").text
    send(lan, "/rate/2", level="6", high="true")
    assert "p-2" in hua.get("/").text
    page = hua.get("/adjudicate/2").text
    assert "rater A" in page
    assert "rater B" in page
    assert "只是累" in page
    assert "Mei" not in page
    assert send(hua, "/adjudicate/2", level="4", high="false").url.path == "/adjudicate"
    assert send(hua, "/adjudicate/2", level="0", high="false").status_code == 422
    assert team.project.ratings("p-2")[-1].stage == "adjudicated"


def test_not_now_brings_another_post(team: Team) -> None:
    mei = team.member("Mei")
    assert mei.get("/").url.path == "/rate/1"
    assert send(mei, "/later/1").url.path == "/rate/2"


def test_when_all_is_rated_the_page_says_so(team: Team) -> None:
    mei = team.member("Mei")
    for place in range(1, 7):
        send(mei, f"/rate/{place}", level="0", high="false")
    assert "Nothing waits for you now" in mei.get("/").text
    assert mei.get("/rate/99").status_code == 404


def test_every_page_names_where_to_turn_in_both_languages(team: Team) -> None:
    mei = team.member("Mei")
    for path in ("/", "/mine", "/guideline"):
        assert "12356" in mei.get(path).text
        assert "标注" in mei.get(path, headers={"accept-language": "zh-CN"}).text


def test_alone_on_this_machine_no_password_is_asked(tmp_path: Path) -> None:
    project = invented.project(tmp_path, raters=1)
    browser = TestClient(pages.app(project, alone=True, hasher=FAST), "http://127.0.0.1", client=("127.0.0.1", 5))
    assert browser.get("/").url.path == "/rate/1"
    project.close()


def test_what_a_post_says_is_shown_as_text(tmp_path: Path) -> None:
    from shouwang.posts import Post

    project = invented.project(tmp_path, records=[Post("x", '1 < 2 &amp; "<" 好累')])
    page = Team(project).member("Mei").get("/").text
    assert "1 &lt; 2 &amp; &#34;&lt;&#34; 好累" in page
    project.close()
