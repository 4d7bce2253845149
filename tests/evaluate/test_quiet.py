from __future__ import annotations

import pytest

from shouwang.errors import InputError
from shouwang.evaluate.quiet import flag_rates

THRESHOLDS = {"recall95": 0.2, "balanced": 0.5}


def test_flags_are_counted_by_group_and_by_threshold() -> None:
    found = flag_rates([0.1, 0.2, 0.6, 0.9], ["joy", "joy", "joy", "anger"], THRESHOLDS)
    assert {group: {name: (r.count, r.n) for name, r in rates.items()} for group, rates in found.items()} == {
        "joy": {"recall95": (2, 3), "balanced": (1, 3)},
        "anger": {"recall95": (1, 1), "balanced": (1, 1)},
    }
    assert list(found) == ["joy", "anger"]
    assert 0 < found["joy"]["balanced"].low < 1 / 3 < found["joy"]["balanced"].high < 1


def test_no_posts_have_no_groups() -> None:
    assert flag_rates([], [], THRESHOLDS) == {}


def test_every_score_needs_a_group() -> None:
    with pytest.raises(InputError, match="2 scores but 1 groups"):
        flag_rates([0.1, 0.2], ["joy"], THRESHOLDS)
