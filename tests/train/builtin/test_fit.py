from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from shouwang.train.builtin.fit import Settings, batches, fit
from shouwang.train.builtin.stacked import Stacked, fresh_heads
from shouwang.train.builtin.teach import SHARES, labels_loss
from shouwang.train.builtin.texts import Bank, Rows, Texts
from tests.train.builtin.conftest import CPU
from tests.train.builtin.invented import HIDDEN, SHAPE

Weights = dict[str, NDArray[Any]]
Step = Callable[[Rows, bool], torch.Tensor]
SETTINGS = Settings(rate=1e-3)
SHALLOW = replace(SHAPE, layers=1)


def stacked(weights: Weights, *seeds: int) -> Stacked:
    """Copies with heads of their own."""
    one_layer = {name: value for name, value in weights.items() if not name.startswith(("l1", "l2", "l3"))}
    copies = [one_layer | fresh_heads(HIDDEN, np.random.default_rng(seed)) for seed in seeds]
    return Stacked(weights, copies, SHALLOW, CPU)


def learning(model: Stacked, bank: Bank, shares: tuple[float, ...] = (1.0,)) -> Step:
    """What the labels say, times a share for each copy."""
    heads, copies = torch.tensor(SHARES), torch.tensor(shares)
    return lambda rows, rounded: (
        labels_loss(model.logits(*bank.read(rows), rounded), bank.targets(rows), heads) * copies
    )


def trained(model: Stacked, bank: Bank, plan: list[Rows], settings: Settings = SETTINGS) -> Stacked:
    fit(model, plan, learning(model, bank), settings, lambda *_: None)
    return model


def alike(one: Weights, other: Weights) -> bool:
    """But for the bias of attention's keys, which changes no answer: its gradient is noise, which Adam makes large."""
    for name, value in one.items():
        at = np.r_[:HIDDEN, 2 * HIDDEN : 3 * HIDDEN] if name.endswith("qkv.b") else slice(None)
        if not np.allclose(value[at], other[name][at], atol=1e-4):
            return False
    return True


@pytest.fixture
def plan(texts: Texts) -> list[Rows]:
    """Three steps of four posts: [1, 4] each."""
    return [texts.rows("folds")[None, 3 * i : 3 * i + 4] for i in range(3)]


@pytest.fixture
def norms() -> Iterator[list[list[float]]]:
    """Each copy's gradient norm at every step of an optimizer."""
    seen: list[list[float]] = []

    def look(optimizer: Optimizer, *_: object) -> None:
        grads = [p.grad.flatten(1) for group in optimizer.param_groups for p in group["params"]]
        seen.append(torch.cat(grads, 1).norm(dim=1).tolist())

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


def test_training_lowers_the_loss_and_says_so(weights: Weights, texts: Texts, bank: Bank) -> None:
    model, losses = stacked(weights, 1), []
    plan = [texts.rows("folds")[None]] * 52
    fit(model, plan, learning(model, bank), Settings(rate=3e-3), lambda *said: losses.append(said))
    assert [(done, steps) for done, steps, _ in losses] == [(1, 52), (51, 52), (52, 52)]
    assert losses[-1][2] < losses[0][2] - 0.5
    assert not model.training


def test_a_copy_learns_beside_others_what_it_learns_alone(
    weights: Weights, texts: Texts, bank: Bank, plan: list[Rows]
) -> None:
    elsewhere = [texts.rows("sos4k")[None]] * 3
    together = trained(
        stacked(weights, 1, 2), bank, [np.concatenate(both) for both in zip(plan, elsewhere, strict=True)]
    )
    alone = trained(stacked(weights, 1), bank, plan), trained(stacked(weights, 2), bank, elsewhere)
    assert alike(together.weights(0), alone[0].weights(0))
    assert alike(together.weights(1), alone[1].weights(0))
    assert not alike(together.weights(0), together.weights(1))


