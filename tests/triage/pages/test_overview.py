from __future__ import annotations

import re

from tests.triage.pages.desk import Desk, events
from tests.triage.pages.shift import POSTS, Shift


def test_the_overview_has_figures_and_no_post(shift: Shift) -> None:
    auditor, mei = Desk(shift, "Aud", "auditor"), Desk(shift, "Mei")
    mei.post("/cases/6/claim")
    mei.post("/cases/6/rate", level=2)
    page = auditor.get("/overview").text
    assert "14 min" in page, "from opening to the claim"
    assert page.count('class="bar"') == 24 + 14
    assert '<th scope="row">2</th><td class="number">1</td>' in page, "a false alarm, says Mei"
    assert "86%" in page, "what the card says of high posts"
    assert not any(post.text[:6] in page for post in POSTS)


def test_a_key_is_shown_once_and_revoked(shift: Shift) -> None:
    admin = Desk(shift, "Ada", "admin")
    made = admin.post("/keys", name="crawler", scopes="posts:write", per_minute="60").text
    key = re.search(r"shouwang_[\w-]{43}", made)
    assert key
    assert key[0] not in admin.get("/keys").text
    admin.post("/keys/1/revoke")
    assert "revoked" in admin.get("/keys").text
    assert [what for _, what, _ in events(shift, "key-added", "key-revoked")] == ["key-added", "key-revoked"]


def test_a_key_without_scope_is_refused(shift: Shift) -> None:
    assert Desk(shift, "Ada", "admin").post("/keys", name="crawler").status_code == 422
