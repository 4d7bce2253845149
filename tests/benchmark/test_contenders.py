from __future__ import annotations

import json
from pathlib import Path

import pytest

from shouwang.benchmark.contenders import Encoder, changes_of, contender, contenders
from shouwang.benchmark.engines import run
from shouwang.benchmark.grid import cells, jobs, state
from shouwang.benchmark.results import RESULT, TRAINING, read
from shouwang.errors import InputError
from shouwang.models.catalog import ENCODERS
from tests.benchmark.invented import small_study

STUDY = small_study()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    from tests.train.encoders.tiny import save_checkpoint

    return save_checkpoint(tmp_path_factory.mktemp("encoders") / "tiny")


def test_a_baseline_is_what_its_settings_are() -> None:
    identity = contender("tfidf-svm").identity("high")
    assert identity["settings"]["estimator__linearsvc__C"] == 0.3  # type: ignore[index]
    assert identity["versions"].keys() >= {"shouwang", "scikit-learn"}  # type: ignore[attr-defined]
    assert json.loads(json.dumps(identity)) == identity
    assert "0x" not in json.dumps(contender("usem3-lr").identity("high"))


def test_an_encoder_of_the_catalogue_is_pinned_and_a_recipe_may_stand_behind_it() -> None:
    fast, paper = (contender(each) for each in ("macbert", "hfl/chinese-macbert-base:paper"))
    assert isinstance(fast, Encoder)
    assert isinstance(paper, Encoder)
    assert (fast.name, paper.name) == ("macbert", "macbert:paper")
    assert fast.revision == paper.revision == ENCODERS["macbert"].revision
    assert (fast.settings.rate, paper.settings.rate) == (None, 5e-6)
    assert fast.identity("levels") != fast.identity("high")


def test_another_encoder_of_the_hub_needs_its_commit() -> None:
    found = contender("someone/encoder@abc")
    assert isinstance(found, Encoder)
    assert (found.name, found.source, found.revision) == ("someone/encoder", "someone/encoder", "abc")
    with pytest.raises(InputError, match="someone/encoder@COMMIT"):
        contender("someone/encoder")


def test_a_folder_is_what_its_files_hold(checkpoint: Path) -> None:
    found = contender(str(checkpoint))
    assert found.name == "tiny"
    assert len(str(found.identity("high")["encoder"])) == 64


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("macbret", "No model 'macbret'. Did you mean 'macbert'?"),
        ("tfidf-lg", "No model 'tfidf-lg'. Did you mean 'tfidf-lr'?"),
        ("macbert:papr", "Did you mean 'macbert'?"),
        ("./nowhere", "no such folder"),
    ],
)
def test_an_unknown_model_is_met_with_the_closest_one(name: str, complaint: str) -> None:
    with pytest.raises(InputError) as error:
        contender(name)
    assert complaint in str(error.value)


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="two models would be called 'macbert'"):
        contenders(["macbert", "hfl/chinese-macbert-base"])


def test_settings_are_read_by_their_types() -> None:
    given = changes_of(["epochs=2", "rate=1e-4", "loss=soft", "buckets=false", "lora=8", "clip=0.5"])
    assert given == {"epochs": 2, "rate": 1e-4, "loss": "soft", "buckets": False, "lora": 8, "clip": 0.5}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("epoch=2", "No setting 'epoch'. Did you mean 'epochs'?"),
        ("epochs", "expected NAME=VALUE"),
        ("epochs=two", "'two' is not a number"),
        ("buckets=si", "No value of 'buckets' 'si'"),
        ("seed=1", "No setting 'seed'"),
    ],
)
def test_a_setting_that_is_none_is_refused(given: str, complaint: str) -> None:
    with pytest.raises(InputError) as error:
        changes_of([given])
    assert complaint in str(error.value)


def test_an_encoder_is_trained_on_other_posts_than_choose_its_epoch_and_than_it_answers(
    checkpoint: Path, tmp_path: Path
) -> None:
    models = contenders([str(checkpoint)], {"epochs": 2, "batch": 8, "device": "cpu"})
    (job, *_) = jobs(STUDY, cells(STUDY, ["high"], ["tiny"]), models, tmp_path)
    (done,) = run([job])
    assert (done.ran, done.problem) == (True, None)
    result = read(job.cell.folder(tmp_path))
    assert result.notes["train"] + result.notes["validation"] == 30
    assert result.notes["validation"] == 4
    assert (result.notes["epochs"], result.notes["leaked"]) == (2, [])
    assert len(result.answers) == 15
    kept = {path.name for path in (result.folder / TRAINING).iterdir()}
    assert kept == {"settings.json", "environment.json", "metrics.jsonl"}


def test_an_encoders_settings_are_part_of_its_cell(checkpoint: Path, tmp_path: Path) -> None:
    grid = cells(STUDY, ["high"], ["tiny"])[:1]
    first, second = ({"epochs": 1, "batch": 15, "device": "cpu"}, {"epochs": 1, "batch": 10, "device": "cpu"})
    for changes in (first, second):
        (job,) = jobs(STUDY, grid, contenders([str(checkpoint)], changes), tmp_path, keep_weights=True)
        assert not state(job).finished
        assert [each.ran for each in run([job])] == [True]
    found = json.loads((job.cell.folder(tmp_path) / RESULT).read_text(encoding="utf-8"))
    assert found["contender"]["settings"]["batch"] == 10
    assert (job.cell.folder(tmp_path) / TRAINING / "model.safetensors").is_file()