def test_each_copys_gradient_is_held_to_a_norm_of_its_own(
    weights: Weights, bank: Bank, plan: list[Rows], norms: list[list[float]]
) -> None:
    model = stacked(weights, 1, 2)
    both = [np.concatenate([rows, rows]) for rows in plan]
    fit(model, both, learning(model, bank, (1000.0, 1e-3)), Settings(rate=1e-3, clip=0.5), lambda *_: None)
    assert len(norms) == len(plan)
    np.testing.assert_allclose([loud for loud, _ in norms], 0.5, rtol=1e-4)
    assert all(0 < quiet < 0.1 for _, quiet in norms)


def test_averaged_weights_are_the_mean_of_the_last_steps(weights: Weights, bank: Bank, plan: list[Rows]) -> None:
    model, before = stacked(weights, 1), []
    learn = learning(model, bank)

    def watched(rows: Rows, rounded: bool) -> torch.Tensor:
        before.append(model.weights(0)["heads.w"].copy())
        return learn(rows, rounded)

    fit(model, plan, watched, Settings(rate=1e-3, average_from=0.3), lambda *_: None)
    last = trained(stacked(weights, 1), bank, plan).weights(0)["heads.w"]
    np.testing.assert_allclose(model.weights(0)["heads.w"], (before[2] + last) / 2, atol=1e-6)
    assert np.abs(before[2] - last).max() > 1e-5


def test_weights_are_rounded_for_the_last_share_of_steps(weights: Weights, bank: Bank, plan: list[Rows]) -> None:
    model, said = stacked(weights, 1), []
    learn = learning(model, bank)

    def watched(rows: Rows, rounded: bool) -> torch.Tensor:
        said.append(rounded)
        return learn(rows, rounded)

    fit(model, [*plan, plan[0]], watched, Settings(rate=1e-3, round_from=0.5), lambda *_: None)
    assert said == [False, False, True, True]


def test_what_needs_no_gradient_does_not_move_even_when_averaged(
    weights: Weights, bank: Bank, plan: list[Rows]
) -> None:
    model = stacked(weights, 1)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith("l0_"))
    before = {name: value.copy() for name, value in model.weights(0).items()}
    for name, value in trained(model, bank, plan, Settings(rate=1e-3, average_from=0.3)).weights(0).items():
        assert np.array_equal(value, before[name]) == name.startswith("l0."), name


def test_the_same_rows_give_the_same_weights(weights: Weights, bank: Bank, plan: list[Rows]) -> None:
    one, same = (trained(stacked(weights, 1), bank, plan).weights(0) for _ in range(2))
    other = trained(stacked(weights, 1), bank, plan[::-1]).weights(0)
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["heads.w"], other["heads.w"])


# --- batches --------------------------------------------------------------------------------------------------------

LENGTHS = np.random.default_rng(0).integers(4, 200, (3, 203))


def test_every_copy_reads_its_posts_once_and_leaves_out_fewer_than_a_batch() -> None:
    made = batches(LENGTHS, 8, np.random.default_rng(1))
    assert [rows.shape for rows in made] == [(3, 8)] * 25
    for copy in np.concatenate(made, axis=1):
        assert len(set(copy.tolist())) == 200


def test_what_is_left_out_is_left_to_chance() -> None:
    rng = np.random.default_rng(1)
    left = [set(range(203)) - set(np.concatenate(batches(LENGTHS[:1], 8, rng), axis=1)[0].tolist()) for _ in range(2)]
    assert left[0] != left[1]


def test_like_lengths_stand_together_at_the_same_step_in_every_copy() -> None:
    made = batches(LENGTHS, 8, np.random.default_rng(1))
    longest = np.array([np.take_along_axis(LENGTHS, rows, 1).max() for rows in made])
    padding = 1 - LENGTHS.mean() / longest.mean()
    assert padding < 0.25  # by chance alone every batch would be as long as the longest posts: 0.5
    assert np.abs(np.diff(longest)).mean() > 30  # and the steps are not in the order of length


def test_the_same_seed_gives_the_same_batches() -> None:
    one, same, other = (np.array(batches(LENGTHS, 8, np.random.default_rng(seed))) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
