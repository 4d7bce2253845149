from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shouwang.models.mixture import HEADS, HIGH_HEAD, log_softmax
from shouwang.train.builtin import teach
from shouwang.train.builtin.fit import Settings
from shouwang.train.builtin.stacked import Stacked, fresh_heads
from shouwang.train.builtin.teach import FOLDS, Draw, Lesson, Teaching
from shouwang.train.builtin.texts import Bank, Rows, Texts
from tests.train.builtin.conftest import CPU
from tests.train.builtin.invented import HIDDEN, SHAPE

Weights = dict[str, NDArray[Any]]
SHALLOW = replace(SHAPE, layers=1)
FEW = Draw(virus=1, usual=2, invented=3, talk=1, intent=1, graded=2, sos4k=3, disguised=0.5)
CALM, SHARP = Lesson(FEW, FEW), Lesson(Draw(disguised=0.5), Draw(disguised=0.5))
ONCE = Settings(rate=1e-3, batch=2)
HOW = Teaching((CALM, SHARP), seeds=2, shape=SHAPE, first=ONCE, first_epochs=2, second=ONCE, second_epochs=3)


def silent(step: int, steps: int, loss: float) -> None:
    """No progress."""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Rows]:
    """The rows [copies, b] of every step, none of which is taken."""
    seen: list[Rows] = []
    monkeypatch.setattr(teach, "fit", lambda model, plan, *_: seen.extend(plan))
    return seen


def read_by_copies(shown: list[Rows]) -> list[set[int]]:
    return [set(row.tolist()) for row in np.concatenate(shown, axis=1)]


# --- what is drawn --------------------------------------------------------------------------------------------------


def test_of_each_pool_as_many_posts_are_drawn_as_said(texts: Texts) -> None:
    drawn = FEW.posts(texts, "folds", texts.without(1), np.random.default_rng(0))
    counts = {
        name: int(np.isin(drawn, [*texts.rows(name), *texts.versions(name).ravel()]).sum()) for name in texts.parts
    }
    expected = {name: getattr(FEW, name) for name in teach.OTHERS}
    assert counts == expected | {
        "folds": 8,
        **dict.fromkeys(("splices", "turns", "further turns", "ordinary", "rated"), 0),
    }
    assert len(set(texts.clean()[drawn].tolist())) == len(drawn)


@pytest.mark.parametrize(("share", "disguised"), [(0.0, 0), (1.0, 200), (0.3, 60)])
def test_a_share_of_posts_stands_in_one_of_its_own_disguises(texts: Texts, share: float, disguised: int) -> None:
    places = np.tile(np.arange(10), 20)
    rows = teach.shown(texts, "folds", places, share, np.random.default_rng(0))
    assert texts.clean()[rows].tolist() == texts.rows("folds")[places].tolist()
    assert int((rows != texts.rows("folds")[places]).sum()) == pytest.approx(disguised, abs=20 if share == 0.3 else 0)


def test_posts_that_have_no_disguise_stand_as_they_are(texts: Texts) -> None:
    rows = teach.shown(texts, "splices", np.arange(5), 1.0, np.random.default_rng(0))
    assert rows.tolist() == texts.rows("splices")[:5].tolist()


# --- who sees what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", [CALM, SHARP])
def test_a_teacher_without_a_fold_never_sees_that_folds_posts_or_their_disguises(
    texts: Texts, bank: Bank, weights: Weights, shown: list[Rows], lesson: Lesson
) -> None:
    teach.teachers(texts, bank, weights, [weights, weights], lesson, HOW, 1, silent)
    for copy, seen in enumerate(read_by_copies(shown)):
        left_out = FOLDS[copy % len(FOLDS)]
        folds = {int(texts.fold[row]) for row in seen} - {0}
        assert folds == {1, 2, 3, 4, 5} - {left_out}
        assert seen & set(texts.versions("folds").ravel().tolist())


def test_the_teacher_of_all_folds_never_sees_posts_of_the_test_set(
    texts: Texts, bank: Bank, weights: Weights, shown: list[Rows]
) -> None:
    teach.teachers(texts, bank, weights, [weights], CALM, HOW, 1, silent)
    leaking = {
        row for i in np.flatnonzero(texts.leaks) for row in (texts.rows("folds")[i], *texts.versions("folds")[i])
    }
    of_all, *others = read_by_copies(shown)
    assert not of_all & leaking
    assert any(seen & leaking for seen in others)


def test_the_first_stage_sees_no_post_of_the_folds(
    texts: Texts, bank: Bank, weights: Weights, shown: list[Rows]
) -> None:
    begun = teach.beginners(texts, bank, weights, HOW, 0, silent)
    assert len(begun) == 4
    for seen in read_by_copies(shown):
        assert not texts.fold[list(seen)].any()
        assert {int(row) for row in texts.clean()[list(seen)]} >= set(texts.rows("sos4k").tolist())


