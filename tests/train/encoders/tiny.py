"""A checkpoint of 32 dimensions and two layers, made in a tenth of a second, and invented posts for it."""

from __future__ import annotations

from pathlib import Path

import torch

from shouwang.models.hub import SAMPLE
from shouwang.posts import LabelledPost
from shouwang.train.encoders.splits import Splits

LOW = ("茶很好喝", "下雨带伞", "去爬山了", "吃热汤面", "逛书店呀")
HIGH = ("没有意思", "不想醒来", "痛苦想死", "安排后事", "再见世界")
NUMBERS = "零一二三四五六七八九"


def save_checkpoint(folder: Path, kind: str = "bert") -> Path:
    """An encoder with random weights as a hub would hold it: settings, vocabulary, weights, no classifier."""
    from transformers import AutoConfig, AutoModel

    from shouwang.models import nezha

    nezha.register()

    characters = sorted(set("".join((*SAMPLE, *LOW, *HIGH))) | set(NUMBERS))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
        embedding_size=32,
        pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        AutoModel.from_config(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return folder


def splits() -> Splits:
    """40 posts for training, 10 for validation, 10 for test: calm ones at levels 0-4, others at 6-10.

    All are shorter than the 8 characters from which nearly equal posts are leaks.
    """

    def posts(part: str, numbers: str) -> list[LabelledPost]:
        return [
            LabelledPost(f"{part}-{number}-{high}-{i}", number + text, i + 6 * high, bool(high))
            for number in numbers
            for high, texts in ((0, LOW), (1, HIGH))
            for i, text in enumerate(texts)
        ]

    return Splits("invented", posts("train", "零一二三"), posts("validation", "五"), posts("test", "七"))
