from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from shouwang.train.builtin import recipe, sources, stages
from shouwang.train.builtin.backbone import Backbone
from shouwang.train.builtin.fit import Settings
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Row
from shouwang.train.builtin.stages import Draw, Workshop, stage1, stage2
from tests.train.builtin.invented import PIECES, SHAPE, SINGLE

ONCE = Settings(epochs=1, rate=1e-3)
FEW = Draw(1, 1, 1, 1, 1, 1, disguised=0)


def rows(name: str, n: int, level: int = -1) -> list[Row]:
    """Posts of which none has the characters of another, in this order."""
    start = sum(map(ord, name))
    texts = ["".join(SINGLE[(start // 7**k + i) % 7] for k in range(4)) + SINGLE[i % 7] * (i + 1) for i in range(n)]
    return [Row(f"{name}{i}", name[0] + text, level) for i, text in enumerate(texts)]


@pytest.fixture
def shop(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    torch.set_num_threads(1)
    calm = {name: rows(name, 2) for name in ("virus", "usual", "invented", "talk")}
    held = {name: rows(name, 2) for name in ("held_virus", "held_invented", "new_usual", "new_unrelated")}
    pools = Pools(
        folds=[Row(f"{k}-{i}", "天" * (k + 1) + "气" * i, i, i % 2, k) for k in range(1, 6) for i in range(2)],
        test=rows("test", 2, 3),
        sos4k=rows("four", 4, 5),
        graded=rows("graded", 2, 7),
        intent=[Row("intent", "茶茶", note="自杀意图")],
        explain={},
        leaks=frozenset({"3-1"}),
        dropped={},
        **calm,
        **held,
    )
    monkeypatch.setattr(sources, "smilechat", lambda: rows("turns", 2))
    made = Workshop(backbone, pools, tmp_path, SHAPE)
    recipe.prune(made)
    return made


def read(shop: Workshop) -> set[str]:
    """Ids of the folds' posts that training has read so far."""
    return {row.id for row in shop.pools.folds for ids in shop.ids([row]) if ids.tobytes() in shop.memory}


def test_the_vocabulary_is_pruned_once(shop: Workshop) -> None:
    keep = np.load(shop.cache / "keep.npy")
    assert {PIECES[i] for i in keep} == set(PIECES) - {"かな"}
    assert shop.tokenizer.get_vocab_size() == len(keep) == len(shop.start["word.nibbles"])
    (shop.cache / "keep.npy").unlink()
    recipe.prune(shop)
    assert not (shop.cache / "keep.npy").exists()


def test_a_stage_without_a_fold_never_reads_that_folds_posts(shop: Workshop) -> None:
    stage2(shop, {}, ONCE, FEW, fold=2, seed=1)
    assert read(shop) == {row.id for row in shop.pools.folds if row.fold != 2}


def test_the_stage_of_all_folds_leaves_out_posts_that_stand_in_the_test_set(shop: Workshop) -> None:
    stage2(shop, {}, ONCE, FEW, fold=0, seed=1)
    assert read(shop) == {row.id for row in shop.pools.folds} - {"3-1"}


def test_the_first_stage_reads_no_post_of_the_folds(shop: Workshop) -> None:
    stage1(shop, ONCE, FEW, 1)
    assert read(shop) == set()


def test_a_finished_stage_is_not_trained_again(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stage1(shop, ONCE, FEW, 1)
    monkeypatch.setattr(stages, "fit", None)  # which could not be called
    again = stage1(shop, ONCE, FEW, 1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    with pytest.raises(TypeError):
        stage2(shop, first, ONCE, FEW, fold=1, seed=1)


def test_a_stage_that_broke_off_is_trained_from_its_beginning(shop: Workshop) -> None:
    first = stage1(shop, ONCE, FEW, 1)
    (shop.cache / "stage1.safetensors").unlink()
    (shop.cache / "stage1.partial").write_bytes(b"half")
    again = stage1(shop, ONCE, FEW, 1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert sorted(path.suffix for path in shop.cache.glob("stage1.*")) in ([".safetensors"], [".log", ".safetensors"])


def test_stage_two_goes_on_from_stage_one(shop: Workshop) -> None:
    still = Settings(epochs=1, rate=0.0)
    first = stage1(shop, Settings(epochs=1, rate=1e-2), FEW, 1)
    second = stage2(shop, first, still, FEW, fold=1, seed=1)
    assert not np.array_equal(first["heads.w"], shop.start["heads.w"])
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_progress_is_written_beside_the_stage_and_quotes_nothing(shop: Workshop) -> None:
    stage1(shop, Settings(epochs=30, rate=1e-3), FEW, 1)
    said = [json.loads(line) for line in (shop.cache / "stage1.log").read_text(encoding="utf-8").splitlines()]
    assert said
    assert {tuple(each) for each in said} == {("step", "steps", "loss", "seconds")}


def test_the_soup_of_seeds_is_the_mean_of_their_weights(shop: Workshop) -> None:
    both = [stage2(shop, {}, ONCE, FEW, fold=1, seed=seed) for seed in (1, 2)]
    mixed = recipe.soup([shop.cache / f"stage2-fold1-seed{seed}.safetensors" for seed in (1, 2)])
    assert not np.array_equal(both[0]["heads.w"], both[1]["heads.w"])
    np.testing.assert_allclose(mixed["heads.w"], (both[0]["heads.w"] + both[1]["heads.w"]) / 2, atol=1e-7)


def test_other_posts_or_another_plan_name_another_cache(shop: Workshop) -> None:
    plan, other = recipe.Plan(), recipe.Plan(seeds=(1,))
    named = recipe.fingerprint(plan, shop.pools)
    assert named == recipe.fingerprint(recipe.Plan(), shop.pools)
    assert named != recipe.fingerprint(other, shop.pools)
    shop.pools.virus.pop()
    assert named != recipe.fingerprint(plan, shop.pools)
