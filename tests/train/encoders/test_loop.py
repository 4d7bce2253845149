"""The loop on a tiny encoder: what a step learns, when it stops, and what survives an accident."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shouwang.errors import InputError
from shouwang.train.encoders import checkpoint as checkpoints
from shouwang.train.encoders import loop
from shouwang.train.encoders.data import Encoded, encoded
from shouwang.train.encoders.encoder import Encoder, open_encoder, save_encoder
from shouwang.train.encoders.settings import Settings, rate_for
from tests.train.encoders.tiny import splits

QUICK = Settings(epochs=3, rate=3e-3, batch=8, longest=32, precision="fp32")


def read(encoder: Encoder, settings: Settings) -> tuple[Encoded, Encoded]:
    posts = splits()
    train, validation = (
        encoded(encoder.tokenizer, each, settings.tasks, settings.longest) for each in (posts.train, posts.validation)
    )
    return train, validation


def fitted(source: Path, settings: Settings, folder: Path) -> tuple[Encoder, checkpoints.Epochs]:
    encoder = open_encoder(str(source), settings)
    return encoder, loop.fit(encoder, *read(encoder, settings), settings, folder)


def weights(encoder: Encoder) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in checkpoints.trained(encoder.model).items()}


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_it_learns_both_tasks_and_repeats_itself(checkpoint: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, epochs=12, rate=1e-2, patience=12)
    (tmp_path / "again").mkdir()
    encoder, epochs = fitted(checkpoint, settings, tmp_path)
    again, _ = fitted(checkpoint, settings, tmp_path / "again")
    assert epochs[-1]["loss"] < 0.5 * epochs[0]["loss"]
    assert max(epoch["weighted_f1"] for epoch in epochs) > 0.6
    assert epochs[-1]["validation"].keys() == {"levels", "high"}
    assert same(weights(encoder), weights(again))


def test_two_small_passes_are_one_large_step(checkpoint: Path) -> None:
    settings = replace(QUICK, class_weights="balanced", clip=None)
    rows = np.array([0, 3, 8, 21, 22, 23, 30])
    gradients = []
    for group in ([rows], [rows[:3], rows[3:]]):
        encoder = open_encoder(str(checkpoint), settings)  # in evaluation mode: no dropout
        optimizer = torch.optim.SGD(encoder.model.parameters())
        loss = loop.Lesson(encoder, read(encoder, settings)[0], settings, optimizer).step(group, rate=0.1)
        gradients.append([loss, *(p.grad for p in encoder.model.parameters() if p.grad is not None)])
    assert len(gradients[0]) > 30
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("buckets", [True, False])
def test_a_batch_is_learnt_from_in_parts_that_memory_holds(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, buckets: bool
) -> None:
    settings = replace(QUICK, clip=None, buckets=buckets)
    rows, widths, gradients = np.arange(8), [], []
    for tokens in (10_000, 12):
        monkeypatch.setattr(loop, "PASS_TOKENS", {"cpu": tokens})
        encoder = open_encoder(str(checkpoint), settings)  # in evaluation mode: no dropout
        lesson = loop.Lesson(encoder, read(encoder, settings)[0], settings, torch.optim.SGD(encoder.model.parameters()))
        widths.append([len(part) for part in lesson.passes(rows)])
        lesson.step([rows], rate=0.1)
        gradients.append([p.grad for p in encoder.model.parameters() if p.grad is not None])
    assert widths[0] == [8]
    assert sum(widths[1]) == 8
    assert max(widths[1]) == 1  # every post is of 7 tokens
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_a_narrow_encoder_takes_larger_steps_unless_a_rate_is_given(checkpoint: Path) -> None:
    assert (rate_for(512), rate_for(768), rate_for(1024)) == (1e-4, 3e-5, 3e-5)
    assert open_encoder(str(checkpoint), Settings(device="cpu")).rate == 1e-4
    assert open_encoder(str(checkpoint), Settings(device="cpu", rate=2e-4)).rate == 2e-4


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    settings = Settings(warm_up=0.2)
    assert [loop.rate_at(step, 10, 0.5, settings) for step in (0, 1, 2, 6, 10)] == [0.25, 0.5, 0.5, 0.25, 0.0]
    assert loop.rate_at(9, 10, 0.5, Settings(warm_up=0, schedule="constant")) == 0.5


def test_it_stops_after_patience_and_keeps_the_first_of_equals() -> None:
    epochs = [{"weighted_f1": score} for score in (0.2, 0.5, 0.5, 0.4)]
    assert loop.best_epoch(epochs) == 2
    assert loop.stopped(epochs, patience=2)
    assert not loop.stopped(epochs, patience=3)
    assert not loop.stopped([], patience=1)


def test_the_weights_at_the_end_are_those_of_the_best_epoch(checkpoint: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, epochs=12, rate=3e-2, schedule="constant")
    encoder, epochs = fitted(checkpoint, settings, tmp_path)
    assert loop.best_epoch(epochs) < len(epochs)
    _, validation = read(encoder, settings)
    scores = loop._scores(encoder, validation, settings)
    assert scores == epochs[loop.best_epoch(epochs) - 1]["validation"]


def test_only_the_best_epoch_is_kept_beside_the_last(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / checkpoints.BEST.format(9)).write_bytes(b"of an epoch that was cut off before it was finished")
    _, epochs = fitted(checkpoint, QUICK, tmp_path)
    best = checkpoints.BEST.format(loop.best_epoch(epochs))
    assert {path.name for path in tmp_path.iterdir()} == {checkpoints.CHECKPOINT, best}


def test_coral_keeps_its_shared_weights_through_training(checkpoint: Path, tmp_path: Path) -> None:
    encoder, _ = fitted(checkpoint, replace(QUICK, loss="coral", epochs=1), tmp_path)
    head: Any = encoder.backbone.model.classifier
    assert head.out_features == 12
    assert (head.weight[:10] == head.weight[0]).all()
    assert not torch.equal(head.weight[10], head.weight[0])
    assert head.bias[:10].unique().numel() == 9  # no post is at level 5, so two thresholds learn the same


def test_lora_trains_little_and_leaves_the_backbone(checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    encoder, _ = fitted(checkpoint, replace(QUICK, lora=2, epochs=1), tmp_path)
    names = checkpoints.trained(encoder.model)
    assert any("classifier" in name for name in names)
    assert all("lora_" in name or "modules_to_save" in name for name in names)
    assert (tmp_path / checkpoints.BEST.format(1)).stat().st_size < (checkpoint / "model.safetensors").stat().st_size


# --- accidents ------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
import torch
from tests.train.encoders.test_loop import QUICK, open_encoder, loop, read
torch.set_num_threads(1)
encoder = open_encoder(sys.argv[1], QUICK)
def report(done, steps, loss):
    if done == 8:  # in the middle of the second of three epochs of five steps
        os.kill(os.getpid(), signal.SIGKILL)
loop.fit(encoder, *read(encoder, QUICK), QUICK, Path(sys.argv[2]), report)
"""


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole, expected = fitted(checkpoint, QUICK, tmp_path / "whole")
    done = subprocess.run([sys.executable, "-c", KILLED, checkpoint, tmp_path / "killed"], timeout=120)
    assert done.returncode == -signal.SIGKILL
    steps: list[int] = []
    encoder = open_encoder(str(checkpoint), QUICK)
    epochs = loop.fit(
        encoder, *read(encoder, QUICK), QUICK, tmp_path / "killed", lambda done, steps_, loss: steps.append(done)
    )
    assert steps[0] == 6  # the first epoch is not run again
    assert [(each["loss"], each["validation"]) for each in epochs] == [
        (each["loss"], each["validation"]) for each in expected
    ]
    assert same(weights(encoder), weights(whole))


