"""What runs/smoke.sh needs, made in a second: encoders of two layers with random weights, and invented posts in three
parts. Usage: python runs/tiny.py FOLDER"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from shouwang.models import nezha
from shouwang.models.hub import SAMPLE

EXAMPLES = Path(__file__).parents[1] / "examples" / "labelled.jsonl"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LAST = {"validation": 2, "test": 2}
"""Posts of each level; the others are for training."""


def main(folder: Path) -> None:
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    characters = {character for row in rows for character in row["text"]} | set("".join(SAMPLE))
    folder.mkdir(parents=True, exist_ok=True)
    write_posts(rows, folder)
    for kind in ("bert", "ernie", "electra", "nezha"):
        write_encoder(kind, [*SPECIALS, *sorted(characters - set(" \n"))], folder / f"tiny-{kind}")


def write_posts(rows: list[dict[str, object]], folder: Path) -> None:
    levels = sorted({str(row["level"]) for row in rows})
    parts: dict[str, list[dict[str, object]]] = {"data": [], **{part: [] for part in LAST}}
    for level in levels:
        left = [row for row in rows if str(row["level"]) == level]
        for part, count in LAST.items():
            parts[part] += [left.pop() for _ in range(count)]
        parts["data"] += left
    for part, chosen in parts.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
        (folder / f"{part}.jsonl").write_text(text, encoding="utf-8")


def write_encoder(kind: str, pieces: list[str], folder: Path) -> None:
    """A checkpoint as a hub holds it: settings, vocabulary, weights, no classifier."""
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(pieces),
        hidden_size=32,
        embedding_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        pad_token_id=0,
    )
    AutoModel.from_config(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")


if __name__ == "__main__":
    logging.disable_progress_bar()
    nezha.register()
    torch.manual_seed(0)
    main(Path(sys.argv[1]))
