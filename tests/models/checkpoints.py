"""Tiny checkpoints of the true architectures, written as they are published: config, vocab.txt, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    BertConfig,
    ElectraConfig,
    ErnieConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from shouwang.models import nezha
from shouwang.models.hub import SAMPLE

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*SPECIALS, *sorted({character for text in SAMPLE for character in text})]
SMALL: dict[str, Any] = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
CONFIGS: dict[str, type[PreTrainedConfig]] = {
    "bert": BertConfig,
    "ernie": ErnieConfig,
    "electra": ElectraConfig,
    "nezha": nezha.NezhaConfig,
}


def build(architecture: str, **changes: Any) -> PreTrainedModel:
    """A model as its authors save it: with its pre-training heads; NeZha without."""
    nezha.register()
    settings = SMALL | ({"embedding_size": 16} if architecture == "electra" else {}) | changes
    config = CONFIGS[architecture](**settings)
    auto = {"nezha": AutoModel, "electra": AutoModelForPreTraining}.get(architecture, AutoModelForMaskedLM)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model: PreTrainedModel = auto.from_config(config)
    return model


def save(folder: Path, architecture: str, *, pickled: bool = False, **changes: Any) -> Path:
    """Write a checkpoint; `pickled` as pytorch_model.bin in the format of 2019."""
    model = build(architecture, **changes)
    folder.mkdir(parents=True, exist_ok=True)
    if pickled:
        model.config.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    else:
        model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return folder
