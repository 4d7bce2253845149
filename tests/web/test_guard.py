from __future__ import annotations

import logging

import pytest

from tests.web.app import World, csrf


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_from_elsewhere_changes_nothing(world: World, token: str | None) -> None:
    browser = world.logged_in()
    form = {"note": "x"} if token is None else {"note": "x", "csrf": token}
    answer = browser.post("/save", data=form)
    assert answer.status_code == 403
    assert "nothing was saved" in answer.text
    assert world.saved == []


def test_another_browser_s_token_is_not_taken(world: World) -> None:
    one, two = world.logged_in(), world.logged_in("Bo")
    assert one.post("/save", data={"note": "x", "csrf": csrf(two)}).status_code == 403
    assert one.post("/save", data={"note": "x"}, headers={"x-csrf-token": csrf(one)}).status_code == 303
    assert world.saved == ["x"]


def test_the_log_in_form_needs_its_token_too(world: World) -> None:
    assert world.browser().post("/login", data={"name": "a", "password": "b"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/broken", "/static/shouwang.css"])
def test_every_answer_carries_the_headers(world: World, path: str) -> None:
    headers = world.logged_in().get(path).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_a_page_holds_nothing_that_the_policy_would_block(world: World) -> None:
    page = world.logged_in().get("/").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick=" not in page


def test_an_error_tells_nothing_of_the_inside(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = world.logged_in().get("/broken")
    assert answer.status_code == 500
    for said in (answer.text, caplog.text):
        assert "the words of a post" not in said
    assert "ValueError" not in answer.text
    assert "ValueError" in caplog.text
    assert "/broken" in caplog.text


def test_a_form_that_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    browser = world.logged_in()
    token = csrf(browser)
    assert browser.post("/save", data={"note": "茶" * 500_000, "csrf": token}).status_code == 413

    headers = {"x-csrf-token": token, "content-type": "application/x-www-form-urlencoded"}
    streamed = browser.post("/save", content=(b"x" * 50_000 for _ in range(40)), headers=headers)
    assert streamed.status_code == 413
    assert world.saved == []


def test_a_flash_is_shown_once_and_escaped(world: World) -> None:
    browser = world.logged_in()
    browser.post("/save", data={"note": "x", "csrf": csrf(browser)})
    assert "saved &lt;b&gt;" in browser.get("/").text
    assert "saved" not in browser.get("/").text


def test_the_language_follows_the_browser_until_one_is_chosen(world: World) -> None:
    browser = world.logged_in()
    assert 'lang="en"' in browser.get("/").text
    assert 'lang="zh-CN"' in browser.get("/", headers={"accept-language": "zh-CN"}).text
    browser.post("/language", data={"csrf": csrf(browser), "language": "zh", "next": "/"})
    assert 'lang="zh-CN"' in browser.get("/").text


def test_the_break_comes_back_until_it_is_taken(world: World) -> None:
    browser = world.logged_in()
    world.clock.now += 46 * 60
    assert "Take a break" in browser.get("/").text
    browser.post("/me/break", data={"csrf": csrf(browser), "taken": "false"})
    assert "Take a break" not in browser.get("/").text
    world.clock.now += 11 * 60
    assert "Take a break" in world.logged_in().get("/").text, "a new log-in does not lose it"
    browser.post("/me/break", data={"csrf": csrf(browser), "taken": "true"})
    assert "Take a break" not in browser.get("/me/break").text


def test_texts_are_veiled_until_the_session_says_otherwise(world: World) -> None:
    browser = world.logged_in()
    assert 'id="t" data-key' in browser.get("/").text
    browser.post("/me/preferences", data={"csrf": csrf(browser), "shortcuts": "true"})
    assert 'id="t" checked' in browser.get("/").text
    assert 'id="t" data-key' in world.logged_in().get("/").text
