"""A model as a folder: weights in safetensors and ONNX, everything else in plain JSON. Nothing in it is executed.

The folder of an encoder's run is one too: see `shouwang.models.runs`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_in
from safetensors.numpy import save as to_bytes

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.models.blend import Blend
from shouwang.models.encoder import TextEncoder
from shouwang.models.features import HashedFeatures
from shouwang.models.finetuned import Finetuned
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import HEADS, Mixture
from shouwang.models.model import Model
from shouwang.models.operating import Operating
from shouwang.models.runs import is_run, load_run
from shouwang.models.sets import Sets

BUILTIN = Path(__file__).parent / "builtin"
SETTINGS = "model.json"
WEIGHTS = "model.safetensors"
ENCODER = "encoder.onnx"
TOKENIZER = "tokenizer.json"
FORMAT = 2

Settings = Mapping[str, Any]
Tensors = dict[str, NDArray[Any]]


def load(folder: str | Path | None = None) -> Model:
    """The model in a folder, at its default operating point; the built-in one when no folder is named.

    Raises InputError when the folder holds no model, a damaged one, or one of another format.
    """
    path = BUILTIN if folder is None else Path(folder)
    if not (path / SETTINGS).is_file() and is_run(path):
        return load_run(path)
    try:
        settings = json.loads((path / SETTINGS).read_text(encoding="utf-8"))
        made_for = settings.get("format") if isinstance(settings, dict) else None
        if made_for == FORMAT and tuple(settings["heads"]) == HEADS:
            files = {name: _undamaged(path / name, sha256) for name, sha256 in settings["files"].items()}
            tensors = tensors_in(files[WEIGHTS])
            if tensors["weights"].shape == (HashedFeatures(**settings["features"]).columns, len(HEADS)):
                return _model(settings, tensors, files)
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = Path(error.filename).name
        raise InputError(
            f"{path}: "
            + say(
                f"no model here ({missing} is missing); name the folder that holds it",
                f"这里没有模型（缺 {missing}）；请写明模型所在的文件夹",
            )
        ) from None
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: "
            + say(
                f"the model cannot be read ({error}); copy or build it again",
                f"模型无法读取（{error}）；请重新复制或构建",
            )
        ) from None
    raise InputError(
        f"{path}: "
        + say(
            f"made for another version of shouwang (format {made_for}, not {FORMAT}, or other heads or cues); "
            "build it again with this version",
            f"是为另一版本的 shouwang 制作的（格式 {made_for}，不是 {FORMAT}，或输出头、线索词不同）；请用本版本重新构建",
        )
    )


def save(model: Model, folder: Path, notes: Settings) -> None:
    """Write a model; `notes` (data, metrics, command) go into the settings file, which comes last.

    The same model gives the same bytes. Weights of the hashed features are rounded to float16.
    Raises InputError for a fine-tuned encoder.
    """
    heads = model.heads
    if isinstance(heads, Finetuned):
        raise InputError(f"{model.name} is a fine-tuned encoder, whose folder is its run's; copy that")
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(heads)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    settings = _settings(model, heads, files) | dict(notes) | _blend_settings(heads)
    (folder / SETTINGS).write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


# --- reading --------------------------------------------------------------------------------------------------------


def _undamaged(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path.name} is not the file that was saved with it")
    return content


def _model(settings: Settings, tensors: Tensors, files: Mapping[str, bytes]) -> Model:
    model = Model(
        settings["name"],
        settings["version"],
        _heads(settings, tensors, files),
        settings["threshold"],
        operating=Operating.from_json(settings["operating"]) if "operating" in settings else None,
        sets=Sets.from_json(settings["sets"]) if "sets" in settings else None,
    )
    return model.at(model.operating.default) if model.operating else model


def _heads(settings: Settings, tensors: Tensors, files: Mapping[str, bytes]) -> HashedLinear | Blend:
    linear = HashedLinear(
        HashedFeatures(**settings["features"]),
        *(tensors[name].astype(np.float32) for name in ("idf", "weights", "bias")),
    )
    if ENCODER not in files:
        return linear
    table = {ord(character): string for character, string in settings["normalise"].items()}
    mixture: dict[str, Any] = {name: np.array(value, np.float64)[()] for name, value in settings["mixture"].items()}
    encoder = TextEncoder(files[ENCODER], files[TOKENIZER], table)
    return Blend(linear, tensors["dense"], encoder, Mixture(**mixture))


# --- writing --------------------------------------------------------------------------------------------------------


def _files(heads: HashedLinear | Blend) -> dict[str, bytes]:
    """By name, what stands beside the settings."""
    linear = heads.linear if isinstance(heads, Blend) else heads
    tensors: Tensors = {
        "idf": linear.idf.astype(np.float16),
        "weights": linear.weights.astype(np.float16),
        "bias": linear.bias.astype(np.float32),
    }
    if not isinstance(heads, Blend):
        return {WEIGHTS: to_bytes(tensors)}
    tensors["dense"] = heads.dense.astype(np.float32)
    return {WEIGHTS: to_bytes(tensors), ENCODER: heads.encoder.graph, TOKENIZER: heads.encoder.pieces}


def _settings(model: Model, heads: HashedLinear | Blend, files: Mapping[str, bytes]) -> dict[str, Any]:
    if model.operating:
        model = model.at(model.operating.default)
    linear = heads.linear if isinstance(heads, Blend) else heads
    settings: dict[str, Any] = {
        "format": FORMAT,
        "name": model.name,
        "version": model.version,
        "threshold": model.threshold,
        "heads": HEADS,
        "features": {name: getattr(linear.features, name) for name in HashedFeatures.__slots__},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    if model.sets:
        settings["sets"] = model.sets.to_json()
    if model.operating:
        settings["operating"] = model.operating.to_json()
    return settings


def _blend_settings(heads: HashedLinear | Blend) -> dict[str, Any]:
    """What only a blend has; the long table stands at the end of the file."""
    if not isinstance(heads, Blend):
        return {}
    return {
        "mixture": {name: np.asarray(value).tolist() for name, value in asdict(heads.mixture).items()},
        "normalise": {chr(code): string for code, string in heads.encoder.table.items()},
    }
