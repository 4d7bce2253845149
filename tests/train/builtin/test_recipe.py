"""Steps of the recipe, and at last a whole build of a few steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from threadpoolctl import threadpool_limits

from shouwang.evaluate import contrast
from shouwang.models import model as shown
from shouwang.models import store
from shouwang.models.mixture import HEADS, HIGH_HEAD, sigmoid
from shouwang.models.model import Model
from shouwang.train.builtin import distil, measure, recipe, sources, teach
from shouwang.train.builtin.backbone import Backbone
from shouwang.train.builtin.distil import Distilling
from shouwang.train.builtin.finish import Notes, finished
from shouwang.train.builtin.fit import Settings
from shouwang.train.builtin.measure import Judged
from shouwang.train.builtin.members import Recipe
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.recipe import FOLDS, Built, Plan
from shouwang.train.builtin.sources import Rating, Row
from shouwang.train.builtin.teach import Draw, Lesson, Teaching
from shouwang.train.builtin.workshop import Workshop
from tests import examples
from tests.train.builtin import invented
from tests.train.builtin.conftest import CPU
from tests.train.builtin.invented import SHAPE

ONCE, FEW = Settings(rate=1e-3, batch=8), Draw(2, 2, 2, 2, 1, 2)
LESSONS = (Lesson(FEW, FEW), Lesson(Draw(), Draw()), Lesson(Draw(), Draw(sos4k=4)))
PLAN = Plan(
    Teaching(LESSONS, seeds=1, shape=SHAPE, first=ONCE, first_epochs=1, second=ONCE, second_epochs=1),
    distilling=Distilling(
        shape=replace(SHAPE, layers=2),
        layers=(0, 2),
        units=64,
        frozen=1,
        general=replace(ONCE, round_from=0.5),
        general_steps=4,
        task=replace(ONCE, average_from=0.5, round_from=0.5),
        task_steps=4,
        closing=replace(ONCE, average_from=0.5, round_from=0.0),
        closing_steps=2,
    ),
    linear=Recipe(virus=8, invented=8, talk=5),
)

# --- steps ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(sources, "smilechat", lambda: invented.rows("turns", 6))
    made = Workshop(backbone, invented.pools(), tmp_path, CPU)
    made.prune()
    return made


def test_other_posts_or_another_plan_name_another_cache() -> None:
    pools, plan = invented.pools(), Plan()
    named = recipe.fingerprint(plan, pools)
    assert named == recipe.fingerprint(Plan(), invented.pools())
    for other in (replace(plan, high=(0,)), replace(plan, distilling=Distilling(gold=0.5))):
        assert named != recipe.fingerprint(other, pools)
    pools.virus.pop()
    assert named != recipe.fingerprint(plan, pools)


def test_of_posts_like_sos1k_students_hear_each_head_from_its_lessons_and_of_others_from_the_first(
    small: Workshop,
) -> None:
    asked = distil.asked(small.texts)
    said = np.random.default_rng(0).normal(size=(3, 6, len(asked), len(HEADS))).astype(np.float32)
    for i, each in enumerate(said):
        save_file({"array": each}, small.cache / f"said-{i}.safetensors")
    heard = recipe.told(small, PLAN, lambda *_: None)
    alike = np.isin(asked, np.concatenate([small.texts.rows(name) for name in distil.ALIKE]))
    np.testing.assert_array_equal(heard[:, ~alike], said[0][:, ~alike])
    np.testing.assert_array_equal(heard[:, alike, HIGH_HEAD:], said[2][:, alike, HIGH_HEAD:])
    for k in range(6):
        levels = teach.joined(said[:2, k, alike])[:, :HIGH_HEAD]
        np.testing.assert_array_equal(heard[k, alike, :HIGH_HEAD], levels)


def test_steps_that_were_done_before_a_build_broke_off_are_not_done_again(
    small: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(distil, "general", broken)
        recipe.students(small, PLAN)
    done = {f"{name}.safetensors" for name in ("begun", "said-0", "said-1", "said-2")}
    assert {path.name for path in small.cache.iterdir()} - {"keep.npy", "tokenizer.json", "texts.npz"} == done
    monkeypatch.setattr(teach, "beginners", broken)
    monkeypatch.setattr(teach, "teachers", broken)
    made = recipe.students(small, PLAN)
    assert len(made) == 6
    (small.cache / "closed-3.safetensors").unlink()
    monkeypatch.setattr(distil, "students", broken)
    for again, each in zip(recipe.students(small, PLAN), made, strict=True):
        assert all(np.array_equal(again[name], each[name]) for name in each)


# --- a whole build --------------------------------------------------------------------------------------------------

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def pools() -> Pools:
    """The labelled examples as folds and test, the project's invented posts as everything else."""
    rows = [Row(p.id, p.text, p.level or 0, int(bool(p.high))) for p in examples.labelled()]
    own = sources.invented()
    calm, graded = [row for row in own if row.level < 0], [row for row in own if row.level >= 0]
    names = (
        "virus",
        "usual",
        "invented",
        "talk",
        "held_virus",
        "held_invented",
        "new_usual",
        "new_unrelated",
        "ordinary",
    )
    quiet = {name: calm[15 * i : 15 * (i + 1)] for i, name in enumerate(names)}
    folds = [Row(r.id, r.text, r.level, r.high, 1 + i % 5) for i, r in enumerate(rows[:60])]
    return Pools(
        folds=folds,
        test=rows[60:80],
        sos4k=graded[:40],
        graded=graded[40:50],
        intent=[Row(r.id, r.text, note="自杀意图") for r in graded[50:54]],
        rated=_rated(graded[54:70]),
        new_rated=_rated(graded[70:80]),
        leaks=frozenset({folds[0].id}),
        dropped={"sos-1k": [folds[0].id]},
        **quiet,
    )


