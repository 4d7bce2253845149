"""A run is a folder; `shouwang train` makes one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from shouwang.cli import application
from shouwang.errors import InputError
from shouwang.evaluate import evaluate, gold_from, read_predictions
from shouwang.files import write_line
from shouwang.models.heads import probabilities
from shouwang.models.hub import load_backbone
from shouwang.posts import LabelledPost
from shouwang.train.encoders import run
from shouwang.train.encoders.run import train
from shouwang.train.encoders.settings import Settings, settings_of
from tests.train.encoders.tiny import HIGH, LOW, save_checkpoint, splits

QUICK = Settings(epochs=2, rate=3e-3, batch=8, longest=32)


@pytest.fixture(scope="module")
def done(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> run.Run:
    return train(str(checkpoint), splits(), QUICK, tmp_path_factory.mktemp("runs") / "both")


def test_the_folder_holds_everything_and_no_checkpoint(done: run.Run) -> None:
    assert {path.name for path in done.folder.iterdir()} == {
        *("README.md", "README.zh.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("settings.json", "environment.json", "metrics.jsonl", "result.json", "done"),
        *("predictions-validation.jsonl", "predictions-test.jsonl"),
    }
    assert [epoch["epoch"] for epoch in done.epochs] == [1, 2]
    assert done.settings["settings"]["seed"] == 0
    assert done.settings["data"] | {"sha256": ""} == {
        **{"name": "invented", "sha256": "", "train": 40, "validation": 10, "test": 10},
        **{"leaked": [], "unlabelled": []},
    }


def test_predictions_are_what_evaluate_reads_and_the_result_says(done: run.Run) -> None:
    report = evaluate(gold_from("test", splits().test), read_predictions(done.folder / "predictions-test.jsonl"))
    for task in ("levels", "high"):
        assert report.tasks[task].metrics["weighted_f1"].value == pytest.approx(
            done.result["test"][task]["weighted_f1"]["value"], abs=1e-6
        )


def test_the_saved_model_gives_the_predictions(done: run.Run) -> None:
    found = load_backbone(done.folder)
    assert (found.fresh, found.heads, found.max_length) == ((), {"levels": 11, "high": 2}, 32)
    post = splits().test[3]
    with torch.inference_mode():
        logits = found.model(**found.tokenizer(post.text, return_tensors="pt")).logits
    row = json.loads((done.folder / "predictions-test.jsonl").read_text(encoding="utf-8").splitlines()[3])
    p = probabilities(logits.numpy(), {"levels": 11, "high": 2})
    assert row["id"] == post.id
    assert row["probabilities"] == pytest.approx(p["levels"][0].tolist(), abs=2e-6)
    assert row["p_high"] == pytest.approx(p["high"][0, 1], abs=2e-6)


def test_low_rank_updates_are_merged_into_what_is_saved(checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    done = train(str(checkpoint), splits(), replace(QUICK, lora=2, rate=3e-2), tmp_path / "lora")
    found = load_backbone(tmp_path / "lora")
    assert done.settings["resolved"]["parameters"] == sum(each.numel() for each in found.model.parameters())
    post = splits().test[0]
    with torch.inference_mode():
        logits = found.model(**found.tokenizer(post.text, return_tensors="pt")).logits
    row = json.loads((tmp_path / "lora" / "predictions-test.jsonl").read_text(encoding="utf-8").splitlines()[0])
    expected = probabilities(logits.numpy(), {"levels": 11, "high": 2})
    assert row["probabilities"] == pytest.approx(expected["levels"][0].tolist(), abs=1e-5)


@pytest.mark.parametrize("kind", ["ernie", "electra", "nezha"])
@pytest.mark.parametrize("lora", [None, 2])
def test_every_architecture_of_the_catalogue_is_trained_saved_and_read_back(
    kind: str, lora: int | None, tmp_path: Path
) -> None:
    if lora:
        pytest.importorskip("peft")
    source = save_checkpoint(tmp_path / kind, kind)
    settings = replace(QUICK, epochs=1, loss="coral", lora=lora)
    done = train(str(source), splits(), settings, tmp_path / "run")
    row = json.loads((done.folder / "predictions-test.jsonl").read_text(encoding="utf-8").splitlines()[0])
    found = load_backbone(done.folder)
    with torch.inference_mode():
        logits = found.model(**found.tokenizer(splits().test[0].text, return_tensors="pt")).logits
    expected = probabilities(logits.numpy(), {"levels": 10, "high": 2})
    assert found.model.config.model_type == kind
    assert row["probabilities"] == pytest.approx(expected["levels"][0].tolist(), abs=1e-5)


@pytest.mark.parametrize(("recipe", "precision"), [("fast", None), ("fast", "bf16"), ("paper", None)])
def test_both_recipes_run_and_coral_gives_eleven_levels(
    recipe: str, precision: str | None, checkpoint: Path, tmp_path: Path
) -> None:
    settings = settings_of(recipe, task="levels", loss="coral", epochs=1, longest=32, rate=1e-3, precision=precision)
    found = train(str(checkpoint), replace(splits(), test=[]), settings, tmp_path / "run")
    row = json.loads((found.folder / "predictions-validation.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert len(row["probabilities"]) == 11
    assert "p_high" not in row
    assert "test" not in found.result


def test_nothing_in_the_folder_quotes_a_post(done: run.Run) -> None:
    for path in done.folder.iterdir():
        if path.name not in ("model.safetensors", "tokenizer.json"):
            text = path.read_text(encoding="utf-8")
            assert not any(words in text for words in (*LOW, *HIGH)), path.name


def test_a_finished_run_is_read_and_another_is_not_written_over_it(done: run.Run, checkpoint: Path) -> None:
    before = (done.folder / "model.safetensors").stat().st_mtime_ns
    again = train(str(checkpoint), splits(), QUICK, done.folder)
    assert again.result == done.result
    assert (done.folder / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="holds a run with other settings"):
        train(str(checkpoint), splits(), replace(QUICK, seed=1), done.folder)
    with pytest.raises(InputError, match="holds a run with other data"):
        train(str(checkpoint), replace(splits(), test=[]), QUICK, done.folder)


def test_a_model_that_does_not_fit_on_the_device_is_named(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 390.00 MiB")

    monkeypatch.setattr("transformers.PreTrainedModel.to", full)
    with pytest.raises(InputError, match="does not fit into the memory of cpu"):
        train(str(checkpoint), splits(), QUICK, tmp_path / "run")
    assert not (tmp_path / "run" / "settings.json").exists()


def test_settings_that_were_damaged_by_hand_are_named(checkpoint: Path, tmp_path: Path) -> None:
    for damaged in ("{", "[1]"):
        (tmp_path / "settings.json").write_text(damaged, encoding="utf-8")
        with pytest.raises(InputError, match=r"settings\.json: cannot be read .* choose another --output"):
            train(str(checkpoint), splits(), QUICK, tmp_path)


def test_a_folder_of_something_else_is_not_written_over(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("of a project", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds no run, but README.md, which a run would write over"):
        train(str(checkpoint), splits(), QUICK, tmp_path)
    with pytest.raises(InputError, match=r"holds no run, but config.json, model.safetensors"):
        train(str(checkpoint), splits(), QUICK, checkpoint)


def test_two_processes_do_not_train_in_one_folder(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    asked = replace(QUICK, epochs=1)
    second: list[InputError] = []

    def meanwhile(*_: object) -> None:
        with pytest.raises(InputError, match="another run is training there just now") as caught:
            train(str(checkpoint), splits(), asked, folder)
        second.append(caught.value)

    train(str(checkpoint), splits(), asked, folder, finished=meanwhile)
    assert second
    assert not (folder / run.LOCK).exists()


def test_a_run_without_its_marker_is_finished_without_training_again(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"

    def cut(epochs: object) -> None:
        if len(list(tmp_path.rglob("checkpoint.safetensors"))) and len(epochs) == 2:  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(str(checkpoint), splits(), QUICK, folder, finished=cut)
    assert not (folder / "done").exists()
    steps: list[int] = []
    train(str(checkpoint), splits(), QUICK, folder, report=lambda *step: steps.append(int(step[0])))
    assert steps == []
    assert (folder / "done").exists()


def test_the_card_says_what_was_measured_in_both_languages(done: run.Run) -> None:
    value = done.result["test"]["levels"]["weighted_f1"]["value"]
    for name, words in (("README.md", "The test set chose nothing"), ("README.zh.md", "测试集不参与任何选择")):
        text = (done.folder / name).read_text(encoding="utf-8")
        assert f"{100 * value:.1f} [" in text
        assert words in text
        assert str(done.folder.parent) not in text


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run here"):
        run.read(tmp_path)


# --- the command ----------------------------------------------------------------------------------------------------


def write(path: Path, posts: list[LabelledPost]) -> str:
    with path.open("w", encoding="utf-8") as stream:
        for post in posts:
            write_line(stream, {"id": post.id, "text": post.text, "level": post.level, "high": int(bool(post.high))})
    return str(path)


def test_the_command_trains_on_files_and_prints_json(checkpoint: Path, tmp_path: Path) -> None:
    posts = splits()
    files = [write(tmp_path / f"{n}.jsonl", list(p)) for n, p in (("a", posts.train), ("b", posts.validation))]
    arguments = ["train", "--model", str(checkpoint), "--train", files[0], "--validation", files[1], "--task", "high"]
    options = ["--epochs", "1", "--max-length", "32", "--output", str(tmp_path / "run")]
    found = CliRunner().invoke(application(), [*arguments, *options, "--json"], catch_exceptions=False)
    assert found.exit_code == 0
    printed = json.loads(found.stdout)
    assert (printed["epochs"], printed["folder"]) == (1, str(tmp_path / "run"))
    assert printed["validation"].keys() == {"high"}
    shown = CliRunner().invoke(application(), [*arguments, *options], catch_exceptions=False)
    assert "weighted F1" in shown.stdout or "加权 F1" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "macbret"], "Did you mean 'macbert'"),
        (["--model", "macbert", "--recipe", "papr"], "Did you mean 'paper'"),
        (["--model", "macbert", "--train", "a.csv"], "need both --train and --validation"),
    ],
)
def test_the_command_refuses_with_a_fix(
    arguments: list[str], message: str, tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(real_data))
    command = ["train", "--output", str(tmp_path / "run"), "--drop-leaks", *arguments]
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(application(), command, catch_exceptions=False)
    assert not (tmp_path / "run").exists()
