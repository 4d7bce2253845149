from __future__ import annotations

from shouwang.evaluate.slices import slices
from shouwang.posts import LabelledPost
from tests.evaluate.invented import said


def test_posts_fall_into_a_length_band_and_a_level() -> None:
    posts = [LabelledPost("a", "字" * 15, 0), LabelledPost("b", "字" * 16, 4), LabelledPost("c", "字" * 500, 4)]
    found = slices(said([0, 4, 4], [0, 4, 9]), posts)
    assert {name: each.n for name, each in found.items()} == {
        "length 0–15": 1,
        "length 16–30": 1,
        "length 121+": 1,
        "level 0": 1,
        "level 4": 2,
    }
    assert found["level 4"].metrics["accuracy"] == 0.5
    assert found["length 121+"].metrics["mae"] == 5