def _rated(rows: list[Row]) -> list[Row]:
    return [Row(r.id, r.text, rating=Rating(r.level, min(r.level + 1, 10), r.level / 10)) for r in rows]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def shop(backbone: Backbone, pools: Pools, folder: Path) -> Workshop:
    return Workshop(backbone, pools, folder, CPU)


@pytest.fixture(scope="module")
def built(shop: Workshop) -> Built:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "smilechat", lambda: shop.pools.talk)
        return recipe.build(shop, PLAN)


@pytest.fixture(scope="module")
def made(built: Built, pools: Pools) -> tuple[Model, Notes]:
    """With all evidence shown: so small a model hardly expresses an indicator."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(limits=1):
        patch.setattr(shown, "SHOWN_FROM", 0.0)
        return finished(built, pools, test=True)


@slow
def test_every_post_is_read_by_the_model_that_had_not_seen_it(built: Built, pools: Pools) -> None:
    assert built.blends.keys() == {0, *FOLDS}
    assert built.fold["fold"].tolist() == [row.fold for row in built.rows["fold"]]
    assert {row.id for row in built.rows["fold"]} == {row.id for row in pools.folds}
    for name, rows in built.rows.items():
        assert built.logits[name].shape == (len(rows), len(HEADS))
        of_third = built.fold[name] == 3
        texts = [row.text for row, chosen in zip(rows, of_third, strict=True) if chosen]
        np.testing.assert_array_equal(built.blends[3].logits(texts), built.logits[name][of_third])


@slow
def test_each_set_is_split_among_the_folds_and_read_once(built: Built, pools: Pools) -> None:
    assert sorted(row.id for row in built.rows["usual"]) == sorted(row.id for row in pools.new_usual)
    assert np.unique(built.fold["usual"]).tolist() == list(FOLDS)


@slow
def test_all_folds_models_share_the_frozen_features(built: Built, pools: Pools) -> None:
    """The linear members of every fold read those of one."""
    texts = [row.text for row in pools.folds[:5]]
    heads, bottom = zip(*(blend.encoder(texts) for blend in built.blends.values()), strict=True)
    assert all(np.array_equal(each, bottom[0]) for each in bottom)
    assert len({each.tobytes() for each in heads}) == 6


@slow
def test_a_second_build_trains_nothing_and_says_the_same(shop: Workshop, built: Built, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = recipe.build(shop, PLAN)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert all(np.array_equal(again.logits[name], built.logits[name]) for name in built.logits)


@slow
def test_a_built_model_is_saved_loaded_and_assesses_alike(built: Built, tmp_path: Path) -> None:
    judged = Judged(measure.labelled(built.rows["fold"]), built.logits["fold"])
    points = measure.operating(judged, sigmoid(built.logits["usual"][:, HIGH_HEAD]))
    threshold = points.points[points.default].threshold
    model = Model("small", "0", built.blends[0], threshold, operating=points, sets=measure.sets(judged))
    store.save(model, tmp_path, {})
    loaded = store.load(tmp_path)
    posts = examples.posts()
    assert loaded.assess(posts) == model.assess(posts)
    assert (loaded.sets, loaded.operating) == (model.sets, model.operating)
    names = ["encoder.onnx", "model.json", "model.safetensors", "tokenizer.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@slow
def test_its_figures_say_how_many_posts_they_are_from(made: tuple[Model, Notes], pools: Pools) -> None:
    metrics = made[1]["metrics"]
    assert (metrics["folds"]["n"], metrics["test"]["n"]) == (60, len(pools.test))
    assert metrics["contrast"]["n"] == len(contrast.load())
    assert metrics["flagged"]["usual"]["balanced"]["n"] == 15
    assert metrics["flagged"]["low"]["balanced"]["n"] == sum(not row.high for row in pools.folds)
    assert metrics["robustness"]["high_posts"] == sum(row.high for row in pools.folds)
    assert sum(each["posts"] for each in made[1]["data"]["used"] if each["role"] == "folds") == 60


@slow
def test_nothing_that_is_written_quotes_a_post(made: tuple[Model, Notes], pools: Pools) -> None:
    said = json.dumps(made[1], ensure_ascii=False)
    assert not any(row.text in said for row in (*pools.folds, *pools.test, *pools.training) if len(row.text) >= 8)
