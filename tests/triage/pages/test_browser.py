"""The pages as a person works with them: a real server, a real browser, mostly by keyboard."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shouwang import database, ledger
from tests.browser import axe, chromium
from tests.triage.pages.desk import events
from tests.triage.pages.shift import SECRET, Shift, Written

WAIT = 60_000  # milliseconds; the machine may be busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


class Open:
    """A watch that is being served, and people at browsers."""

    def __init__(self, shift: Shift, base: str, browser: Any) -> None:
        self.shift, self.base, self.browser = shift, base, browser
        self.trouble: list[str] = []

    def page(self, **options: Any) -> Any:
        page = self.browser.new_context(
            **{"locale": "en-US", "base_url": self.base, "reduced_motion": "reduce"} | options
        ).new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", lambda message: self.trouble.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: self.trouble.append(f"dialog {dialog.message}"))
        return page

    def at_work(self, name: str, *roles: str, **options: Any) -> Any:
        self.shift.person(name, *roles)
        page = self.page(**options)
        log_in(page, name, SECRET)
        return page


@pytest.fixture(scope="module")
def watch(filled: Path, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    path = tmp_path_factory.mktemp("served") / "watch.sqlite"
    shutil.copy(filled, path)
    shift = Shift(path)
    with shift.served() as base:
        yield Open(shift, base, browser)


def log_in(page: Any, name: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label(re.compile("Name|用户名")).fill(name)
    page.get_by_label(re.compile("Password|密码")).fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def press(page: Any, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def test_a_whole_shift(watch: Open) -> None:
    lead = watch.page()
    lead.goto(watch.shift.site.setup_address(watch.base))
    lead.get_by_label("Your name here").fill("Mei")
    lead.get_by_label("Password (10 characters or more)").fill(SECRET)
    lead.get_by_label("The password again").fill(SECRET)
    lead.get_by_role("button", name="Make the first account").click()
    lead.wait_for_url("**/queue")

    press(lead, "g p")
    lead.get_by_label("New account").fill("Lan")
    lead.get_by_role("checkbox", name="responder").first.check()
    lead.get_by_role("button", name="Add").click()
    first_password = lead.locator("code").inner_text()

    press(lead, "g q")
    lead.wait_for_url("**/queue")
    press(lead, "n")
    lead.wait_for_url("**/cases/6")
    text = lead.locator(".post .veiled")
    assert text.evaluate("e => getComputedStyle(e).filter").startswith("blur")
    assert text.get_attribute("aria-hidden") == "true"
    press(lead, "v")
    lead.locator(".post .veiled[aria-hidden=false]").wait_for()
    assert text.evaluate("e => getComputedStyle(e).filter") == "none"
    press(lead, "9 s")
    lead.get_by_text("Your rating: 9.").wait_for()
    press(lead, "w")
    lead.keyboard.type("已电话联系到家人，晚上再问一次。")
    lead.get_by_role("button", name="Save note").click()
    lead.get_by_text("Noted.").wait_for()
    lead.get_by_label("Hand over to").select_option(label="Lan")
    lead.get_by_role("button", name="Hand over", exact=True).click()
    lead.get_by_text("Case 6 is with Lan now").wait_for()
    lead.get_by_role("button", name="Log out").click()
    lead.wait_for_url("**/login")

    other = watch.page()
    log_in(other, "Lan", first_password)
    other.get_by_label("Old password").fill(first_password)
    other.get_by_label("New password (10 characters or more)").fill(SECRET)
    other.get_by_label("The new password again").fill(SECRET)
    other.get_by_role("button", name="Change password").click()
    other.wait_for_url("**/queue")
    press(other, "f m")
    other.wait_for_url("**show=mine**")
    press(other, "j Enter")
    other.wait_for_url("**/cases/6")
    assert "已电话联系到家人" in other.locator(".note").inner_text()
    press(other, "o d")
    other.get_by_text("Case 6 is closed.").wait_for()
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/login")

    kinds = ("claimed", "rated", "noted", "handed-over", "closed")
    assert [what for _, what, subject in events(watch.shift, *kinds) if subject == "case:6"] == list(kinds)
    with watch.shift.engine.connect() as connection:
        assert ledger.verify(connection).broken is None
    assert watch.trouble == []


def test_a_new_case_appears_by_itself_and_disturbs_nothing(watch: Open) -> None:
    page = watch.at_work("Bo")
    page.goto("/queue")
    page.locator("#text-5").check()
    page.locator("#text-5").focus()
    watch.shift.deliver([Written(9, "就今晚了，谢谢大家", "", 0.0001)], source="live")
    new = page.locator(".case-row").filter(has_text="live")
    new.wait_for()
    assert page.locator("#text-5").is_checked()
    assert page.evaluate("document.activeElement.id") == "text-5"
    assert not new.get_by_label("Show text").is_checked()


def test_hostile_markup_never_runs(watch: Open) -> None:
    hostile = "<script>document.title='run'</script><img src=x onerror=alert(1)><svg onload=alert(2)>"
    watch.shift.deliver([Written(6, hostile + "太难了", "", 0.0001)], source="<img src=x onerror=alert(3)>")
    page = watch.at_work("Bo")
    page.goto("/queue")
    row = page.locator(".case-row").filter(has_text="alert(3)")
    row.get_by_label("Show text").check()
    assert hostile in row.locator(".veiled").inner_text()
    row.locator("[data-open]").click()
    page.wait_for_url("**/cases/*")
    assert page.title().startswith("Case")
    assert page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'blocked')") == "blocked"
    assert [each for each in watch.trouble if "example.org" not in each] == []
    watch.trouble.clear()


def test_a_double_click_takes_one_case(watch: Open) -> None:
    page = watch.at_work("Wei")
    page.goto("/queue")
    button = page.get_by_role("button", name="Take the next case").bounding_box()
    with database.writing(watch.shift.engine):  # so that the first answer is not there when the second click comes
        for _ in range(2):
            page.mouse.click(button["x"] + 5, button["y"] + 5)
            page.wait_for_timeout(300)
    page.wait_for_url("**/cases/*")
    me = watch.shift.person("Wei").actor
    assert [who for who, _, _ in events(watch.shift, "claimed")].count(me) == 1


def test_the_author_s_posts_open_by_their_key(watch: Open) -> None:
    page = watch.at_work("Bo")
    page.goto("/cases/6")
    press(page, "e")
    page.locator("details[open] .course").wait_for()


def test_the_help_lists_the_keys_and_they_can_be_switched_off(watch: Open) -> None:
    page = watch.at_work("Bo")
    page.goto("/queue")
    press(page, "?")
    keys = page.locator("dialog[open] dt").all_inner_texts()
    assert {"n", "v", "j / k", "g q", "?"} <= set(keys)
    press(page, "Escape")
    page.goto("/me")
    page.get_by_role("checkbox", name="Keyboard shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    press(page, "g q")
    assert page.url.endswith("/me")


@pytest.mark.parametrize(
    "options",
    [
        {"locale": "zh-CN", "viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
        {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    ],
    ids=["phone-dark-zh", "desk-light-en"],
)
def test_every_page_is_accessible_and_fits(watch: Open, options: dict[str, Any]) -> None:
    stranger = watch.page(**options)
    stranger.goto("/login")
    found = [f"/login {violation}" for violation in axe(stranger)]
    page = watch.at_work("All", "admin", "lead", "responder", "auditor", **options)
    for path in ("/queue", "/cases/5", "/overview", "/keys", "/policy", "/shadow", "/audit", "/people", "/me"):
        page.goto(path)
        if path == "/cases/5" and page.locator("[data-key=c]").count():
            page.locator("[data-key=c]").click()
            page.get_by_role("button", name=re.compile("Close the case|结案")).wait_for()
        found += [f"{path} {violation}" for violation in axe(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} is wider than the screen")
    assert found == []
