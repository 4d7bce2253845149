from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shouwang.train.builtin import examples
from shouwang.train.builtin.encoder import Encoder
from shouwang.train.builtin.examples import Examples
from shouwang.train.builtin.fit import Settings, fit
from shouwang.train.builtin.sources import Row
from tests.train.builtin.invented import EXPLAIN, POSTS, SHAPE

Weights = dict[str, NDArray[Any]]
ROWS = [Row("a", "", level=0, high=0), Row("b", "", level=10, high=1), Row("c", "", level=4)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def three(epoch: int, rng: np.random.Generator) -> Examples:
    return examples.labelled(ROWS, POSTS, {"a": np.ones(EXPLAIN, np.float32)}, EXPLAIN)


def trained(weights: Weights, settings: Settings, seed: int = 1) -> tuple[Weights, list[float]]:
    model, losses = Encoder(weights, SHAPE), []
    fit(model, three, settings, seed, lambda step, steps, loss: losses.append(loss))
    return model.weights(), losses


def test_training_lowers_the_loss(weights: Weights) -> None:
    _, losses = trained(weights, Settings(epochs=30, rate=3e-3))
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.5


def test_frozen_layers_do_not_move_and_the_others_do(weights: Weights) -> None:
    model = Encoder(weights, SHAPE)
    fit(model, three, Settings(epochs=2, rate=1e-3), 1)
    for parameter, name in model.names.items():
        moved = not np.array_equal(model.get_parameter(parameter).detach().numpy(), weights[name])
        assert moved == (not name.startswith("l0.")), name


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(weights: Weights) -> None:
    settings = Settings(epochs=2, rate=1e-3, batch=2)
    one, same, other = (trained(weights, settings, seed)[0] for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["heads.w"], other["heads.w"])


def test_the_callers_random_numbers_are_left_alone(weights: Weights) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fit(Encoder(weights, SHAPE), three, Settings(epochs=1, rate=1e-3), 1)
    assert torch.equal(torch.rand(1), expected)


def test_averaged_weights_lie_between_the_first_and_the_last(weights: Weights) -> None:
    """The heads' bias of level 10, which only ever rises here."""
    last, _ = trained(weights, Settings(epochs=4, rate=1e-3))
    mean, _ = trained(weights, Settings(epochs=4, rate=1e-3, average_from=0.25))
    assert 0 < mean["heads.b"][10] < last["heads.b"][10]


def test_a_target_of_weight_zero_teaches_nothing(weights: Weights) -> None:
    """Indicators that the scale leaves open may have any target."""

    def other(epoch: int, rng: np.random.Generator) -> Examples:
        same = three(epoch, rng)
        unknown = same.binary_weight == 0
        assert unknown.any()
        same.binary[unknown] = 1
        return same

    settings = Settings(epochs=1, rate=1e-3)
    model = Encoder(weights, SHAPE)
    fit(model, other, settings, 1)
    expected, _ = trained(weights, settings)
    assert all(np.array_equal(expected[name], value) for name, value in model.weights().items())
