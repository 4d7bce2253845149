from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shouwang.errors import InputError, MissingExtraError, ShouwangError
from shouwang.models import hub
from shouwang.models.hub import SAMPLE, load_backbone
from shouwang.models.weights import as_safetensors
from tests.models.checkpoints import CONFIGS, VOCABULARY, build, save

HEADS = {"levels": 11, "high": 2}
Checkpoint = Callable[..., Path]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """Writes a tiny checkpoint of an architecture."""
    return lambda architecture, **options: save(tmp_path / architecture, architecture, **options)


def change_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, {"format": "pt"})


def logits(backbone: hub.Backbone) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = backbone.model(**backbone.tokenizer(SAMPLE[0], return_tensors="pt")).logits
    return found


# --- what loads -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", CONFIGS)
def test_every_tensor_of_the_encoder_comes_from_the_checkpoint(architecture: str, checkpoint: Checkpoint) -> None:
    found = load_backbone(checkpoint(architecture), heads=HEADS)
    published, loaded = (model.base_model.state_dict() for model in (build(architecture), found.model))
    same = [name for name, tensor in published.items() if torch.equal(tensor, loaded[name])]
    assert [name for name in loaded if name not in same and "pooler" not in name] == []
    assert all("classifier" in name or "pooler" in name for name in found.fresh)
    assert logits(found).shape == (1, 13)
    assert (found.max_length, found.unknown, found.revision) == (64, 0.0, None)


def test_electra_keeps_its_class_and_its_narrow_embeddings(checkpoint: Checkpoint) -> None:
    found = load_backbone(checkpoint("electra"), heads=HEADS)
    assert type(found.model).__name__ == "ElectraForSequenceClassification"
    words = found.model.get_input_embeddings()
    assert isinstance(words, torch.nn.Embedding)
    assert words.weight.shape == (len(VOCABULARY), 16)
    assert not found.model.training


