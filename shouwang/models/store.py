"""A model as a folder: weights in safetensors, everything else in plain JSON. Nothing in it is executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from shouwang.errors import InputError
from shouwang.models.features import HashedFeatures
from shouwang.models.linear import HashedLinear
from shouwang.models.mixture import HEADS
from shouwang.models.model import Model

BUILTIN = Path(__file__).parent / "builtin"
WEIGHTS = "model.safetensors"
SETTINGS = "model.json"
FORMAT = 1


def load(folder: str | Path | None = None) -> Model:
    """The model in a folder; the built-in one when no folder is named.

    Raises InputError when the folder holds no model, or one of another format.
    """
    path = BUILTIN if folder is None else Path(folder)
    try:
        settings = json.loads((path / SETTINGS).read_text(encoding="utf-8"))
        tensors = load_file(path / WEIGHTS)
    except FileNotFoundError as error:
        missing = Path(error.filename or WEIGHTS).name
        raise InputError(f"{path}: no model here ({missing} is missing); name the folder that holds it") from None
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: the model cannot be read ({error}); copy or build it again") from None
    made_for = settings.get("format") if isinstance(settings, dict) else None
    if made_for != FORMAT or tuple(settings["heads"]) != HEADS or not _fit(settings, tensors):
        raise InputError(
            f"{path}: made for another version of shouwang (format {made_for}, not {FORMAT}, or other heads or cues); "
            "build it again with this version"
        )
    heads = HashedLinear(
        HashedFeatures(**settings["features"]),
        *(tensors[name].astype(np.float32) for name in ("idf", "weights", "bias")),
    )
    return Model(settings["name"], settings["version"], heads, settings["threshold"])


def _fit(settings: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> bool:
    """Whether the tensors have this version's columns and heads."""
    columns = HashedFeatures(**settings["features"]).columns
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    return shapes == {"idf": (columns,), "weights": (columns, len(HEADS)), "bias": (len(HEADS),)}


def save(model: Model, folder: Path, notes: dict[str, Any]) -> None:
    """Write a model; `notes` (data, metrics, command) go into the settings file. The settings come last."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = model.heads
    tensors: dict[str, NDArray[Any]] = {
        "idf": heads.idf.astype(np.float16),
        "weights": heads.weights.astype(np.float16),
        "bias": heads.bias.astype(np.float32),
    }
    (folder / WEIGHTS).write_bytes(to_bytes(tensors))  # save_file would make it readable by its owner only
    features = {name: getattr(heads.features, name) for name in HashedFeatures.__slots__}
    settings = {
        "format": FORMAT,
        "name": model.name,
        "version": model.version,
        "threshold": model.threshold,
        "heads": HEADS,
        "features": features,
        **notes,
    }
    (folder / SETTINGS).write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
