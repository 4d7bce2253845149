"""The pictures in docs/watch-pages.md, of invented posts: python -m tests.triage.pages.pictures docs/pictures"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.browser import chromium
from tests.triage.pages.desk import Desk
from tests.triage.pages.shift import POSTS, SECRET, Shift, Written

DESK = {"viewport": {"width": 1120, "height": 760}, "color_scheme": "light", "reduced_motion": "reduce"}
PHONE = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "is_mobile": True, "has_touch": True}


def fortnight(seed: int = 7) -> list[Written]:
    """Posts of two weeks, whose levels are drawn; the texts are those of `POSTS` that nobody's course holds."""
    random = np.random.default_rng(seed)
    texts = [post for post in POSTS if post.author != "xiaozhou"]
    days = np.sort(random.uniform(0.6, 14, 160))
    return [texts[int(random.integers(len(texts)))]._replace(author="", days=float(day)) for day in days]


def take(shift: Shift, base: str, browser: Any, folder: Path) -> None:
    for name, options in (("desk", DESK), ("phone", PHONE)):
        for locale in ("zh-CN", "en-US"):
            page = browser.new_context(locale=locale, base_url=base, **options).new_page()
            page.goto("/login")
            page.locator("[name=name]").fill("王敏")
            page.locator("[name=password]").fill(SECRET)
            page.locator("main button").click()
            page.locator("[id^=text-]").first.check()
            if name == "desk":
                _save(page, folder / f"watch-queue-{name}-{locale[:2]}.webp")
            page.locator("[data-open]").first.click()
            page.locator("#text").wait_for()
            page.locator("#text").check()
            _save(page, folder / f"watch-case-{name}-{locale[:2]}.webp", whole=name == "desk")
            page.goto("/overview")
            if name == "desk":
                _save(page, folder / f"watch-overview-{name}-{locale[:2]}.webp", whole=True)


def _save(page: Any, path: Path, whole: bool = False) -> None:
    shot = page.screenshot(full_page=whole, animations="disabled")
    Image.open(io.BytesIO(shot)).convert("RGB").save(path, quality=72, method=6)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as where:
        shift = Shift(Path(where) / "watch.sqlite", time.time())
        shift.person("王敏", "admin", "lead", "responder", "auditor")
        shift.person("李可")
        shift.deliver(fortnight(), source="forum")
        shift.deliver()
        mei = Desk(shift, "王敏")
        for number in mei.cases()[1:9]:
            mei.post(f"/cases/{number}/claim")
            mei.post(f"/cases/{number}/rate", level=5 + number % 4)
            mei.post(f"/cases/{number}/close", outcome=("reached-out", "not-at-risk", "referred")[number % 3])
        mei.post(f"/cases/{mei.cases()[0]}/claim")
        with shift.served() as base, chromium() as browser:
            take(shift, base, browser, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