def test_the_head_is_drawn_with_the_seed_and_nothing_else_is_touched(checkpoint: Checkpoint) -> None:
    folder = checkpoint("bert")
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (load_backbone(folder, heads=HEADS, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(logits(first), logits(again))
    assert not torch.equal(logits(first), logits(other))


def test_a_finished_model_comes_back_with_its_heads_in_order(checkpoint: Checkpoint, tmp_path: Path) -> None:
    first = load_backbone(checkpoint("nezha"), heads=HEADS)
    first.model.save_pretrained(tmp_path / "run")
    first.tokenizer.save_pretrained(tmp_path / "run")
    again = load_backbone(tmp_path / "run")
    assert (list(again.heads.items()), again.fresh) == ([("levels", 11), ("high", 2)], ())
    assert again.model.config.to_dict()["id2label"][11] == "high-0"
    torch.testing.assert_close(logits(again), logits(first))


def test_a_head_of_another_size_is_drawn_anew(checkpoint: Checkpoint, tmp_path: Path) -> None:
    first = load_backbone(checkpoint("nezha"), heads={"high": 2})
    first.model.save_pretrained(tmp_path / "run")
    first.tokenizer.save_pretrained(tmp_path / "run")
    assert load_backbone(tmp_path / "run", heads=HEADS).fresh == ("classifier.bias", "classifier.weight")


# --- weights published as a pickle ----------------------------------------------------------------------------------


def test_a_pickle_is_converted_once_and_gives_the_same_model(checkpoint: Checkpoint, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    pickled = load_backbone(checkpoint("bert", pickled=True), heads=HEADS, cache=cache)
    (written,) = cache.rglob("model.safetensors")
    before = written.stat().st_mtime_ns
    again = load_backbone(tmp_path / "bert", heads=HEADS, cache=cache)
    assert written.stat().st_mtime_ns == before
    assert not list(cache.rglob("*.partial"))
    safe = load_backbone(save(tmp_path / "safe", "bert"), heads=HEADS, cache=cache)
    assert torch.equal(logits(pickled), logits(again))
    assert torch.equal(logits(pickled), logits(safe))
    assert list(cache.rglob("model.safetensors")) == [written]


def test_old_names_of_the_normalisation_are_understood(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("bert", pickled=True)
    expected = logits(load_backbone(folder, heads=HEADS, cache=tmp_path / "one"))
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in state.items()
    }
    torch.save(old, folder / "pytorch_model.bin")
    assert torch.equal(logits(load_backbone(folder, heads=HEADS, cache=tmp_path / "two")), expected)


class Attack:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused_and_not_run(zipped: bool, checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder, touched = checkpoint("bert", pickled=True), tmp_path / "touched"
    bait = {"bert.embeddings.word_embeddings.weight": torch.zeros(2), "more": Attack(touched)}
    torch.save(bait, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match="Full unpickling could run code"):
        load_backbone(folder, heads=HEADS, cache=tmp_path / "cache")
    assert not touched.exists()
    assert not (tmp_path / "cache").exists()


def test_the_attack_would_have_worked(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Attack(tmp_path / "touched")))  # noqa: S301
    assert (tmp_path / "touched").exists()


def test_a_pickle_of_something_else_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("bert", pickled=True)
    torch.save({"epoch": 3, "model": {}}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="save the model's state_dict alone"):
        load_backbone(folder, heads=HEADS, cache=tmp_path / "cache")


def test_half_a_file_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = checkpoint("bert", pickled=True) / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="it is damaged"):
        load_backbone(path.parent, heads=HEADS, cache=tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_named(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(ShouwangError, match="converted weights cannot be written"):
        as_safetensors(checkpoint("bert", pickled=True), tmp_path / "cache")


# --- what is refused ------------------------------------------------------------------------------------------------


def test_missing_tensors_are_counted_and_named(checkpoint: Checkpoint) -> None:
    folder = checkpoint("bert")
    change_tensors(folder, lambda all_: {name: one for name, one in all_.items() if ".layer.1." not in name})
    with pytest.raises(InputError, match=r"16 tensors are missing, such as bert.encoder.layer.1"):
        load_backbone(folder, heads=HEADS)


def test_an_electra_that_calls_itself_bert_is_refused(checkpoint: Checkpoint) -> None:
    folder = checkpoint("electra", embedding_size=32)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
    with pytest.raises(InputError, match=r"37 tensors are missing.*another architecture"):
        load_backbone(folder, heads=HEADS)


def test_weights_of_another_size_are_refused(checkpoint: Checkpoint) -> None:
    folder = checkpoint("bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 128}))
    with pytest.raises(InputError, match=r"6 tensors have another size .*found \(64,\), expected \(128,\)"):
        load_backbone(folder, heads=HEADS)


def test_an_unfinished_classifier_is_refused_where_no_heads_are_asked_for(checkpoint: Checkpoint) -> None:
    with pytest.raises(InputError, match="say which heads"):
        load_backbone(checkpoint("electra"))


def test_a_checkpoint_without_its_vocabulary_is_refused(checkpoint: Checkpoint) -> None:
    folder = checkpoint("bert")
    (folder / "vocab.txt").unlink()
    with pytest.raises(InputError, match=r"tokenizer has 5 tokens|tokenizer cannot be loaded"):
        load_backbone(folder, heads=HEADS)


def test_a_vocabulary_larger_than_the_model_is_refused(checkpoint: Checkpoint) -> None:
    folder = checkpoint("ernie")
    (folder / "vocab.txt").write_text("\n".join([*VOCABULARY, "extra"]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"has {len(VOCABULARY) + 1} tokens, the model {len(VOCABULARY)}"):
        load_backbone(folder, heads=HEADS)


def test_a_vocabulary_of_another_language_is_refused(checkpoint: Checkpoint) -> None:
    folder = checkpoint("bert")
    words = [*VOCABULARY[:5], *(f"word{place}" for place in range(len(VOCABULARY) - 5))]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="100% of common Chinese text is unknown"):
        load_backbone(folder, heads=HEADS)


def test_a_folder_without_weights_or_settings_is_refused(checkpoint: Checkpoint) -> None:
    folder = checkpoint("bert")
    (folder / "config.json").unlink()
    with pytest.raises(InputError, match=r"config.json is missing"):
        load_backbone(folder, heads=HEADS)
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no weights here"):
        load_backbone(folder, heads=HEADS)


def test_code_in_a_checkpoint_is_not_run(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("bert")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    own = {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}
    (folder / "config.json").write_text(json.dumps(config | own))
    with pytest.raises(InputError, match="cannot be used"):
        load_backbone(folder, heads=HEADS)
    assert not (tmp_path / "touched").exists()


def test_without_the_extra_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"shouwang\[train\]"):
        load_backbone("macbert", heads=HEADS)


def test_a_misspelt_name_gets_the_closest_one() -> None:
    with pytest.raises(InputError, match="Did you mean 'electra'"):
        load_backbone("electro", heads=HEADS)
