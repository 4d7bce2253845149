"""What a run needs to go on after its last finished epoch, in one file that is whole or is not there.

No generator's state is in it: every epoch draws its order and its dropout from the seed and its own number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer

from shouwang.errors import InputError
from shouwang.language import say

Epochs = list[dict[str, Any]]
CHECKPOINT, BEST = "checkpoint.safetensors", "best-{}.safetensors"
_EPOCHS, _GROUPS = "epochs", "optimizer"


def save(folder: Path, model: Module, optimizer: Optimizer, epochs: Epochs, *, best: int) -> None:
    """Write the state after the last of `epochs`, and where that is the `best` one (its number) its weights as well.

    Raises InputError when there is no room; then the files of the epoch before are as they were.
    """
    weights = trained(model)
    if best == len(epochs):
        _write(folder / BEST.format(best), weights, {})
    state = optimizer.state_dict()
    moments = {f"optimizer.{i}.{name}": value for i, each in state["state"].items() for name, value in each.items()}
    tensors = {f"model.{name}": value for name, value in weights.items()} | moments
    notes = {_EPOCHS: json.dumps(epochs), _GROUPS: json.dumps(state["param_groups"])}
    _write(folder / CHECKPOINT, tensors, notes)
    for path in folder.glob(BEST.format("*")):
        if path.name != BEST.format(best):
            path.unlink()


def resume(folder: Path, model: Module, optimizer: Optimizer) -> Epochs:
    """Put the model and the optimizer where the last finished epoch left them; the epochs so far, [] at the start.

    Raises InputError when the checkpoint is of another model.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return []
    with safe_open(path, framework="pt") as file:
        notes = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    put(model, {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}, path)
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".")
            state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": json.loads(notes[_GROUPS])})
    epochs: Epochs = json.loads(notes[_EPOCHS])
    return epochs


def put_best(folder: Path, model: Module, best: int) -> None:
    """Put the weights of epoch `best` into the model. Raises InputError when they are of another model."""
    path = folder / BEST.format(best)
    with safe_open(path, framework="pt") as file:
        put(model, {name: file.get_tensor(name) for name in file.keys()}, path)  # noqa: SIM118


def clear(folder: Path) -> None:
    """Remove what only an unfinished run needs: about four times its weights."""
    for path in (folder / CHECKPOINT, *folder.glob(BEST.format("*"))):
        path.unlink(missing_ok=True)


def trained(model: Module) -> dict[str, Tensor]:
    """The weights that training changes, by name."""
    return {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}


def put(model: Module, weights: dict[str, Tensor], source: Path) -> None:
    """Copy `weights` into the model's trained ones. Raises InputError unless names and shapes are the same."""
    own = trained(model)
    if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in weights.items()}:
        raise InputError(
            say(
                f"{source}: a checkpoint of another model or size; choose another --output, or delete it",
                f"{source}：检查点属于另一个模型或另一种大小；请换一个 --output，或删去它",
            )
        )
    for name, weight in own.items():
        weight.copy_(weights[name])


def _write(path: Path, tensors: dict[str, Tensor], notes: dict[str, str]) -> None:
    partial = path.with_suffix(".partial")
    with room_for(path):
        try:
            save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, partial, notes)
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """A write that fails becomes an InputError that says where and what is safe."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise InputError(
            say(
                f"{path}: cannot be written ({error}); the last finished epoch is kept. "
                "Make room, then give the same command again: it goes on from there",
                f"{path}：无法写入（{error}）；最后完成的一轮已保存。请腾出空间，再运行同一命令，即从那里继续",
            )
        ) from None
