"""Rating with the keyboard alone in a real browser; what axe-core finds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shouwang.annotate import pages
from shouwang.annotate.labels import Span
from shouwang.annotate.project import Project, add_rating
from tests.annotate import invented
from tests.annotate.invented import label
from tests.annotate.serving import serving
from tests.annotate.test_pages import FAST, SECRET
from tests.browser import axe, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def study(tmp_path: Path) -> Iterator[tuple[Project, str]]:
    """A project for one person, and its address."""
    records = [invented.posts()[2], *invented.posts()[:2]]
    project = invented.project(tmp_path, raters=1, records=records)
    with project.writing() as connection:
        spans = (Span(0, 4, "wish"),)
        suggested = label(5, spans=spans, indicators=frozenset({"wish"}))
        add_rating(connection, "p-3", "llm:m/levels@1", "llm", suggested, {"votes": [5], "instructs": False})
    with serving(pages.app(project, alone=True, hasher=FAST)) as address:
        yield project, address
    project.close()


def test_a_round_with_the_keyboard_alone(browser: Any, study: tuple[Project, str]) -> None:
    project, address = study
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    assert page.locator(".veiled").get_attribute("aria-hidden") == "true"
    page.keyboard.press("v")
    assert page.locator(".veiled").get_attribute("aria-hidden") == "false"
    page.locator("#post-text").focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    for key in ("w", "4", "l", "u"):
        page.keyboard.press(key)
    assert page.locator("#post-text mark.wish").inner_text() == "不想活了"
    assert page.get_by_text("language model").count() == 0
    page.keyboard.press("s")
    page.wait_for_url("**/reveal/1")
    assert page.get_by_text("A language model").is_visible() or page.get_by_text("语言模型").is_visible()
    page.keyboard.press("y")
    page.wait_for_url("**/rate/2")
    blind, after = (each.label for each in project.ratings("p-3") if each.stage != "llm")
    assert blind == after == label(4, spans=(Span(0, 4, "wish"),), indicators=frozenset({"wish"}), unsure=True)
    assert complaints == []


def test_ten_has_a_key_and_a_changed_mind_is_kept(browser: Any, study: tuple[Project, str]) -> None:
    project, address = study
    page = browser.new_page()
    page.goto(address)
    for key in ("x", "h", "s"):
        page.keyboard.press(key)
    page.wait_for_url("**/reveal/1")
    page.keyboard.press("c")
    for key in ("5", "l"):
        page.keyboard.press(key)
    page.keyboard.press("s")
    page.wait_for_url("**/rate/2")
    said = [(each.stage, each.label.level) for each in project.ratings("p-3") if each.label]
    assert said == [("llm", 5), ("blind", 10), ("after", 5)]


def test_marks_count_characters_as_python_does(browser: Any, tmp_path: Path) -> None:
    from shouwang.posts import Post

    project = invented.project(tmp_path, raters=1, records=[Post("e", "😭😭不想活了\n真的")])
    with serving(pages.app(project, alone=True, hasher=FAST)) as address:
        page = browser.new_page()
        page.goto(address)
        page.keyboard.press("v")
        page.locator("#post-text").focus()
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        for _ in range(4):
            page.keyboard.press("Shift+ArrowRight")
        for key in ("w", "4", "l", "s"):
            page.keyboard.press(key)
        page.wait_for_url("**/")
    (found,) = project.ratings("e")
    assert found.label
    assert found.label.spans == (Span(2, 6, "wish"),)
    project.close()


def test_the_pages_are_accessible(browser: Any, study: tuple[Project, str]) -> None:
    _, address = study
    page = browser.new_page()
    for path in ("/", "/guideline", "/mine", "/adjudicate"):
        page.goto(address + path)
        assert axe(page) == [], path
    page.goto(address)
    for key in ("4", "l", "s"):
        page.keyboard.press(key)
    page.wait_for_url("**/reveal/1")
    assert axe(page) == []


def test_a_session_that_ends_over_a_post_loses_nothing_of_its_rating(browser: Any, tmp_path: Path) -> None:
    late, project = [0.0], invented.project(tmp_path)
    app = pages.app(project, hasher=FAST, clock=lambda: time.time() + late[0])
    app.state.site.accounts.add("Mei", SECRET, ("rater",))
    with serving(app) as address:
        page = browser.new_context().new_page()
        page.goto(address)
        _log_in(page)
        page.wait_for_url("**/rate/1")
        page.keyboard.press("v")
        page.locator("#post-text").focus()
        page.keyboard.press("Shift+ArrowRight")
        for key in ("q", "w", "4", "l", "u"):
            page.keyboard.press(key)
        page.locator("textarea").fill("语气？")
        late[0] = 3_700.0
        page.evaluate("htmx.ajax('GET', '/me/break', {target: '#break', swap: 'innerMorph'})")  # as it asks by itself
        page.wait_for_selector("#break a[href*=login]")
        page.locator("button[data-key=s]").click()
        _log_in(page)
        page.keyboard.press("Enter")
        page.wait_for_url("**/rate/2")
        assert axe(page) == []
    (found,) = project.ratings("p-1")
    spans = (Span(0, 1, "pain"),)
    both = frozenset({"pain", "wish"})
    assert found.label == label(4, spans=spans, indicators=both, unsure=True, note="语气？")
    project.close()


def _log_in(page: Any) -> None:
    assert axe(page) == []
    page.locator("input[name=name]").fill("Mei")
    page.locator("input[name=password]").fill(SECRET)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_selector("input[name=name]", state="detached")
