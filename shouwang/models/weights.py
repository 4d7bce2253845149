"""From the files of a checkpoint to safetensors, without ever running what a file says."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shouwang.errors import InputError, ShouwangError
from shouwang.language import say

if TYPE_CHECKING:
    from torch import Tensor

SAFE, PICKLED = "model*.safetensors", "pytorch_model*.bin"
SMALL = ("*.json", "*.txt", "*.model")
"""What a checkpoint holds beside its weights: settings and vocabularies, never code."""
WEIGHTS = "model.safetensors"


def cache_folder() -> Path:
    """Where converted weights are kept: the user's cache, beside the fetched data."""
    import platformdirs

    return platformdirs.user_cache_path("shouwang") / "models"


def as_safetensors(folder: Path, cache: Path | None = None) -> Path:
    """A folder that holds the checkpoint as safetensors: `folder` itself, or a copy in the cache, made once.

    The copy is named after the SHA-256 of all it was made from. Raises InputError when there are no weights, or when
    they cannot be read with torch's restricted unpickler; ShouwangError when the copy cannot be written.
    """
    if any(folder.glob(SAFE)):
        return folder
    pickles = sorted(folder.glob(PICKLED))
    if not pickles:
        raise InputError(
            say(
                f"{folder}: no weights here; expected {WEIGHTS} or pytorch_model.bin beside config.json; a checkpoint for "
                "TensorFlow or Flax must be converted first",
                f"{folder}：没有权重；config.json 旁应有 {WEIGHTS} 或 pytorch_model.bin；TensorFlow 或 Flax 的检查点须先转换",
            )
        )
    small = sorted(path for pattern in SMALL for path in folder.glob(pattern) if ".index." not in path.name)
    target = (cache or cache_folder()) / _digest([*pickles, *small])
    if not (target / WEIGHTS).is_file():
        _convert(pickles, small, target)
    return target


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a pytorch_model.bin by name; InputError when it holds anything else, and nothing in it is run."""
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of any kind: a damaged file fails wherever it happens to be cut
        raise InputError(
            say(
                f"{path}: cannot be read with the restricted unpickler ({type(error).__name__}): it is damaged, or holds "
                "more than tensors. Full unpickling could run code and is never done here: fetch the file again, or "
                "find the checkpoint as safetensors",
                f"{path}：受限的反序列化读不出（{type(error).__name__}）：文件损坏，或不只含张量。完整的反序列化可能执行代码，"
                "这里从不使用：请重新获取，或另找 safetensors 格式",
            )
        ) from None
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise InputError(
            say(
                f"{path}: expected tensors by name, found something else; save the model's state_dict alone",
                f"{path}：应是按名字存放的张量，却是别的内容；请只保存模型的 state_dict",
            )
        )
    return state


def _convert(pickles: list[Path], small: list[Path], target: Path) -> None:
    """Write `target`; the weights come last, under another name until they are whole."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    # a tensor may share its memory with another (tied embeddings), which safetensors does not store
    tensors = {name: tensor.clone().contiguous() for path in pickles for name, tensor in read_pickled(path).items()}
    partial = target / f"{WEIGHTS}.{os.getpid()}.partial"
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in small:
            shutil.copyfile(path, target / path.name)
        save_file(tensors, partial, metadata={"format": "pt"})
        partial.replace(target / WEIGHTS)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            partial.unlink()
        raise ShouwangError(
            say(
                f"{target}: the converted weights cannot be written ({error}); free some space or name another cache "
                "folder with XDG_CACHE_HOME",
                f"{target}：无法写入转换后的权重（{error}）；请腾出空间，或用 XDG_CACHE_HOME 另指缓存文件夹",
            )
        ) from None


def _digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            total.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()[:32]
