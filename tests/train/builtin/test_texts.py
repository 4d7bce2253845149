from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shouwang.models.tokens import LONGEST, PAD
from shouwang.train.builtin import examples
from shouwang.train.builtin import texts as module
from shouwang.train.builtin.sources import Row
from shouwang.train.builtin.texts import DISGUISES_OF, SPLICES, Bank, Texts, gather, load, save
from tests.train.builtin.conftest import CPU
from tests.train.builtin.invented import SINGLE, pools, rows

POOLS = pools()
NUMBER = {row.id: i for i, row in enumerate([*POOLS.folds, *POOLS.sos4k, *POOLS.graded])}


def numbered(given: Sequence[Row]) -> list[NDArray[np.int64]]:
    """Ids that say which post they are of, whatever its disguise."""
    return [np.full(12, NUMBER.get(row.id, 99)) for row in given]


@pytest.fixture(scope="module")
def splices() -> tuple[list[list[Row]], list[int]]:
    """The posts that each splice is made of, and its fold."""
    texts = gather(POOLS, numbered, rows("turns", 3))
    made = texts.rows("splices")
    by_number = [*POOLS.folds, *POOLS.sos4k, *POOLS.graded]
    return [[by_number[i] for i in dict.fromkeys(texts.examples.posts[j])] for j in made], texts.fold[made].tolist()


# --- gathering ------------------------------------------------------------------------------------------------------


def test_every_pool_stands_there_with_its_versions(texts: Texts) -> None:
    for name, times in DISGUISES_OF.items():
        n = len(getattr(POOLS, name))
        assert texts.parts[name][1:] == (n, times)
        assert texts.versions(name).shape == (n, times)
    covered = [at for name in texts.parts for at in (*texts.rows(name), *texts.versions(name).ravel())]
    assert covered == list(range(len(texts.fold))) == list(range(len(texts.examples.posts)))


def test_a_disguise_has_its_posts_targets_and_fold(texts: Texts) -> None:
    for name in DISGUISES_OF:
        for own, versions in zip(texts.rows(name), texts.versions(name), strict=True):
            assert {int(texts.fold[at]) for at in versions} <= {int(texts.fold[own])}
            for array in texts.examples.arrays():
                np.testing.assert_allclose(array[versions], np.repeat(array[own][None], len(versions), 0), rtol=1e-6)


def test_words_of_risk_are_disguised_and_the_rest_of_a_post_is_not() -> None:
    seen: list[list[Row]] = []

    def read(given: Sequence[Row]) -> list[NDArray[np.int64]]:
        seen.append(list(given))
        return numbered(given)

    gather(POOLS, read, [])
    hidden = seen[1]
    assert [row.id for row in hidden] == [row.id for row in POOLS.folds for _ in range(DISGUISES_OF["folds"])]
    assert sum("不想活了" not in row.text for row in hidden) > len(hidden) / 4  # the others are read back
    assert all(row.text.startswith(SINGLE[row.fold] + "天") for row in hidden)


def test_a_splice_is_one_posts_beginning_and_anothers_end(splices: tuple[list[list[Row]], list[int]]) -> None:
    parts, _ = splices
    labelled = [row for row in (*POOLS.folds, *POOLS.sos4k, *POOLS.graded) if row.id not in POOLS.leaks]
    assert [made[0] for made in parts] == [row for row in labelled for _ in range(SPLICES)]
    assert {len(made) for made in parts} <= {1, 2}


def test_a_splice_has_no_part_of_another_fold_and_none_of_the_test_sets(
    splices: tuple[list[list[Row]], list[int]],
) -> None:
    for made, fold in zip(*splices, strict=True):
        assert made[0].fold == fold
        assert {row.fold for row in made} <= {0, fold}
        assert not {row.id for row in made} & POOLS.leaks
    assert {fold for made, fold in zip(*splices, strict=True) if made[-1].fold == 0} == {0, 1, 2, 3, 4, 5}


def test_splices_and_turns_are_unlabelled(texts: Texts) -> None:
    for name in ("splices", "turns", "further turns"):
        assert not texts.examples.level_weight[texts.rows(name)].any()
        assert not texts.examples.binary_weight[texts.rows(name)].any()
    assert (texts.parts["turns"][1], texts.parts["further turns"][1]) == (8, 4)


def test_the_same_seed_gives_the_same_texts_and_another_gives_others() -> None:
    one, same, other = (gather(POOLS, numbered, [], seed) for seed in (1, 1, 2))
    assert [post.tolist() for post in one.examples.posts] == [post.tolist() for post in same.examples.posts]
    assert [post.tolist() for post in one.examples.posts] != [post.tolist() for post in other.examples.posts]


