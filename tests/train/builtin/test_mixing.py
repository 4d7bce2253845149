from __future__ import annotations

import numpy as np
import pytest

from shouwang.models.mixture import HEADS, HIGH_HEAD, INDICATOR_HEADS, Mixture, log_softmax, sigmoid, softmax
from shouwang.train.builtin import mixing
from shouwang.train.builtin.mixing import Said, Settings

N = 220
LEVELS = np.arange(N) % 11
HIGH = (LEVELS >= 7).astype(np.int64)


def member(strength: float, seed: int) -> np.ndarray:
    """Log-odds (N, heads) that point to LEVELS and HIGH as strongly as said, with noise."""
    logits = np.random.default_rng(seed).normal(size=(N, len(HEADS)))
    logits[np.arange(N), LEVELS] += strength
    logits[:, HIGH_HEAD] += strength * (2 * HIGH - 1)
    for head, from_level in zip(INDICATOR_HEADS, (1, 4, 6, 7, 9), strict=True):
        logits[:, head] += strength * np.where(from_level <= LEVELS, 1, -1)
    return logits


GOOD, NOISE = member(3, 1), member(0, 2)
CALM = Said(*np.random.default_rng(3).normal(0, 1, (2, 60, len(HEADS))))


def fitted(said: Said, quiet: float = 2.0) -> Mixture:
    return mixing.fit(said, LEVELS, HIGH, CALM, Settings(quiet=quiet))


# --- what a mixture says, by hand -----------------------------------------------------------------------------------

HAND = Mixture(
    levels=np.array([0.5, 1.5]),
    level_bias=np.arange(11.0),
    high=np.array([1.0, 2.0, 3.0, 0.5, 0.0, 0.0]),
    high_bias=-1.0,
    indicators=np.array([[0.25, 0.75]] * 5),
    indicator_bias=np.array([0.0, 0.0, 0.0, 0.0, 1.0]),
)


def test_a_mixture_of_two_even_answers_counted_by_hand() -> None:
    """All 11 levels even: log p is -ln 11; 5 of 11 count as high, odds 5/6; 10 of 11 lie above 0, odds 10."""
    encoder, linear = np.zeros((2, 1, len(HEADS)))
    encoder[0, HIGH_HEAD], linear[0, HIGH_HEAD] = 2.0, 4.0
    encoder[0, INDICATOR_HEADS], linear[0, INDICATOR_HEADS] = 4.0, 8.0
    (row,) = HAND(encoder, linear)
    np.testing.assert_allclose(row[:HIGH_HEAD], -2 * np.log(11) + np.arange(11))
    np.testing.assert_allclose(row[HIGH_HEAD], 2 + 2 * np.log(5 / 6) + 3 * np.log(10) + 0.5 * 4 - 1)
    np.testing.assert_allclose(row[INDICATOR_HEADS], [7, 7, 7, 7, 8])


def test_a_sure_level_counts_as_no_more_than_a_million_to_one() -> None:
    encoder = np.zeros((1, len(HEADS)))
    encoder[0, 9] = 1000.0
    only_level_high = Mixture(np.zeros(2), np.zeros(11), np.eye(6)[1], 0.0, np.zeros((5, 2)), np.zeros(5))
    assert only_level_high(encoder, encoder)[0, HIGH_HEAD] == pytest.approx(np.log(1e6), abs=1e-5)


# --- fitting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "better"), [(Said(GOOD, NOISE), 0), (Said(NOISE, GOOD), 1)])
def test_the_better_member_is_recovered(said: Said, better: int) -> None:
    found = fitted(said)
    assert found.levels[better] > 4 * found.levels[1 - better]
    assert found.high[3 * better : 3 * better + 3].sum() > 2 * found.high[3 - 3 * better : 6 - 3 * better].sum()
    assert (found.indicators[:, better] > found.indicators[:, 1 - better]).all()


def test_weights_are_never_negative_even_of_a_member_that_is_always_wrong() -> None:
    found = fitted(Said(GOOD, member(-3, 9)))
    assert found.levels[1] == 0
    assert min(found.levels.min(), found.high.min(), found.indicators.min()) == 0


def test_the_mixture_beats_each_member_on_log_loss() -> None:
    said = Said(member(2, 4), member(2, 5))
    mixed = fitted(said)(said.encoder, said.linear)
    losses = [
        -log_softmax(each[:, :HIGH_HEAD])[np.arange(N), LEVELS].mean() for each in (mixed, said.encoder, said.linear)
    ]
    assert losses[0] < min(losses[1:])


def test_quiet_posts_lower_the_probability_of_high() -> None:
    said = Said(member(1, 6), member(1, 7))
    p = [sigmoid(fitted(said, quiet)(CALM.encoder, CALM.linear)[:, HIGH_HEAD]).mean() for quiet in (0.0, 0.5, 5.0)]
    assert p[0] > p[1] > p[2]


def test_quiet_posts_leave_levels_and_indicators_alone() -> None:
    one, other = (fitted(Said(GOOD, NOISE), quiet) for quiet in (0.5, 5.0))
    np.testing.assert_array_equal(one.levels, other.levels)
    np.testing.assert_array_equal(one.indicators, other.indicators)


def test_without_quiet_posts_high_is_still_fitted() -> None:
    nobody = np.zeros((0, len(HEADS)))
    found = mixing.fit(Said(GOOD, NOISE), LEVELS, HIGH, Said(nobody, nobody), Settings())
    p = sigmoid(found(GOOD, NOISE)[:, HIGH_HEAD])
    assert p[HIGH == 1].min() > p[HIGH == 0].mean()


def test_strong_shrinkage_keeps_high_an_even_mixture_and_levels_unbiased() -> None:
    found = mixing.fit(Said(GOOD, NOISE), LEVELS, HIGH, CALM, Settings(level_shrink=1e9, binary_shrink=1e9))
    np.testing.assert_allclose(found.high, 1 / 6, atol=1e-4)
    np.testing.assert_allclose(found.indicators, 1 / 2, atol=1e-4)
    np.testing.assert_allclose(found.level_bias, 0, atol=1e-5)


def test_probabilities_of_a_common_level_are_calibrated_by_its_bias() -> None:
    """Members that know nothing, and levels of which two thirds are 4: with little shrinkage the bias learns it."""
    levels = np.where(np.arange(N) % 3, 4, 0)
    even = Said(np.zeros((N, len(HEADS))), np.zeros((N, len(HEADS))))
    found = mixing.fit(even, levels, HIGH, CALM, Settings(level_shrink=1e-3))
    p = softmax(found(even.encoder, even.linear)[:, :HIGH_HEAD])
    assert p[0, 4] == pytest.approx((levels == 4).mean(), abs=0.01)
