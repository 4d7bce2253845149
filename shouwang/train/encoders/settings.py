"""What a run can be told, and the two recipes that fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from shouwang.errors import InputError
from shouwang.language import Words, say
from shouwang.lookup import get
from shouwang.models.heads import Task

Tasks = Literal["levels", "high", "both"]
ClassWeights = Literal["none", "sqrt", "balanced"]
Loss = Literal["cross-entropy", "soft", "expected", "coral"]
Precision = Literal["auto", "fp32", "bf16"]
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Raises InputError when a value is out of its range.

    epochs: at most; fewer where `patience` epochs bring no better weighted F1 on validation.
    rate: of AdamW at its highest; None leaves it to the encoder's width (`rate_for`). It warms up over the first `warm_up`
    of all steps and falls to 0 ("linear"), or stays ("constant").
    batch, accumulate: posts per pass; passes per step. Their product is what one step learns from.
    longest: tokens per post at most. full_width: every post is padded to `longest`, as published; without, to the
    longest beside it. buckets: batches of posts of similar length; without, of any length.
    loss: of the level head; the high/low head always has cross-entropy, `high_share` as heavy.
    class_weights: each post counts by the inverse share of its class ("balanced"), or by its root ("sqrt").
    lora: rank of the low-rank updates of every linear layer; None trains every weight.
    precision "auto": bf16 where the hardware computes in it, else the fastest fp32; "fp32": exact fp32.
    """

    task: Tasks = "both"
    recipe: str = "fast"
    epochs: int = 10
    rate: float | None = None
    batch: int = 16
    accumulate: int = 1
    longest: int = 320
    buckets: bool = True
    full_width: bool = False
    loss: Loss = "cross-entropy"
    label_smoothing: float = 0.0
    class_weights: ClassWeights = "none"
    high_share: float = 0.5
    patience: int = 3
    schedule: Literal["linear", "constant"] = "linear"
    warm_up: float = 0.1
    decay: float = 0.01
    clip: float | None = 1.0
    fused: bool = True
    lora: int | None = None
    precision: Precision = "auto"
    device: Device = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        share = Words("0 or more, and less than 1", "0 或更大，且小于 1")
        for name in ("epochs", "batch", "accumulate", "patience", "lora"):
            value = getattr(self, name)
            _require(value is None or value >= 1, name, value, Words("1 or more", "1 或更大"))
        _require(
            0 <= self.seed < 2**63, "seed", self.seed, Words("0 or more, and less than 2^63", "0 或更大，且小于 2^63")
        )
        _require(self.longest >= 3, "longest", self.longest, Words("3 or more tokens", "3 个词元或更多"))
        _require(
            self.rate is None or 0 < self.rate < 1,
            "rate",
            self.rate,
            Words("between 0 and 1, such as 3e-5", "0 与 1 之间，如 3e-5"),
        )
        _require(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, share)
        _require(0 <= self.warm_up < 1, "warm_up", self.warm_up, share)
        for name in ("task", "loss", "class_weights", "precision", "device"):
            get({each: each for each in get_args(_CHOICES[name])}, getattr(self, name), name.replace("_", " "))
        if self.loss != "cross-entropy" and self.task == "high":
            raise InputError(
                say(
                    f"loss '{self.loss}' is for levels; task 'high' has cross-entropy",
                    f"损失 {self.loss} 用于等级；任务 high 用交叉熵",
                )
            )
        if self.loss != "cross-entropy" and self.label_smoothing:
            raise InputError(
                say(
                    f"label smoothing goes with cross-entropy, not with '{self.loss}'; leave one of them out",
                    f"标签平滑只能配交叉熵，不能配 {self.loss}；请去掉其一",
                )
            )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks trained for, in the order of their heads."""
        return ("levels", "high") if self.task == "both" else (self.task,)


_CHOICES: dict[str, Any] = {
    "task": Tasks,
    "loss": Loss,
    "class_weights": ClassWeights,
    "precision": Precision,
    "device": Device,
}


def _require(holds: bool, name: str, value: object, expected: Words) -> None:
    if not holds:
        raise InputError(
            say(f"{name.replace('_', ' ')} is {value}; expected {expected}", f"{name} 为 {value}；应为{expected}")
        )


RECIPES: dict[str, Settings] = {
    "fast": Settings(recipe="fast"),
    "paper": Settings(
        recipe="paper",
        epochs=100,
        rate=5e-6,
        batch=16,
        longest=150,
        buckets=False,
        full_width=True,
        patience=15,
        schedule="constant",
        warm_up=0.0,
        clip=None,
        fused=False,
        precision="fp32",
    ),
}
"""`paper` is what Qi et al. 2024 (arXiv 2404.12659) published: AdamW 5e-6, batch 16, pad 150, patience 15."""


def rate_for(width: int) -> float:
    """The highest rate for an encoder of `width` hidden units: 3e-5 from base size (768) on, as is common there; 1e-4 for
    narrower ones, which at 3e-5 learn too little in ten epochs (docs/training.md)."""
    return 3e-5 if width >= 768 else 1e-4


def settings_of(recipe: str, **changes: Any) -> Settings:
    """A recipe with some values changed; None leaves the recipe's. Raises InputError for an unknown recipe or value."""
    given: Mapping[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(get(RECIPES, recipe, "recipe"), **given)
