from __future__ import annotations

import json

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.models.operating import Curve, Operating, OperatingPoint, PerThousand, Stream, from_scores

HIGH = np.arange(1, 101) / 100  # 0.01, 0.02 … 1
LOW = np.linspace(0, 0.5, 101)
EVERYDAY = np.linspace(0, 0.1, 1_001)
EVEN = Stream(0.5, "tree-hole")


@pytest.fixture
def operating() -> Operating:
    return from_scores(HIGH, LOW, EVERYDAY, balanced_threshold=0.4)


def test_recall95_is_the_highest_threshold_that_keeps_95_of_100(operating: Operating) -> None:
    assert operating.points["recall95"] == OperatingPoint("recall95", 0.06, 0.95, 89 / 101, 401 / 1_001)
    assert operating.points["recall99"].threshold == 0.02


def test_balanced_is_the_threshold_it_was_given_and_the_default(operating: Operating) -> None:
    assert operating.points[operating.default] == OperatingPoint("balanced", 0.4, 0.61, 21 / 101, 0.0)


def test_a_recall_that_no_number_of_posts_gives_exactly_is_kept_not_missed() -> None:
    point = from_scores([0.1, 0.5, 0.9], [0.2], [0.0], 0.5).points["recall95"]
    assert (point.threshold, point.recall) == (0.1, 1.0)


def test_a_group_without_posts_is_refused() -> None:
    with pytest.raises(InputError, match="no everyday posts; operating points need"):
        from_scores([0.9], [0.1], [], 0.5)


def test_a_thousand_posts_by_hand() -> None:
    point = OperatingPoint("p", 0.5, recall=0.75, flagged_low=0.5, flagged_everyday=0.25)
    assert point.per_thousand(Stream(0.5, "everyday")) == PerThousand(500, 125, 125)
    assert point.per_thousand(Stream(0.5, "tree-hole")) == PerThousand(625, 250, 125)
    assert OperatingPoint("p", 0.5).per_thousand(EVEN) is None


def test_a_curve_gives_the_share_at_or_above_a_threshold() -> None:
    curve = Curve.of(np.linspace(0, 1, 1_001))
    assert curve.flagged([-0.1, 0, 0.25, 0.999, 1.1]).tolist() == pytest.approx([1, 1, 0.75, 0.001, 0], abs=1e-3)


def test_where_many_posts_have_one_probability_all_of_them_are_flagged() -> None:
    curve = Curve.of(np.array([0.0] * 50 + [1.0] * 50))
    assert curve.flagged([1.0, 0.0]).tolist() == pytest.approx([0.5, 1], abs=0.02)


def test_any_threshold_has_its_shares(operating: Operating) -> None:
    point = operating.at(0.05)
    assert (point.recall, point.flagged_low, point.flagged_everyday) == pytest.approx((0.96, 0.9, 0.5), abs=0.005)


@pytest.mark.parametrize("stream", [EVEN, Stream(0.02, "everyday"), Stream(0.0, "everyday"), Stream(1.0, "tree-hole")])
@pytest.mark.parametrize("read", [1, 20, 200, 999, 1_000])
def test_a_workload_flags_that_many_of_the_stream(operating: Operating, read: int, stream: Stream) -> None:
    point = operating.point(f"workload={read}/1000", stream)
    found = point.per_thousand(stream)
    assert found is not None
    assert found.flagged == pytest.approx(read, abs=0.5)
    assert point.name == f"workload={read}/1000"


def test_a_workload_in_other_words_is_the_same_point(operating: Operating) -> None:
    assert operating.point("workload=2/10").threshold == operating.point("workload=200/1000").threshold


def test_a_workload_never_asks_for_more_reading_than_stated_where_many_posts_have_one_probability() -> None:
    lumpy = from_scores([0.9] * 50 + [0.5] * 50, [0.5] * 100, [0.1] * 100, 0.5)
    point = lumpy.point("workload=400/1000", EVEN)
    assert point.threshold > 0.5


@pytest.mark.parametrize(
    "name",
    ["workload", "workload=", "workload=0/100", "workload=300/200", "workload=a/b", "workload=-1/9", "workload=1.5/9"],
)
def test_a_workload_that_cannot_be_is_refused(operating: Operating, name: str) -> None:
    with pytest.raises(InputError, match=r"POSTS from 1 up to OF, for example workload=200/1000") as caught:
        operating.point(name)
    assert f"'{name}'" in str(caught.value)


def test_an_unknown_point_names_the_closest(operating: Operating) -> None:
    with pytest.raises(InputError, match=r"No operating point 'recal95'\. Did you mean 'recall95'\?"):
        operating.point("recal95")


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_base_rate_is_a_share(rate: float) -> None:
    with pytest.raises(InputError, match="expected the share of high posts"):
        Stream(rate)


def test_an_unknown_rest_names_the_closest() -> None:
    with pytest.raises(InputError, match=r"Did you mean 'everyday'\?"):
        Stream(0.1, "every-day")


def test_json_brings_it_back(operating: Operating) -> None:
    laid_out = json.loads(json.dumps(operating.to_json()))
    assert Operating.from_json(laid_out) == operating
    assert list(laid_out) == ["points", "default", "curves", "base_rate"]
    assert {len(curve) for curve in laid_out["curves"].values()} == {101}
