"""Pictures of the rating pages for the docs, with invented posts: python -m tests.annotate.pictures FOLDER"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from shouwang.annotate import pages, rating
from shouwang.annotate.labels import Span
from shouwang.annotate.project import add_rating
from tests.annotate import invented
from tests.annotate.invented import label
from tests.annotate.serving import serving
from tests.annotate.test_pages import FAST
from tests.browser import chromium


def take(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        project = invented.project(Path(place), raters=1)
        with project.writing() as connection:
            suggested = label(5, spans=(Span(0, 4, "wish"),), indicators=frozenset({"wish"}))
            add_rating(connection, "p-3", "llm:m/levels@1", "llm", suggested, {"votes": [5, 5, 4], "instructs": False})
        for number in (1, 2):
            rating.save(project, number, "user:1", label(number))
        rating.save(project, 5, "user:8", label(0, note="平常的周末"))
        with project.writing() as connection:
            add_rating(connection, "p-5", "user:9", "blind", label(3, indicators=frozenset({"pain"})))
        with serving(pages.app(project, alone=True, hasher=FAST)) as address, chromium() as browser:
            page = browser.new_page(viewport={"width": 1000, "height": 820}, locale="zh-CN")
            page.goto(address)
            page.screenshot(path=folder / "annotate-veiled.png")
            page.keyboard.press("v")
            page.locator("#post-text").focus()
            for _ in range(4):
                page.keyboard.press("Shift+ArrowRight")
            for key in ("w", "4", "l"):
                page.keyboard.press(key)
            page.wait_for_timeout(300)
            page.screenshot(path=folder / "annotate-rate.png")
            page.keyboard.press("s")
            page.wait_for_url("**/reveal/3")
            page.keyboard.press("v")
            page.wait_for_timeout(300)
            page.screenshot(path=folder / "annotate-reveal.png")
            page.goto(f"{address}/adjudicate/5")
            page.keyboard.press("v")
            page.wait_for_timeout(300)
            page.screenshot(path=folder / "annotate-adjudicate.png", full_page=True)
            phone = browser.new_page(viewport={"width": 375, "height": 800}, locale="zh-CN")
            phone.goto(address)
            phone.screenshot(path=folder / "annotate-phone.png")
        project.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
