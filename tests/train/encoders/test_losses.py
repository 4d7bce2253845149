"""Every loss against a value computed by hand, and its gradient wherever logits can go."""

from __future__ import annotations

import math

import pytest
import torch

from shouwang.models.heads import LINKS
from shouwang.train.encoders.losses import (
    LEVEL_LOSSES,
    class_weights,
    coral,
    cross_entropy,
    expected_level,
    heads_of,
    losses_of,
    soft_neighbours,
)
from shouwang.train.encoders.settings import Settings

EVEN = torch.zeros(1, 11)


def test_cross_entropy_of_even_odds_is_the_logarithm_of_the_number_of_classes() -> None:
    assert cross_entropy(EVEN, torch.tensor([3])).item() == pytest.approx(math.log(11))


def test_label_smoothing_spreads_its_share_over_all_classes() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0]])  # probabilities 3/4 and 1/4
    by_hand = -(0.9 * math.log(0.75) + 0.1 * (math.log(0.75) + math.log(0.25)) / 2)
    assert cross_entropy(logits, torch.tensor([0]), smoothing=0.1).item() == pytest.approx(by_hand)


def test_soft_neighbours_give_the_next_level_its_gaussian_share() -> None:
    logits = torch.tensor([[0.0, 0.0, -1e4]])  # the third level is out of the question
    near, far = math.exp(-1 / 2), math.exp(-4 / 2)  # sigma 1, gold 0
    far_share = far / (1 + near + far)
    found = soft_neighbours(logits, torch.tensor([0]), sigma=1.0).item()
    assert found == pytest.approx((1 - far_share) * math.log(2) + far_share * 1e4, rel=1e-3)


def test_a_narrow_gaussian_is_cross_entropy() -> None:
    logits, gold = torch.randn(5, 11, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 3, 5, 9, 10])
    assert torch.allclose(soft_neighbours(logits, gold, sigma=0.01), cross_entropy(logits, gold))


def test_expected_level_adds_the_distance_from_gold() -> None:
    # even odds over 0-10 expect level 5, which is 3 from 8
    assert expected_level(EVEN, torch.tensor([8])).item() == pytest.approx(math.log(11) + 3)


def test_coral_asks_of_each_threshold_whether_the_level_is_above_it() -> None:
    logits = torch.tensor([[2.0, -1.0]])  # three levels, gold is the middle one: above the first threshold only
    by_hand = math.log(1 + math.exp(-2.0)) + math.log(1 + math.exp(-1.0))
    assert coral(logits, torch.tensor([1])).item() == pytest.approx(by_hand)


@pytest.mark.parametrize("name", LEVEL_LOSSES)
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_gradients_are_finite(name: str, size: float) -> None:
    loss = LEVEL_LOSSES[name]
    noise = torch.randn(11, loss.columns, generator=torch.Generator().manual_seed(1))
    logits = (noise * size).requires_grad_()
    each = loss.per_post(logits, torch.arange(11))
    each.sum().backward()  # type: ignore[no-untyped-call]
    assert each.shape == (11,)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", LEVEL_LOSSES)
def test_descent_on_a_loss_ends_at_gold_read_through_its_link(name: str) -> None:
    loss = LEVEL_LOSSES[name]
    logits = torch.zeros(11, loss.columns, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        loss.per_post(logits, torch.arange(11)).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    probabilities = LINKS["levels"][loss.columns](logits.detach().double().numpy())
    assert probabilities.argmax(axis=1).tolist() == list(range(11))


def test_only_the_high_head_keeps_cross_entropy_under_an_ordinal_loss() -> None:
    chosen = losses_of(Settings(task="both", loss="coral"))
    assert chosen["levels"] is coral
    assert chosen["high"](torch.zeros(1, 2), torch.tensor([1])).item() == pytest.approx(math.log(2))


def test_coral_has_a_threshold_less_than_levels() -> None:
    assert heads_of(Settings(task="both", loss="coral")) == {"levels": 10, "high": 2}
    assert heads_of(Settings(task="high")) == {"high": 2}


def test_class_weights_by_hand() -> None:
    gold = torch.tensor([0, 0, 0, 0, 2, -1])  # four of one class, one of another, one unlabelled
    assert class_weights(gold, "none", 3).tolist() == [1, 1, 1]
    assert class_weights(gold, "balanced", 3).tolist() == pytest.approx([5 / 8, 0, 5 / 2])
    assert class_weights(gold, "sqrt", 3).tolist() == pytest.approx([5 / 6, 0, 5 / 3])  # 1/2 and 1, times 5 / 3
