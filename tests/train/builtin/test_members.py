from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from shouwang.models.mixture import HEADS, HIGH_HEAD, INDICATOR_HEADS, sigmoid, softmax
from shouwang.scale import INDICATORS
from shouwang.train.builtin import members
from shouwang.train.builtin.members import Recipe, Table
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Row

RANDOM = np.random.default_rng(0)
X, NEW = RANDOM.normal(size=(60, 4)).astype(np.float32), RANDOM.normal(size=(30, 4)).astype(np.float32)
LABELS = (X @ RANDOM.normal(size=(4, 3)) + RANDOM.normal(0, 0.5, (60, 3))).argmax(1)
WEIGHTS = RANDOM.uniform(0.2, 2, 60).astype(np.float32)

# --- the solver -----------------------------------------------------------------------------------------------------


def solved(targets: NDArray[Any], weights: NDArray[Any], link: Any, c: float) -> NDArray[np.float64]:
    """Probabilities of the new rows."""
    dual, bias = members.solve(X @ X.T, targets, weights, link, c)
    return np.asarray(link(NEW @ X.T @ dual + bias), np.float64)


@pytest.mark.parametrize("c", [0.1, 2.0])
def test_over_classes_it_finds_what_scikit_learn_finds(c: float) -> None:
    known = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(X, LABELS, sample_weight=WEIGHTS)
    ours = solved(np.eye(3)[LABELS], WEIGHTS[:, None], softmax, c)
    np.testing.assert_allclose(ours, known.predict_proba(NEW), atol=2e-3)


@pytest.mark.parametrize("c", [0.1, 2.0])
def test_of_two_classes_each_it_finds_what_scikit_learn_finds_one_by_one(c: float) -> None:
    targets, weights = np.eye(3)[LABELS], np.stack([WEIGHTS, np.ones(60), WEIGHTS[::-1]], axis=1)
    ours = solved(targets, weights, sigmoid, c)
    for k in range(3):
        known = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(X, k == LABELS, sample_weight=weights[:, k])
        np.testing.assert_allclose(ours[:, k], known.predict_proba(NEW)[:, 1], atol=2e-3)


def test_a_soft_target_is_a_post_counted_on_both_sides() -> None:
    soft = np.where(LABELS[:, None] == 0, 0.8, 0.3)
    twice, both = np.concatenate([X, X]), np.repeat([True, False], 60)
    shares = np.concatenate([soft[:, 0], 1 - soft[:, 0]])
    known = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(twice, both, sample_weight=shares)
    ours = solved(soft, np.ones((60, 1)), sigmoid, 1.0)
    np.testing.assert_allclose(ours[:, 0], known.predict_proba(NEW)[:, 1], atol=2e-3)


def test_a_row_of_weight_zero_is_as_if_it_were_not_there() -> None:
    targets, weights = np.eye(3)[LABELS], np.where(np.arange(60) < 40, 1.0, 0.0)[:, None]
    other = np.where(np.arange(60)[:, None] < 40, targets, targets[:, ::-1])
    np.testing.assert_array_equal(solved(targets, weights, softmax, 1.0), solved(other, weights, softmax, 1.0))


# --- the member -----------------------------------------------------------------------------------------------------

D = 6
WORDS = ("天气真好", "好茶", "下雨了", "很累", "不想出门", "难过得很", "今天还行", "想睡觉", "看书", "走一走")
RECIPE = Recipe(virus=3, invented=2, talk=4)


def text(i: int) -> str:
    return f"{WORDS[i % 10]},{WORDS[(3 * i + 1) % 10]}{WORDS[(i // 10 + 2) % 10]}"


