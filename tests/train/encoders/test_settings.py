from __future__ import annotations

from dataclasses import asdict

import pytest

from shouwang.errors import InputError
from shouwang.train.encoders.settings import RECIPES, Settings, settings_of


def test_the_reference_recipe_is_the_published_one() -> None:
    paper = RECIPES["paper"]
    assert (paper.rate, paper.batch, paper.longest, paper.patience) == (5e-6, 16, 150, 15)
    assert (paper.buckets, paper.full_width) == (False, True)
    assert (paper.precision, paper.loss) == ("fp32", "cross-entropy")


def test_a_recipe_knows_its_name_and_takes_changes() -> None:
    assert all(settings.recipe == name for name, settings in RECIPES.items())
    assert asdict(settings_of("paper", rate=1e-5, batch=None)) == asdict(RECIPES["paper"]) | {"rate": 1e-5}


def test_both_tasks_are_two_heads() -> None:
    assert Settings(task="both").tasks == ("levels", "high")
    assert Settings(task="high").tasks == ("high",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "batch is 0; expected 1 or more"),
        ({"rate": -1.0}, "rate is -1.0; expected between 0 and 1"),
        ({"lora": 0}, "lora is 0"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"label_smoothing": 1.0}, "label smoothing is 1.0"),
        ({"loss": "corral"}, "No loss 'corral'. Did you mean 'coral'?"),
        ({"task": "level"}, "No task 'level'. Did you mean 'levels'?"),
        ({"class_weights": "balance"}, "Did you mean 'balanced'?"),
        ({"task": "high", "loss": "coral"}, "loss 'coral' is for levels"),
        ({"loss": "soft", "label_smoothing": 0.1}, "label smoothing goes with cross-entropy"),
    ],
)
def test_a_value_out_of_its_range_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        settings_of("fast", **changes)


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'paper'"):
        settings_of("papr")
