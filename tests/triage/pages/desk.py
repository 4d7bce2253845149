"""A person at the pages, as far as HTTP goes."""

from __future__ import annotations

import re
from typing import Any

from fastapi.testclient import TestClient

from shouwang import ledger
from tests.triage.pages.shift import SECRET, Shift


class Desk:
    """Somebody who is logged in."""

    def __init__(self, shift: Shift, name: str, *roles: str) -> None:
        self.user = shift.person(name, *roles)
        self.browser = TestClient(shift.app, follow_redirects=False, headers={"accept-language": "en"})
        self.post("/login", page="/login", name=name, password=SECRET)

    def get(self, path: str) -> Any:
        return self.browser.get(path)

    def post(self, path: str, *, page: str = "/me", **fields: object) -> Any:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.browser.get(page).text)
        assert found, "a form with a token"
        return self.browser.post(path, data={"csrf": found[1], **fields})

    def cases(self, query: str = "") -> list[int]:
        """The numbers of the cases that the queue shows, in its order."""
        return [int(n) for n in re.findall(r'id="case-(\d+)"', self.get(f"/queue{query}").text)]


def events(shift: Shift, *kinds: str) -> list[tuple[str, str, str]]:
    """Who did what to what, oldest first."""
    with shift.engine.connect() as connection:
        found = ledger.recorded(connection, limit=1000)
    return [(event.who, event.what, event.subject) for event in reversed(found) if event.what in kinds]
