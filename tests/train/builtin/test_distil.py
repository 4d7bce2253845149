from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shouwang.models.mixture import HEADS, HIGH_HEAD
from shouwang.train.builtin import distil
from shouwang.train.builtin.distil import Distilling
from shouwang.train.builtin.fit import Settings
from shouwang.train.builtin.stacked import Stacked, fresh_heads, restored, shallow, stored
from shouwang.train.builtin.teach import FOLDS, Floats
from shouwang.train.builtin.texts import LATER, Bank, Rows, Texts
from tests.train.builtin.invented import HIDDEN, SHAPE

Weights = dict[str, NDArray[Any]]
Step = Callable[[Rows, bool], torch.Tensor]
SMALL = replace(SHAPE, layers=2)
HOW = Distilling(
    shape=SMALL,
    layers=(0, 2),
    units=48,
    frozen=1,
    general=Settings(rate=2e-3, batch=8, round_from=0.5),
    general_steps=30,
    task=Settings(rate=1e-3, batch=8, average_from=0.5, round_from=0.5),
    task_steps=4,
    closing=Settings(rate=1e-3, batch=8, average_from=0.5, round_from=0.0),
    closing_steps=4,
)


def silent(step: int, steps: int, loss: float) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def first(start: Weights) -> Weights:
    return shallow({name: value for name, value in start.items() if name.startswith("l")}, HOW.layers, HOW.units)


@pytest.fixture(scope="module")
def said(texts: Texts) -> Floats:
    random = np.random.default_rng(0).normal(size=(len(FOLDS), len(distil.asked(texts)), len(HEADS)))
    return np.asarray(random, np.float32)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Rows], list[Step]]:
    """The rows [copies, b] of every step, none of which is taken, and what would give its loss."""
    rows: list[Rows] = []
    steps: list[Step] = []

    def look(model: object, plan: list[Rows], step: Step, *_: object) -> None:
        rows.extend(plan)
        steps.append(step)

    monkeypatch.setattr(distil, "fit", look)
    return rows, steps


# --- the general student --------------------------------------------------------------------------------------------


def test_a_student_comes_closer_to_the_backbones_hidden_states(texts: Texts, bank: Bank, start: Weights) -> None:
    losses: list[float] = []
    made = distil.general(texts, bank, start, SHAPE, HOW, lambda *report: losses.append(report[2]))
    assert losses[-1] < 0.8 * losses[0]
    assert made.keys() == {name for name in start if name.startswith(("l0.", "l1."))}
    assert made["l0.fi.w"].shape[1] == HOW.units


def test_a_student_of_all_layers_and_units_already_says_what_the_backbone_says(
    texts: Texts, bank: Bank, start: Weights, shown: tuple[list[Rows], list[Step]]
) -> None:
    """Without a prefix, which the backbone alone reads."""
    alike = replace(HOW, shape=SHAPE, layers=(0, 1, 2, 3), units=96)
    whole = Bank(texts, np.zeros(0, np.int64), bank.device)
    distil.general(texts, whole, start, SHAPE, alike, silent)
    (step,) = shown[1]
    assert step(shown[0][0], False).item() == pytest.approx(0, abs=1e-6)


def test_the_general_student_reads_no_post_of_the_folds_and_no_splice(
    texts: Texts, bank: Bank, start: Weights, shown: tuple[list[Rows], list[Step]]
) -> None:
    distil.general(texts, bank, start, SHAPE, HOW, silent)
    seen = set(np.concatenate(shown[0], axis=1)[0].tolist())
    expected = [texts.rows(name) for name in ("turns", "further turns", "sos4k", "usual", "invented", "virus", "talk")]
    assert len(shown[0]) == HOW.general_steps
    assert seen == set(np.concatenate(expected).tolist())


def test_the_same_seed_gives_the_same_student(texts: Texts, bank: Bank, start: Weights) -> None:
    few = replace(HOW, general_steps=2)
    one, same = (distil.general(texts, bank, start, SHAPE, few, silent) for _ in range(2))
    assert all(np.array_equal(one[name], same[name]) for name in one)


# --- the students of a fold -----------------------------------------------------------------------------------------


