from __future__ import annotations

import re
from pathlib import Path

import pytest

from shouwang.errors import InputError
from tests.web.app import SECRET, World, csrf, log_in


def test_an_admin_adds_a_person_who_must_choose_a_password_first(world: World) -> None:
    admin = world.logged_in("Lan", ("admin",))
    added = admin.post("/people", data={"csrf": csrf(admin), "name": "Bo", "roles": ["rater", "emperor"]})
    password = re.search(r"<code>([a-z0-9-]{19})</code>", added.text)
    assert password
    browser = world.browser()
    log_in(browser, "Bo", password[1])
    assert browser.get("/").headers["location"] == "/me"
    form = {"csrf": csrf(browser), "old": password[1], "password": SECRET, "again": SECRET}
    browser.post("/me/password", data=form)
    assert browser.get("/").status_code == 200
    assert ("user:1", "account-added", "user:2") in world.recorded()


def test_whoever_must_choose_a_password_first_can_log_out_instead(world: World) -> None:
    world.site.accounts.add("Bo", SECRET, ["rater"], must_change=True)
    browser = world.browser()
    log_in(browser, "Bo", SECRET)
    assert browser.post("/logout", data={"csrf": csrf(browser)}).headers["location"] == "/login"
    assert browser.get("/me").headers["location"].startswith("/login")


def test_only_admins_see_the_accounts(world: World) -> None:
    rater = world.logged_in("Bo")
    assert rater.get("/people").status_code == 403
    assert rater.post("/people", data={"csrf": csrf(rater), "name": "x"}).status_code == 403


def test_who_is_switched_off_is_out_at_once(world: World) -> None:
    admin, rater = world.logged_in("Lan", ("admin",)), world.logged_in("Bo")
    user = world.site.accounts.named("Bo")
    assert user is not None
    admin.post(f"/people/{user.id}/access", data={"csrf": csrf(admin), "roles": "rater"})
    assert rater.get("/").status_code == 303
    assert log_in(world.browser(), "Bo", SECRET).status_code == 401


def test_the_last_admin_stays_one(world: World) -> None:
    user = world.site.accounts.add("Lan", SECRET, ["admin"])
    with pytest.raises(InputError, match="last one"):
        world.site.accounts.set_access(user, ["rater"], active=True, by=user)
    world.site.accounts.add("Bo", SECRET, ["admin"])
    world.site.accounts.set_access(user, ["rater"], active=True, by=user)
    changed = world.site.accounts.named("Lan")
    assert changed is not None
    assert changed.roles == {"rater"}


def test_a_new_password_from_an_admin_logs_the_owner_out(world: World) -> None:
    admin, rater = world.logged_in("Lan", ("admin",)), world.logged_in("Bo")
    user = world.site.accounts.named("Bo")
    assert user is not None
    assert "Bo" in admin.post(f"/people/{user.id}/password", data={"csrf": csrf(admin)}).text
    assert rater.get("/").status_code == 303


def test_accounts_and_sessions_work_on_both_databases(tmp_path: Path, database_url: str) -> None:
    world = World(tmp_path, database_url=database_url)
    admin = world.logged_in("Lan", ("admin", "rater"))
    assert admin.get("/").status_code == 200
    user = world.site.accounts.add("Bo", SECRET, ["rater"])
    assert admin.post(f"/people/{user.id}/access", data={"csrf": csrf(admin), "active": "true"}).status_code == 303
    admin.post("/logout", data={"csrf": csrf(admin)})
    assert [what for _, what, _ in world.recorded()] == [
        *("account-added", "login", "account-added", "account-changed", "logout")
    ]
