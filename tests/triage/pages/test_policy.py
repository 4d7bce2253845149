from __future__ import annotations

import pytest

from shouwang import database, ledger
from shouwang.triage import policies
from shouwang.triage.policy import Policy
from tests.triage.pages.desk import Desk, events
from tests.triage.pages.shift import Shift

FORM = {
    "basis": "threshold",
    "high": "0.3",
    "imminent_level": "8",
    "imminent": "0.5",
    "wish_level": "4",
    "wish": "",
    "spot_check": "0",
}


def test_a_preview_says_what_would_change_and_changes_nothing(shift: Shift) -> None:
    page = Desk(shift, "Lead", "lead").post("/policy/preview", **FORM).text
    assert "What this change would do" in page
    assert "Put into force" in page
    assert "post 8: watch → today" in page
    assert events(shift, "set-policy") == []


def test_a_policy_is_put_into_force_by_name(shift: Shift) -> None:
    lead = Desk(shift, "Lead", "lead")
    assert lead.post("/policy", **FORM | {"basis": "balanced"}).status_code == 303
    with shift.engine.connect() as connection:
        held = policies.current(connection)
    assert (held.id, held.policy.basis, held.policy.wish) == (1, "balanced", None)
    assert events(shift, "set-policy") == [(lead.user.actor, "set-policy", "policy:1")]
    assert "policy 1" in lead.get("/policy").text


def test_a_policy_at_a_point_that_the_model_lacks_is_said_and_can_be_replaced(shift: Shift) -> None:
    with database.writing(shift.engine) as connection:
        policies.set_policy(connection, Policy("workload=200/1000"), "user:1", shift.now)
    lead = Desk(shift, "Lead", "lead")
    assert "stands at workload=200/1000" in lead.get("/policy").text
    assert lead.post("/policy/preview", **FORM).status_code == 200
    assert lead.post("/policy", **FORM).status_code == 303
    assert "stands at" not in lead.get("/policy").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"high": "1.5"},
        {"high": "x"},
        {"high": "nan"},
        {"basis": "nowhere"},
        {"basis": "capacity"},
        {"basis": "capacity", "per_day": "inf"},
        {"imminent_level": "11"},
        {"imminent_level": "inf"},
        {"wish_level": "4.5"},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(shift: Shift, wrong: dict[str, str]) -> None:
    assert Desk(shift, "Lead", "lead").post("/policy", **FORM | wrong).status_code == 422
    assert events(shift, "set-policy") == []


def test_the_chain_is_verified_on_the_page(shift: Shift) -> None:
    auditor = Desk(shift, "Aud", "auditor")
    assert "The chain holds" in auditor.post("/audit/verify").text
    with shift.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER events_no_update")
        connection.exec_driver_sql("UPDATE events SET who = 'nobody' WHERE number = 3")
    assert "The chain does not hold" in auditor.post("/audit/verify").text


def test_the_trail_is_read_by_subject_and_page(shift: Shift) -> None:
    auditor = Desk(shift, "Aud", "auditor")
    released = ledger.Event(auditor.user.actor, "released", "case:6", {})
    with database.writing(shift.engine) as connection:
        ledger.append_all(connection, [released] * 120)
    page = auditor.get("/audit?subject=case:6").text
    assert page.count("<td>released</td>") == 100
    assert "login" not in page
    assert "Older" in page
