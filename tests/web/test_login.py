from __future__ import annotations

import time
from pathlib import Path

import pytest

from shouwang.errors import InputError
from shouwang.web.sessions import Limits
from shouwang.web.visitor import COOKIE, local
from tests.web.app import SECRET, World, csrf, log_in


def test_without_a_session_every_page_leads_to_the_log_in_and_back(world: World) -> None:
    world.site.accounts.add("Mei", SECRET, ["rater"])
    browser = world.browser()
    sent = browser.get("/?page=2")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/login?next=%2F%3Fpage%3D2"
    entered = log_in(browser, "mei", SECRET, "/?page=2")
    assert entered.headers["location"] == "/?page=2"
    assert browser.get("/").status_code == 200
    assert world.recorded()[-1] == ("user:1", "login", "user:1")


def test_every_page_says_in_which_zone_its_times_are(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert "UTC+08:00" in world.logged_in("Mei").get("/me").text
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb", ""]
)
def test_the_log_in_never_leads_to_another_site(path: str) -> None:
    assert local(path) == "/"


def test_the_token_changes_at_the_log_in_and_only_its_hash_is_kept(world: World, tmp_path: Path) -> None:
    world.site.accounts.add("Mei", SECRET, ["rater"])
    browser = world.browser()
    browser.get("/login")
    before = browser.cookies[COOKIE]
    log_in(browser, "Mei", SECRET)
    after = browser.cookies[COOKIE]
    assert before != after
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("web.sqlite*"))
    assert after.encode() not in stored
    assert SECRET.encode() not in stored
    assert b"$argon2id$" in stored


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(world: World) -> None:
    world.site.accounts.add("Mei", SECRET, ["rater"])
    answers = [log_in(world.browser(), name, "not the password") for name in ("Mei", "Lan")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("Name or password is wrong" in answer.text for answer in answers)
    assert world.recorded()[1:] == [("", "login-failed", "user:1")]


def test_after_five_failures_even_the_right_password_has_to_wait(world: World) -> None:
    world.site.accounts.add("Mei", SECRET, ["rater"])
    browser = world.browser()
    for _ in range(5):
        assert log_in(browser, "Mei", "not the password").status_code == 401
    assert log_in(browser, "Mei", SECRET).status_code == 429
    assert log_in(world.browser(client=("10.0.0.8", 1)), "Mei", SECRET).status_code == 303
    world.clock.now += 15 * 60 + 1
    assert log_in(browser, "Mei", SECRET).status_code == 303


def test_one_address_cannot_try_many_names(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(tries_by_address=3))
    codes = (
        [log_in(world.browser(), f"name {n}", "not the password").status_code for n in range(4)]
        if _first(world)
        else []
    )
    assert codes == [401, 401, 401, 429]


def _first(world: World) -> bool:
    return bool(world.site.accounts.add("Mei", SECRET, ["admin"]).id)


def test_a_session_ends_when_idle_but_not_while_it_is_used(world: World) -> None:
    browser = world.logged_in()
    for _ in range(3):
        world.clock.now += 50 * 60
        assert browser.get("/").status_code == 200
    world.clock.now += 61 * 60
    assert browser.get("/").status_code == 303


def test_what_a_page_asks_on_its_own_keeps_no_session_alive(world: World) -> None:
    browser = world.logged_in()
    for _ in range(7):
        world.clock.now += 10 * 60
        browser.get("/me/break")
    assert browser.get("/").status_code == 303


def test_a_session_ends_after_twelve_hours_however_busy(world: World) -> None:
    browser = world.logged_in()
    codes = []
    for _ in range(13):
        world.clock.now += 59 * 60
        codes.append(browser.get("/").status_code)
    assert codes == [200] * 12 + [303]


def test_log_out_ends_this_session_and_everywhere_ends_all(world: World) -> None:
    one, two, three = (world.logged_in() for _ in range(3))
    one.post("/logout", data={"csrf": csrf(one)})
    assert [browser.get("/").status_code for browser in (one, two, three)] == [303, 200, 200]
    two.post("/logout", data={"csrf": csrf(two), "everywhere": "true"})
    assert three.get("/").status_code == 303


def test_a_changed_password_logs_the_other_sessions_out(world: World) -> None:
    here, there = world.logged_in(), world.logged_in()
    form = {"csrf": csrf(here), "old": SECRET, "password": "another sentence", "again": "another sentence"}
    assert here.post("/me/password", data=form).status_code == 303
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303
    assert log_in(world.browser(), "Mei", SECRET).status_code == 401


def test_the_first_account_needs_the_code_from_the_terminal_and_is_made_once(world: World) -> None:
    browser = world.browser()
    form = {"csrf": csrf(browser, "/setup"), "name": "Mei", "password": SECRET, "again": SECRET, "token": "guessed"}
    assert browser.post("/setup", data=form).status_code == 403
    assert browser.post("/setup", data=form | {"token": world.site.setup_token}).status_code == 303
    user = world.site.accounts.named("Mei")
    assert user is not None
    assert user.roles == {"admin", "rater"}
    late = world.browser()
    again = {**form, "csrf": csrf(late, "/login"), "token": world.site.setup_token, "name": "Lan"}
    assert late.post("/setup", data=again).status_code == 404


@pytest.mark.parametrize("password", ["short", "a" * 12, "mei and the others", "x" * 300])
def test_passwords_that_are_easily_guessed_are_refused(world: World, password: str) -> None:
    with pytest.raises(InputError):
        world.site.accounts.add("Mei", password, ["rater"])


def test_names_that_look_alike_are_one(world: World) -> None:
    world.site.accounts.add("Mei", SECRET, ["rater"])
    with pytest.raises(InputError, match="taken"):
        world.site.accounts.add("ｍｅｉ", SECRET, ["rater"])


def test_alone_on_this_machine_no_password_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path, alone="Mei")
    world.site.accounts.add("Mei", SECRET, ["rater"])
    here = world.browser(client=("127.0.0.1", 1), base_url="http://127.0.0.1:8000")
    assert here.get("/login").status_code == 303
    assert here.get("/").status_code == 200
    assert world.browser(client=("10.0.0.7", 1), base_url="http://127.0.0.1:8000").get("/login").status_code == 200
    assert world.browser(client=("127.0.0.1", 1), base_url="http://evil.example").get("/login").status_code == 200
