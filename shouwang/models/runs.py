"""The folder of an encoder's run, as `shouwang train` and `shouwang export` leave it, as a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shouwang.errors import InputError, MissingExtraError
from shouwang.language import say
from shouwang.models.finetuned import Finetuned, Network
from shouwang.models.heads import Task, slices
from shouwang.models.model import Model

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SETTINGS, CONFIG, TOKENIZER, EPOCHS, DONE = (
    "settings.json",
    "config.json",
    "tokenizer.json",
    "metrics.jsonl",
    "done",
)
GRAPH = "model.onnx"
THRESHOLD = 0.5
MASKS = ("[MASK]", "<mask>")


def is_run(folder: Path) -> bool:
    """Whether a run was at least begun there."""
    return (folder / SETTINGS).is_file()


@dataclass(frozen=True, slots=True)
class Opened:
    """What a run's folder says of its encoder; `pad` and `mask` are token ids, `longest` is in tokens."""

    folder: Path
    settings: Mapping[str, Any]
    tokenizer: Tokenizer
    heads: dict[Task, int]
    longest: int
    pad: int
    mask: int


def opened(folder: Path) -> Opened:
    """A finished run without its weights. Raises InputError when it is not finished, damaged or of another version."""
    if not (folder / DONE).is_file():
        raise InputError(
            say(
                f"{folder}: not a finished run ({DONE} is missing); give its train command again: it goes on where it "
                "stopped",
                f"{folder}：训练没有完成（缺少 {DONE}）；请再运行训练命令，会从中断处继续",
            )
        )
    settings, config = (_json(folder / name) for name in (SETTINGS, CONFIG))
    try:
        heads: dict[Task, int] = dict(config["heads"])
        longest = int(settings["resolved"]["longest"])
        slices(heads)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise InputError(
            say(
                f"{folder}: a run of another version of shouwang ({error}); train it again with this version",
                f"{folder}：由另一版本的守望训练（{error}）；请用本版本重新训练",
            )
        ) from None
    tokenizer, pad = _tokenizer(folder), int(config.get("pad_token_id") or 0)
    mask = next((found for name in MASKS if (found := tokenizer.token_to_id(name)) is not None), pad)
    return Opened(folder, settings, tokenizer, heads, longest, pad, mask)


def load_run(folder: Path) -> Model:
    """The model of a finished run: run by onnxruntime where it was exported, else by torch.

    Raises InputError as `opened` does, and when the weights or the export cannot be used; MissingExtraError where it
    was not exported and torch is not installed.
    """
    run = opened(folder)
    network, precision = _network(run)
    finetuned = Finetuned(run.tokenizer, network, run.heads, run.longest)
    return Model(folder.resolve().name, _fingerprint(folder) + precision, finetuned, THRESHOLD)


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(_missing(path)) from None
    except (ValueError, TypeError) as error:
        raise InputError(_damaged(path, error)) from None


def _tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    if not path.is_file():
        raise InputError(_missing(path))
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises bare Exception
        raise InputError(_damaged(path, error)) from None


def _missing(path: Path) -> str:
    return say(
        f"{path.parent}: {path.name} is missing; copy the whole folder of the run",
        f"{path.parent}：缺少 {path.name}；请复制整个训练文件夹",
    )


def _damaged(path: Path, error: Exception) -> str:
    return say(f"{path}: cannot be read ({error}); copy the run again", f"{path}：无法读取（{error}）；请重新复制")


def _network(run: Opened) -> tuple[Network, str]:
    """What computes the logits, and how its precision is named; an export needs neither torch nor the weights."""
    graph = run.folder / GRAPH
    if graph.is_file():
        from shouwang.models.onnx_network import OnnxNetwork

        exported = OnnxNetwork(graph, run.pad, run.mask)
        return exported, "-int8" if exported.int8 else ""
    if not (find_spec("torch") and find_spec("transformers")):
        raise MissingExtraError(
            say(f"{run.folder} was not exported ({GRAPH} is missing) and", f"{run.folder} 没有导出（缺少 {GRAPH}）"),
            "train",
        )
    import torch

    from shouwang.models.hub import load_backbone
    from shouwang.models.torch_network import TorchNetwork

    model = load_backbone(run.folder).model
    device: Any = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return TorchNetwork(model.to(device), run.pad, run.mask), ""


def _fingerprint(folder: Path) -> str:
    """Of what was asked for and what happened in every epoch: two runs never share it."""
    content = b"".join((folder / name).read_bytes() for name in (SETTINGS, EPOCHS) if (folder / name).is_file())
    return hashlib.sha256(content).hexdigest()[:8]