def test_a_clean_text_is_itself_and_a_disguise_is_its_posts(texts: Texts) -> None:
    clean = texts.clean()
    assert clean[texts.rows("splices")].tolist() == texts.rows("splices").tolist()
    for name in DISGUISES_OF:
        assert clean[texts.rows(name)].tolist() == texts.rows(name).tolist()
        assert (clean[texts.versions(name)] == texts.rows(name)[:, None]).all()


def test_without_a_fold_are_the_others_and_of_all_those_outside_the_test_set(texts: Texts) -> None:
    assert [POOLS.folds[i].id for i in texts.without(2)] == [row.id for row in POOLS.folds if row.fold != 2]
    assert [POOLS.folds[i].id for i in texts.without(0)] == [row.id for row in POOLS.folds if row.id != "3-1"]


def test_what_was_saved_is_loaded(texts: Texts, tmp_path: Path) -> None:
    save(texts, tmp_path / "texts.npz")
    again = load(tmp_path / "texts.npz")
    assert again.parts == texts.parts
    assert [post.tolist() for post in again.examples.posts] == [post.tolist() for post in texts.examples.posts]
    for one, other in zip(
        [*again.examples.arrays(), again.fold, again.leaks],
        [*texts.examples.arrays(), texts.fold, texts.leaks],
        strict=True,
    ):
        np.testing.assert_array_equal(one, other, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["texts.npz"]


# --- on a device ----------------------------------------------------------------------------------------------------

LENGTHS = (3, 8, 9, LONGEST)
PREFIX = np.array([15, 16])


@pytest.fixture(scope="module")
def bank() -> Bank:
    posts = [np.array([0, *([4 + n % 9] * (n - 2)), 2]) for n in LENGTHS]
    made = examples.labelled([Row(str(n), "", n % 11) for n in LENGTHS], posts)
    return Bank(Texts(made, np.zeros(4, np.int8), {"sos4k": (0, 4, 0)}, np.zeros(0, np.bool_)), PREFIX, CPU)


@pytest.mark.parametrize(("at", "width"), [([0], 8), ([0, 1], 8), ([1, 2], 16), ([3, 0], LONGEST)])
def test_posts_are_padded_to_a_multiple_of_eight(bank: Bank, at: list[int], width: int) -> None:
    ids, real = bank.read(np.array(at))
    assert ids.shape == real.shape == (len(at), width)
    assert real.sum(1).tolist() == [LENGTHS[i] for i in at]
    for i, row, own in zip(at, ids, real, strict=True):
        assert row[own].tolist() == [0, *[4 + LENGTHS[i] % 9] * (LENGTHS[i] - 2), 2]
        assert (row[~own] == PAD).all()


def test_rows_of_any_shape_are_read_alike(bank: Bank) -> None:
    square = np.array([[0, 1], [2, 0]])
    ids, real = bank.read(square)
    flat, _ = bank.read(square.ravel())
    assert ids.shape == real.shape == (2, 2, 16)
    assert torch.equal(ids.view(4, -1), flat)
    assert [each.shape for each in bank.targets(square)] == [(2, 2, 11), (2, 2), (2, 2, 6), (2, 2, 6)]


def test_the_prefix_stands_after_the_first_token(bank: Bank) -> None:
    ids, real = bank.read_prefixed(np.array([0, 1]))
    assert ids[0].tolist() == [0, *PREFIX, 7, 2, *[PAD] * 5]
    assert real.sum(1).tolist() == [5, 10]


def test_what_the_prefix_pushes_beyond_the_longest_is_cut_off(bank: Bank) -> None:
    ids, real = bank.read_prefixed(np.array([3]))
    whole, _ = bank.read(np.array([3]))
    assert ids.shape == (1, LONGEST)
    assert real.all()
    assert ids[0, 3:].tolist() == whole[0, 1:-2].tolist()


def test_targets_are_those_of_the_rows(texts: Texts) -> None:
    at = texts.rows("graded")
    held = Bank(texts, PREFIX, CPU).targets(at)
    for ours, array in zip(held, texts.examples.arrays(), strict=True):
        np.testing.assert_array_equal(ours.numpy(), array[at])


def test_turns_beyond_those_the_teachers_hear_of_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURNS", 2)
    turns = [replace(row, id=f"t{i}") for i, row in enumerate(rows("turns", 5))]
    monkeypatch.setitem(NUMBER, "t1", 41)
    monkeypatch.setitem(NUMBER, "t2", 42)
    texts = gather(POOLS, numbered, turns)
    assert [int(texts.examples.posts[i][0]) for i in texts.rows("turns")] == [99, 41]
    assert [int(texts.examples.posts[i][0]) for i in texts.rows("further turns")] == [42, 99, 99]
