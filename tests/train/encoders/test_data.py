from __future__ import annotations

import numpy as np

from shouwang.posts import LabelledPost
from shouwang.train.encoders.data import Encoded, encoded, order
from tests.models.test_batches import characters


def of_lengths(*lengths: int) -> Encoded:
    return Encoded([np.zeros(length, np.int64) for length in lengths], {})


def test_posts_without_a_label_are_marked_in_that_task_only() -> None:
    posts = [LabelledPost("a", "茶", 3), LabelledPost("b", "茶茶", None, True), LabelledPost("c", "", 0, False)]
    found = encoded(characters("茶"), posts, ("levels", "high"), longest=3)
    assert found.gold["levels"].tolist() == [3, -1, 0]
    assert found.gold["high"].tolist() == [-1, 1, 0]
    assert [len(ids) for ids in found.ids] == [3, 3, 2]


def test_an_epoch_holds_every_post_once_in_another_order_each_time() -> None:
    posts = of_lengths(*range(2, 39))
    for buckets in (True, False):
        first, second = (order(posts, 4, np.random.default_rng(seed), buckets=buckets) for seed in (0, 1))
        assert sorted(np.concatenate(first)) == list(range(37))
        assert [len(batch) for batch in first].count(4) == 9
        assert np.concatenate(first).tolist() != np.concatenate(second).tolist()


def test_buckets_pad_less() -> None:
    lengths = np.random.default_rng(0).integers(3, 200, 300)

    def padded(buckets: bool) -> int:
        batches = order(of_lengths(*lengths), 8, np.random.default_rng(0), buckets=buckets)
        return sum(len(batch) * int(lengths[batch].max()) for batch in batches)

    assert padded(True) < 1.15 * lengths.sum() < 1.5 * lengths.sum() < padded(False)