def test_a_full_disk_leaves_the_last_good_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    settings = replace(QUICK, epochs=1)
    encoder, epochs = fitted(checkpoint, settings, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written.*the last finished epoch is kept"):
            checkpoints.save(tmp_path, encoder.model, torch.optim.AdamW(encoder.model.parameters()), epochs, best=1)
        with pytest.raises(InputError, match=r"cannot be written"):
            save_encoder(encoder, tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_out_of_memory_is_named_with_a_batch_to_try(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_logits", lambda *_: torch.empty(1 << 55))  # what torch says of it is its own
    with pytest.raises(InputError, match="out of memory with 8 posts at a time; try --batch 4 --accumulate 2"):
        fitted(checkpoint, QUICK, tmp_path)


def test_other_errors_are_not_taken_for_memory(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_logits", lambda *_: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        fitted(checkpoint, QUICK, tmp_path)


def test_a_rate_that_explodes_is_named(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_logits", lambda *_: torch.full((8, 13), torch.nan, requires_grad=True))
    with pytest.raises(InputError, match=r"epoch 1: the loss is nan; try a --rate below 0\.003"):
        fitted(checkpoint, QUICK, tmp_path)


def test_a_checkpoint_of_another_size_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    fitted(checkpoint, replace(QUICK, epochs=1), tmp_path)
    with pytest.raises(InputError, match="a checkpoint of another model or size"):
        fitted(checkpoint, replace(QUICK, epochs=2, task="high"), tmp_path)
