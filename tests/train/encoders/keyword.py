"""A task that one word decides: posts of random everyday characters, and the same with a wish to die among them."""

from __future__ import annotations

import random

from shouwang.posts import LabelledPost
from shouwang.train.encoders.settings import Settings
from shouwang.train.encoders.splits import Splits

CALM = "今天气很好我们去公园走了茶面条书店看电影"
KEYWORD = "想死"
LEVEL = 6
SETTINGS = Settings(epochs=16, rate=5e-3, batch=8, longest=32, precision="fp32", patience=16)


def posts(part: str, number: int, seed: int) -> list[LabelledPost]:
    """Every other post is at level 6 and high, for the word alone; the others are at level 0."""
    draw = random.Random(seed)
    found = []
    for i in range(number):
        characters = draw.choices(CALM, k=draw.randint(9, 26))
        if i % 2:
            characters.insert(draw.randrange(len(characters) + 1), KEYWORD)
        found.append(LabelledPost(f"{part}-{i}", "".join(characters), LEVEL * (i % 2), bool(i % 2)))
    return found


def splits() -> Splits:
    """96 posts for training, 24 for validation."""
    return Splits("keyword", posts("train", 96, 1), posts("validation", 24, 2))
