from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from shouwang.errors import InputError
from shouwang.models import store
from shouwang.models.mixture import HEADS
from shouwang.models.model import Model
from tests import examples
from tests.tiny import save_tiny, tiny_blend


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tiny(tmp_path / "tiny")
    return tmp_path / "tiny"


def changed(folder: Path, **settings: object) -> Path:
    path = folder / store.SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | settings), encoding="utf-8")
    return folder


def test_a_saved_model_gives_the_same_answers(tiny: Model, tmp_path: Path) -> None:
    store.save(tiny, tmp_path / "deep" / "copy", {})
    assert store.load(tmp_path / "deep" / "copy").assess(examples.posts()) == tiny.assess(examples.posts())


def test_a_model_saves_to_the_same_bytes(tiny: Model, folder: Path, tmp_path: Path) -> None:
    store.save(tiny, tmp_path / "copy", {})
    for name in (store.WEIGHTS, store.SETTINGS):
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


def test_a_folder_holds_three_tensors_and_plain_json(tiny: Model, tmp_path: Path) -> None:
    store.save(tiny, tmp_path, {"data": {"used": ["编造"]}})
    assert {path.name for path in tmp_path.iterdir()} == {store.WEIGHTS, store.SETTINGS}
    assert {name: each.dtype for name, each in load_file(tmp_path / store.WEIGHTS).items()} == {
        "idf": np.float16,
        "weights": np.float16,
        "bias": np.float32,
    }
    settings = json.loads((tmp_path / store.SETTINGS).read_text(encoding="utf-8"))
    assert (settings["name"], settings["threshold"], settings["heads"]) == ("tiny", 0.5, list(HEADS))
    assert settings["data"] == {"used": ["编造"]}


def test_a_blend_is_four_files_and_comes_back_the_same(tmp_path: Path) -> None:
    made = tiny_blend()
    store.save(made, tmp_path / "one", {"data": "茶"})
    model = store.load(tmp_path / "one")
    store.save(model, tmp_path / "two", {"data": "茶"})
    names = {store.SETTINGS, store.WEIGHTS, store.ENCODER, store.TOKENIZER}
    assert {path.name for path in (tmp_path / "one").iterdir()} == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert model.assess(examples.posts()) == made.assess(examples.posts())
    assert (model.operating, model.sets, model.point) == (made.operating, made.sets, "balanced")


def test_a_blends_settings_hold_its_mixture_its_table_its_sets_and_operating_points(tmp_path: Path) -> None:
    store.save(tiny_blend(), tmp_path, {"data": "茶"})
    settings = json.loads((tmp_path / store.SETTINGS).read_text(encoding="utf-8"))
    assert list(settings) == [
        *("format", "name", "version", "threshold", "heads", "features", "files", "sets", "operating"),
        *("data", "mixture", "normalise"),
    ]
    assert list(settings["mixture"]) == [
        *("levels", "level_bias", "high", "high_bias", "indicators", "indicator_bias"),
    ]
    assert settings["normalise"] == {"，": " "}
    assert settings["sets"] == {"coverage": 0.9, "level_cut": 0.1, "high_span": [0.3, 0.7]}
    assert load_file(tmp_path / store.WEIGHTS)["dense"].shape[1] == len(HEADS)


def test_a_model_saved_at_another_point_comes_back_at_its_default(tmp_path: Path) -> None:
    store.save(tiny_blend().at("recall99"), tmp_path, {})
    assert (store.load(tmp_path).point, store.load(tmp_path).threshold) == ("balanced", 0.5)


@pytest.mark.parametrize("name", [store.ENCODER, store.TOKENIZER])
def test_a_blend_that_lacks_a_part_or_has_a_damaged_one(tmp_path: Path, name: str) -> None:
    store.save(tiny_blend(), tmp_path, {})
    part = tmp_path / name
    part.write_bytes(part.read_bytes()[:-1])
    fails(tmp_path, f"the model cannot be read ({name} is not the file that was saved with it)")
    part.unlink()
    fails(tmp_path, f"no model here ({name} is missing)")


def test_whoever_may_read_the_settings_may_read_the_weights(folder: Path) -> None:
    assert (folder / store.WEIGHTS).stat().st_mode == (folder / store.SETTINGS).stat().st_mode


def fails(folder: Path, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        store.load(folder)
    message = str(caught.value)
    assert str(folder) in message
    assert "; " in message, "it says what to do"


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    fails(tmp_path, "no model here (model.json is missing)")


def test_a_folder_without_weights(folder: Path) -> None:
    (folder / store.WEIGHTS).unlink()
    fails(folder, "no model here (model.safetensors is missing)")


@pytest.mark.parametrize("kept", [0, 4, 1_000])
def test_weights_that_are_cut_short(folder: Path, kept: int) -> None:
    path = folder / store.WEIGHTS
    path.write_bytes(path.read_bytes()[:kept])
    fails(folder, "the model cannot be read")


@pytest.mark.parametrize("content", ["", "{", "茶"])
def test_settings_that_are_no_json(folder: Path, content: str) -> None:
    (folder / store.SETTINGS).write_text(content, encoding="utf-8")
    fails(folder, "the model cannot be read")


@pytest.mark.parametrize("content", ["[]", "{}", '"tea"'])
def test_settings_of_something_else(folder: Path, content: str) -> None:
    (folder / store.SETTINGS).write_text(content, encoding="utf-8")
    fails(folder, "made for another version of shouwang (format None, not 2")


def test_a_model_of_another_format(folder: Path) -> None:
    fails(changed(folder, format=1), "made for another version of shouwang (format 1, not 2")


def test_a_model_with_other_heads(folder: Path) -> None:
    fails(changed(folder, heads=["tea"]), "made for another version of shouwang")


def test_a_model_with_another_number_of_cues(folder: Path) -> None:
    fails(changed(folder, features={"bits": 11}), "made for another version of shouwang")


def test_weights_of_another_model(folder: Path) -> None:
    tensors = load_file(folder / store.WEIGHTS)
    save_file(tensors | {"bias": tensors["bias"] + 1}, folder / store.WEIGHTS)
    fails(folder, "the model cannot be read (model.safetensors is not the file that was saved with it)")


def test_settings_that_lack_something(folder: Path) -> None:
    settings = json.loads((folder / store.SETTINGS).read_text(encoding="utf-8"))
    del settings["features"]
    (folder / store.SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    fails(folder, "the model cannot be read ('features')")


@pytest.mark.parametrize("name", ["files", "features"])
def test_settings_that_hold_a_list_where_names_are_expected(folder: Path, name: str) -> None:
    settings = json.loads((folder / store.SETTINGS).read_text(encoding="utf-8"))
    (folder / store.SETTINGS).write_text(json.dumps(settings | {name: []}), encoding="utf-8")
    fails(folder, "the model cannot be read (")


def test_a_file_is_no_folder(folder: Path) -> None:
    fails(folder / store.SETTINGS, "no model here")