def pools() -> Pools:
    """Twenty-two posts of two folds, eleven of SOS-4K, ten ordinary ones, six of counselling."""
    none: dict[str, list[Row]] = {
        name: []
        for name in ("test", "graded", "intent", "ordinary", "rated", "held_virus", "held_invented", "new_rated")
    }
    none |= {name: [] for name in ("new_usual", "new_unrelated")}
    folds = [Row(f"f{i}", text(i), i % 11, int(i % 11 >= 6), 1 + i // 11) for i in range(22)]
    return Pools(
        folds=folds,
        sos4k=[Row(f"s{i}", text(30 + i), i) for i in range(11)],
        virus=[Row(f"v{i}", text(50 + i)) for i in range(4)],
        usual=[Row(f"u{i}", text(60 + i)) for i in range(3)],
        invented=[Row(f"i{i}", text(70 + i)) for i in range(3)],
        talk=[Row(f"t{i}", text(80 + i)) for i in range(6)],
        leaks=frozenset({"f20"}),
        dropped={},
        **none,
    )


@pytest.fixture(scope="module")
def bottom() -> NDArray[np.float32]:
    return np.random.default_rng(8).normal(2, 3, (45, D)).astype(np.float32)


@pytest.fixture(scope="module")
def table(bottom: NDArray[np.float32]) -> Table:
    return members.table(*members.chosen(pools(), RECIPE), bottom, RECIPE)


def test_rows_are_chosen_by_part_as_many_as_the_recipe_says(table: Table) -> None:
    names, counts = np.unique(table.part, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"everyday": 8, "fold": 22, "four": 11, "talk": 4}
    assert [row.id for row in table.rows[:22]] == [f"f{i}" for i in range(22)]
    again, _ = members.chosen(pools(), RECIPE)
    assert again == table.rows


def test_frozen_features_are_standardised_on_sos4k_to_their_share(table: Table) -> None:
    four = table.dense[table.part == "four"]
    np.testing.assert_allclose(four.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose((four**2).sum(1).mean(), RECIPE.frozen**2, rtol=1e-4)


def test_scales_rest_on_no_post_of_the_folds(table: Table, bottom: NDArray[np.float32]) -> None:
    """Other words in a fold's post: document frequencies, means and the other posts' values stay."""
    rows, part = members.chosen(pools(), RECIPE)
    rows[0] = replace(rows[0], text="山高水长")
    changed = bottom.copy()
    changed[0] = 0
    other = members.table(rows, part, changed, RECIPE)
    np.testing.assert_array_equal(other.idf, table.idf)
    np.testing.assert_array_equal(other.mean, table.mean)
    np.testing.assert_array_equal(other.gram[1:, 1:], table.gram[1:, 1:])


def test_an_ngram_that_one_post_alone_has_is_left_out(table: Table, bottom: NDArray[np.float32]) -> None:
    rows, part = members.chosen(pools(), RECIPE)
    rows[30] = replace(rows[30], text="山高水长")
    found = table.features.occurrences(["山高水长"])
    middle = found.column[(found.start > 0) & (found.end < 4) & (found.column < 1 << 18)]
    assert len(middle)
    assert not members.table(rows, part, bottom, RECIPE).idf[middle].any()


@pytest.mark.parametrize("leave", [0, 1])
def test_hashed_and_dense_weights_give_the_log_odds_of_the_gram_form(
    table: Table, bottom: NDArray[np.float32], leave: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, solve = [], members.solve

    def heard(*given: Any) -> Any:
        answers.append(solve(*given))
        return answers[-1]

    monkeypatch.setattr(members, "solve", heard)
    linear, dense = members.fit(table, leave, frozenset({"f20"}), RECIPE)
    fold, leaking = np.array([row.fold for row in table.rows]), np.array([row.id == "f20" for row in table.rows])
    own = (table.part == "fold") & (fold != leave) & ~(leaking & (leave == 0))
    learnt = own | np.isin(table.part, ["four", "everyday"])
    (of_level, level_bias), (of_high, high_bias) = answers
    expected = np.column_stack(
        [
            table.gram[:, learnt] @ of_level + level_bias,
            table.plain[:, learnt | (table.part == "talk")] @ of_high + high_bias,
        ]
    )
    ours = linear.logits([row.text for row in table.rows]) + bottom @ dense
    assert expected.shape == (len(table.rows), len(HEADS))
    np.testing.assert_allclose(ours, expected, atol=5e-3)  # weights are stored in half precision


def test_a_fold_left_out_teaches_nothing(table: Table) -> None:
    lied = [replace(row, level=10 - row.level, high=1 - row.high) if row.fold == 1 else row for row in table.rows]
    one, one_dense = members.fit(table, 1, frozenset(), RECIPE)
    other, other_dense = members.fit(replace(table, rows=lied), 1, frozenset(), RECIPE)
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(one_dense, other_dense)


def test_only_levels_read_the_frozen_features(table: Table) -> None:
    _, dense = members.fit(table, 0, frozenset(), RECIPE)
    assert dense.shape == (D, len(HEADS))
    assert dense[:, :HIGH_HEAD].any(axis=0).all()
    assert not dense[:, HIGH_HEAD:].any()


def test_ordinary_posts_express_less_than_posts_of_a_high_level(table: Table, bottom: NDArray[np.float32]) -> None:
    linear, dense = members.fit(table, 0, frozenset(), RECIPE)
    said = linear.logits([row.text for row in table.rows]) + bottom @ dense
    high = np.array([row.level >= 9 for row in table.rows])
    calm = table.part == "everyday"
    for head in (HIGH_HEAD, INDICATOR_HEADS[INDICATORS.index("wish")], INDICATOR_HEADS[INDICATORS.index("time")]):
        assert said[calm, head].mean() < said[high, head].mean()
