from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shouwang.train.builtin import sources
from shouwang.train.builtin.backbone import Backbone
from shouwang.train.builtin.workshop import Workshop
from tests.train.builtin.conftest import CPU
from tests.train.builtin.invented import LAYERS, PIECES, pools, rows


@pytest.fixture
def shop(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(sources, "smilechat", lambda: rows("turns", 6))
    made = Workshop(backbone, pools(), tmp_path, CPU)
    made.prune()
    return made


def again(shop: Workshop) -> Workshop:
    """Another process's."""
    return Workshop(shop.backbone, shop.pools, shop.cache, shop.device)


def test_the_vocabulary_is_pruned_once(shop: Workshop) -> None:
    keep = np.load(shop.cache / "keep.npy")
    assert {PIECES[i] for i in keep} == set(PIECES) - {"かな"}
    assert shop.tokenizer.get_vocab_size() == len(keep) == len(shop.start["word.nibbles"])
    (shop.cache / "keep.npy").unlink()
    shop.prune()
    assert not (shop.cache / "keep.npy").exists()


def test_training_starts_from_all_layers_of_the_backbone(shop: Workshop) -> None:
    assert {name.split(".")[0] for name in shop.start} == {"word", "place", "emb", *(f"l{i}" for i in range(LAYERS))}


def test_texts_are_gathered_once_with_counselling_turns_of_ordinary_length(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [row for row in rows("turns", 6) if 8 <= len(row.text) <= 200]
    assert shop.texts.parts["turns"][1] == len(turns) < 6
    before = (shop.cache / "texts.npz").read_bytes()
    monkeypatch.setattr(sources, "smilechat", None)  # which could not be called
    assert again(shop).texts.parts == shop.texts.parts
    assert (shop.cache / "texts.npz").read_bytes() == before


def test_the_bank_knows_the_backbones_prefix(shop: Workshop) -> None:
    ids, _ = shop.bank.read_prefixed(shop.texts.rows("folds")[:1])
    pieces = [shop.tokenizer.id_to_token(int(i)) for i in ids[0, : 1 + shop.bank.prefix]]
    assert pieces == ["<s>", "▁", "query", ":"]


def step(made: list[int]) -> dict[str, NDArray[np.float32]]:
    made.append(1)
    return {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T}


def test_a_finished_step_is_not_made_again(shop: Workshop) -> None:
    made: list[int] = []
    one, other = shop.kept("first", lambda: step(made)), again(shop).kept("first", lambda: step(made))
    assert len(made) == 1
    np.testing.assert_array_equal(one["a"], step([])["a"])
    np.testing.assert_array_equal(other["a"], one["a"])


def test_a_step_that_broke_off_is_made_from_its_beginning(shop: Workshop) -> None:
    (shop.cache / "first.partial").write_bytes(b"half")
    made: list[int] = []
    np.testing.assert_array_equal(shop.kept("first", lambda: step(made))["a"], step([])["a"])
    assert len(made) == 1
    assert [path.name for path in shop.cache.glob("first.*")] == ["first.safetensors"]


def test_a_step_that_failed_leaves_nothing_that_looks_finished(shop: Workshop) -> None:
    def broken() -> dict[str, NDArray[np.float32]]:
        raise MemoryError

    with pytest.raises(MemoryError):
        shop.kept("first", broken)
    assert not list(shop.cache.glob("first.*"))