def test_frozen_layers_stay_as_they_are_in_every_student_and_the_others_learn(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats
) -> None:
    made = distil.students(texts, bank, start, first, said, HOW, silent)
    assert len(made) == len(FOLDS)
    for each in made:
        for name, value in first.items():
            assert np.array_equal(each[name], value) == name.startswith("l0."), name
    assert len({each["l1.fo.w"].tobytes() for each in made}) == len({each["heads.w"].tobytes() for each in made}) == 6


def test_students_come_closer_to_what_they_hear(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats
) -> None:
    losses: list[float] = []
    longer = replace(HOW, task_steps=30, gold=0.0, task=Settings(rate=3e-3, batch=8))
    sure = np.repeat(3 * said[:1, :1], said.shape[1], 1).repeat(len(FOLDS), 0)
    distil.students(texts, bank, start, first, sure, longer, lambda *report: losses.append(report[2]))
    assert losses[-1] < losses[0] - 0.3


def test_a_student_without_a_fold_never_sees_its_posts_disguises_or_splices(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats, shown: tuple[list[Rows], list[Step]]
) -> None:
    distil.students(texts, bank, start, first, said, replace(HOW, task_steps=50), silent)
    splices, disguises = (set(each.ravel().tolist()) for each in (texts.rows("splices"), texts.versions("folds")))
    for left_out, row in zip(FOLDS, np.concatenate(shown[0], axis=1), strict=True):
        seen = set(row.tolist())
        others = {1, 2, 3, 4, 5} - {left_out}
        assert {int(texts.fold[at]) for at in seen} - {0} == others
        for part in (seen & splices, seen & disguises):
            assert part
            assert {int(texts.fold[at]) for at in part} <= others | {0}


def test_the_student_of_all_folds_never_sees_posts_of_the_test_set(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats, shown: tuple[list[Rows], list[Step]]
) -> None:
    distil.students(texts, bank, start, first, said, replace(HOW, task_steps=50), silent)
    clean = texts.clean()[np.concatenate(shown[0], axis=1)]
    leaking = texts.rows("folds")[texts.leaks]
    assert not np.isin(clean[0], leaking).any()
    assert np.isin(clean[1:], leaking).any()


def test_pools_are_drawn_as_often_as_the_mix_says(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats, shown: tuple[list[Rows], list[Step]]
) -> None:
    how = replace(HOW, task_steps=49, mix={"folds": 3, "usual": 1}, disguised=0.5)
    distil.students(texts, bank, start, first, said, how, silent)
    rows = np.concatenate(shown[0], axis=1)
    of_folds = np.isin(texts.clean()[rows], texts.rows("folds"))
    assert (of_folds | np.isin(texts.clean()[rows], texts.rows("usual"))).all()
    np.testing.assert_allclose(of_folds.mean(1), 0.75, atol=0.02)
    np.testing.assert_allclose((texts.clean()[rows] != rows).mean(), 0.5, atol=0.06)


def changed(
    texts: Texts, given: tuple[Bank, Weights, Weights, Floats], shown: list[Step], at: int, how: Distilling, rows: Rows
) -> bool:
    """Whether another answer of the teachers about the text `at` changes what is learnt from `rows`."""
    bank, start, first, said = given
    other = said.copy()
    other[:, distil.asked(texts) == at] += np.arange(len(HEADS), dtype=np.float32)
    for heard in (said, other):
        distil.students(texts, bank, start, first, heard, how, silent)
    before, after = (step(np.tile(rows, (len(FOLDS), 1)), False).detach() for step in shown[-2:])
    return not torch.equal(before, after)


def test_a_disguised_post_is_told_what_its_clean_post_was(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats, shown: tuple[list[Rows], list[Step]]
) -> None:
    given = bank, start, first, said
    own, versions = texts.rows("folds"), texts.versions("folds")
    assert changed(texts, given, shown[1], int(own[3]), HOW, versions[3])
    assert not changed(texts, given, shown[1], int(own[3]), HOW, versions[[2, 4]].ravel())
    assert not changed(texts, given, shown[1], int(own[3]), HOW, own[[2, 4]])