def test_a_lesson_that_is_shorter_is_filled_with_turns_without_a_label(
    texts: Texts, bank: Bank, weights: Weights, shown: list[Rows]
) -> None:
    teach.beginners(texts, bank, weights, HOW, 0, silent)
    calm, _, sharp, _ = read_by_copies(shown)
    turns = set(texts.rows("turns").tolist())
    assert calm & turns == set()
    assert {int(row) for row in texts.clean()[list(sharp - turns)]} == set(texts.rows("sos4k").tolist())


def test_posts_without_a_label_teach_nothing(texts: Texts, bank: Bank, weights: Weights) -> None:
    model = Stacked(weights, [weights], SHAPE, CPU)
    both = np.concatenate([texts.rows("sos4k"), texts.rows("turns")])[None]
    losses = [
        teach.labels_loss(model.logits(*bank.read(rows)), bank.targets(rows), torch.tensor(teach.SHARES))
        for rows in (texts.rows("turns")[None], texts.rows("sos4k")[None], both)
    ]
    assert losses[0].item() == 0
    assert losses[2].item() == pytest.approx(losses[1].item() * 4 / 12, rel=1e-5)


# --- learning -------------------------------------------------------------------------------------------------------


def test_beginners_learn_each_from_heads_of_their_own_and_again_alike(texts: Texts, bank: Bank, start: Weights) -> None:
    few = replace(HOW, shape=SHALLOW, first_epochs=1)
    one, again = (teach.beginners(texts, bank, start, few, 0, silent) for _ in range(2))
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(one, again, strict=True) for name in a)
    assert len({each["heads.w"].tobytes() for each in one}) == 4
    assert not np.array_equal(one[0]["l0.fi.w"], start["l0.fi.w"])


def test_teachers_go_on_from_beginners_seed_by_seed(texts: Texts, bank: Bank, start: Weights) -> None:
    begun = [start | fresh_heads(HIDDEN, np.random.default_rng(seed)) for seed in (1, 2)]
    still = Teaching((CALM,), shape=SHALLOW, second=Settings(rate=0.0, batch=8), second_epochs=1)
    model = teach.teachers(texts, bank, start, begun, CALM, still, 1, silent)
    assert len(model) == 12
    for copy in range(12):
        np.testing.assert_array_equal(model.weights(copy)["heads.w"], begun[copy // 6]["heads.w"])


def test_labels_are_weighed_level_high_and_indicators() -> None:
    """By hand: an even answer costs ln 11 for the level and ln 2 for each of high (half) and the indicators (a tenth)."""
    even = torch.zeros(1, 2, len(HEADS))
    level, one = torch.eye(11)[None, 3:5], torch.ones(1, 2)
    binary = torch.ones(1, 2, 6)
    (loss,) = teach.labels_loss(even, [level, one, binary, binary], torch.tensor(teach.SHARES))
    assert loss.item() == pytest.approx(np.log(11) + np.log(2) * (0.5 + 5 * 0.1), rel=1e-6)


# --- what teachers say ----------------------------------------------------------------------------------------------


def test_texts_are_read_with_the_prefix_in_the_order_asked(
    texts: Texts, bank: Bank, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach, "READ_AT_ONCE", 3)
    two = Stacked(weights, [weights, weights | fresh_heads(HIDDEN, np.random.default_rng(2))], SHAPE, CPU)
    asked = np.array([30, 2, 57, 11, 40])
    said = teach.read(two, bank, asked)
    assert said.shape == (2, 5, len(HEADS))
    for i, row in enumerate(asked):
        with torch.no_grad():
            alone = two.logits(*bank.read_prefixed(np.array([[row], [row]])))
        np.testing.assert_allclose(said[:, i], alone[:, 0], atol=1e-5)


def test_several_answers_become_a_geometric_mean_of_levels_and_a_mean_of_log_odds() -> None:
    said = np.random.default_rng(0).normal(size=(3, 4, len(HEADS))).astype(np.float32)
    one = teach.joined(said)
    chances = np.prod([np.exp(log_softmax(each[:, :HIGH_HEAD].astype(np.float64))) for each in said], axis=0) ** (1 / 3)
    np.testing.assert_allclose(np.exp(one[:, :HIGH_HEAD]), chances, rtol=1e-4)
    np.testing.assert_allclose(one[:, HIGH_HEAD:], said[..., HIGH_HEAD:].mean(0), rtol=1e-5)


def test_one_answers_joined_alone_is_itself_but_for_a_constant_of_its_levels() -> None:
    said = np.random.default_rng(0).normal(size=(1, 4, len(HEADS))).astype(np.float32)
    apart = (teach.joined(said) - said[0])[:, :HIGH_HEAD]
    np.testing.assert_allclose(apart, np.repeat(apart[:, :1], HIGH_HEAD, 1), atol=1e-5)


def test_the_seeds_of_a_fold_are_joined_and_no_other() -> None:
    said = np.random.default_rng(0).normal(size=(12, 4, len(HEADS))).astype(np.float32)
    folds = teach.by_fold(said)
    assert folds.shape == (len(FOLDS), 4, len(HEADS))
    for k in range(len(FOLDS)):
        np.testing.assert_array_equal(folds[k], teach.joined(said[[k, 6 + k]]))
