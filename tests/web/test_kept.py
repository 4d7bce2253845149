"""What was sent when the session was over is offered again to whoever filled it in, and to nobody else."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from shouwang.web.kept import Kept, unpacked
from tests.web.app import SECRET, World, csrf

NOTE = "语气“平静”<b>，明天再看"
HOUR = 3600
HERE = {"origin": "http://testserver"}


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form in the main part of a page."""
    main = page.split("<main", 1)[1]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', main)
    return {name: html.unescape(value) for name, value in found}


def filled(world: World, name: str = "Mei") -> tuple[TestClient, dict[str, str]]:
    """Somebody's browser and the form they have open, filled in."""
    browser = world.logged_in(name)
    user = world.site.accounts.named(name)
    assert user
    return browser, {"csrf": csrf(browser), "by": str(user.id), "note": NOTE}


def back_in(browser: TestClient, page: Any, name: str = "Mei") -> Any:
    return browser.post("/login", data={**hidden(page.text), "name": name, "password": SECRET})


def test_what_was_sent_too_late_comes_back_after_the_log_in(world: World) -> None:
    browser, form = filled(world)
    world.clock.now += 2 * HOUR
    page = browser.post("/save", data=form)
    assert (page.status_code, world.saved) == (401, [])
    assert "kept on this page" in page.text
    wrong = browser.post("/login", data={**hidden(page.text), "name": "Mei", "password": "not it"})
    offered = back_in(browser, wrong)
    assert "Send it now" in offered.text
    assert 'action="/save"' in offered.text
    assert browser.post("/save", data=hidden(offered.text)).headers["location"] == "/"
    assert world.saved == [NOTE]


def test_another_account_cannot_send_it_and_it_is_still_there_for_its_own(world: World) -> None:
    browser, form = filled(world)
    world.logged_in("Lan")
    world.clock.now += 2 * HOUR
    page = browser.post("/save", data=form)
    refused = back_in(browser, page, "Lan")
    assert (refused.status_code, "Another account filled in" in refused.text) == (403, True)
    assert browser.get("/").status_code == 303, "Lan is not in"
    browser.post("/save", data=hidden(back_in(browser, refused).text))
    assert world.saved == [NOTE]


def test_a_form_from_before_a_log_in_in_another_tab_takes_one_click(world: World) -> None:
    browser, form = filled(world)
    world.clock.now += 2 * HOUR
    back_in(browser, browser.get("/login"))
    offered = browser.post("/save", data=form, headers=HERE)
    assert (offered.status_code, world.saved) == (403, [])
    browser.post("/save", data=hidden(offered.text))
    assert world.saved == [NOTE]


def test_a_form_of_hers_in_his_session_is_not_his(world: World) -> None:
    _, form = filled(world)
    found = world.logged_in("Lan").post("/save", data=form, headers=HERE)
    assert "Another account filled in" in found.text
    assert world.saved == []


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {**HERE, "sec-fetch-site": "cross-site"}])
def test_what_another_site_sends_is_not_kept(world: World, headers: dict[str, str]) -> None:
    browser, form = filled(world)
    found = browser.post("/save", data={**form, "csrf": "0" * 64}, headers=headers)
    assert found.status_code == 403
    assert NOTE not in html.unescape(found.text)


def test_two_log_in_pages_with_a_form_each_lose_neither(world: World) -> None:
    browser, form = filled(world)
    world.clock.now += 2 * HOUR
    pages = [browser.post("/save", data={**form, "note": note}) for note in ("one", "two")]
    browser.post("/save", data=hidden(back_in(browser, pages[0]).text))
    late = browser.post("/login", data={**hidden(pages[1].text), "name": "Mei", "password": SECRET}, headers=HERE)
    browser.post("/save", data=hidden(late.text))
    assert world.saved == ["one", "two"]


def test_who_must_choose_a_password_first_loses_nothing(world: World) -> None:
    browser, form = filled(world)
    mei = world.site.accounts.named("Mei")
    assert mei
    world.site.accounts.change_password(mei, SECRET, by=mei, must_change=True)
    offered = browser.post("/save", data=form)
    assert "choose a password of your own" in offered.text
    own = {"csrf": csrf(browser), "old": SECRET, "password": "a sentence of her own", "again": "a sentence of her own"}
    browser.post("/me/password", data=own)
    again = browser.post("/save", data=hidden(offered.text), headers=HERE)
    browser.post("/save", data=hidden(again.text))
    assert world.saved == [NOTE]


def test_a_part_of_a_page_that_asks_too_late_leaves_the_page_where_it_is(world: World) -> None:
    browser, _ = filled(world)
    world.clock.now += 2 * HOUR
    part = browser.get("/me/break", headers={"hx-request": "true", "hx-current-url": "http://testserver/rate/3"})
    assert part.status_code == 401
    assert "hx-redirect" not in part.headers
    assert "/login?next=/rate/3" in part.text
    assert "still here" in part.text


def test_only_what_was_packed_here_is_unpacked() -> None:
    kept = Kept("/rate/1", "7", (("level", "4"), ("indicators", "pain"), ("indicators", "wish")))
    assert unpacked(kept.packed()) == kept
    for text in ("", "{}", "[1]", Kept("//evil.example", "7", ()).packed(), Kept("/", "", ()).packed()):
        assert unpacked(text) is None