def test_a_label_that_counts_alone_leaves_the_teachers_unheard(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats, shown: tuple[list[Rows], list[Step]]
) -> None:
    """Of a virus post every head is known; of a splice nothing is."""
    given, sure = (bank, start, first, said), replace(HOW, gold=1.0)
    for name, hears in (("virus", False), ("splices", True)):
        at = texts.rows(name)[:1]
        assert changed(texts, given, shown[1], int(at[0]), sure, at) == hears
        assert changed(texts, given, shown[1], int(at[0]), HOW, at)


def test_the_teachers_are_asked_about_every_clean_text_but_further_turns_and_what_came_later(texts: Texts) -> None:
    asked = distil.asked(texts)
    assert (texts.clean()[asked] == asked).all()
    others = np.concatenate([texts.rows(name) for name in ("further turns", *LATER)])
    assert set(texts.clean().tolist()) - set(asked.tolist()) == set(others.tolist())


def test_an_aim_of_levels_is_what_the_teacher_gave(
    texts: Texts, bank: Bank, start: Weights, first: Weights, said: Floats, shown: tuple[list[Rows], list[Step]]
) -> None:
    """A constant added to all levels' log-odds is no other answer."""
    at = texts.rows("splices")[:2]
    for heads, same in ((slice(0, HIGH_HEAD), True), (slice(HIGH_HEAD, None), False)):
        other = said.copy()
        other[..., heads] += 1
        for heard in (said, other):
            distil.students(texts, bank, start, first, heard, HOW, silent)
        before, after = (step(np.tile(at, (len(FOLDS), 1)), False).detach() for step in shown[1][-2:])
        assert torch.allclose(before, after, atol=1e-5) == same


# --- the last steps, with posts that came later ------------------------------------------------------------


@pytest.fixture(scope="module")
def begun(start: Weights, first: Weights) -> Weights:
    """A student as its stored numbers stand for it."""
    return restored(stored(first | fresh_heads(HIDDEN, np.random.default_rng(2))))


def test_a_student_in_its_last_steps_calls_the_ordinary_posts_less_high_and_its_frozen_layers_stay(
    texts: Texts, bank: Bank, start: Weights, begun: Weights
) -> None:
    how = replace(HOW, closing_steps=30, later={"ordinary": 60}, closing=replace(HOW.closing, rate=3e-3))
    made = distil.closed(texts, bank, start, begun, 1, how, silent)
    rows = texts.rows("ordinary")[None]
    before, after = (
        Stacked(start, [each], SMALL, bank.device).eval().logits(*bank.read(rows), True)[..., HIGH_HEAD]
        for each in (begun, made)
    )
    assert (after < before).all()
    frozen = {name for name in begun if name.startswith("l0.")}
    assert {name for name in begun if np.array_equal(made[name], begun[name])} >= frozen
    assert not np.array_equal(made["l1.fo.w"], begun["l1.fo.w"])


def test_of_other_posts_a_student_hears_in_its_last_steps_what_it_said_itself(
    texts: Texts, bank: Bank, start: Weights, begun: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So, without a label and without dropout, it has nothing to learn: the loss has no slope."""
    seen: list[tuple[Stacked, Step]] = []
    monkeypatch.setattr(distil, "fit", lambda model, plan, step, *_: seen.append((model, step)))
    distil.closed(texts, bank, start, begun, 1, replace(HOW, shape=replace(SMALL, dropout=0.0)), silent)
    ((model, step),) = seen
    for pool, learns in (("splices", False), *((name, True) for name in LATER)):
        model.zero_grad()
        step(texts.rows(pool)[:2][None], True).sum().backward()  # type: ignore[no-untyped-call]
        slope = max(float(p.grad.abs().max()) for p in model.parameters() if p.grad is not None)
        assert (slope > 1e-5) == learns


def test_in_its_last_steps_a_student_still_never_sees_the_fold_left_out(
    texts: Texts, bank: Bank, start: Weights, begun: Weights, shown: tuple[list[Rows], list[Step]]
) -> None:
    distil.closed(texts, bank, start, begun, 2, replace(HOW, closing_steps=50), silent)
    seen = np.concatenate(shown[0], axis=1).ravel()
    assert 2 not in texts.fold[seen]
    assert all(np.isin(texts.rows(name), seen).all() for name in LATER)
