"""A backbone of 21 pieces with random weights, the file that spells one out, and posts of those pieces."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from shouwang.train.builtin.backbone import BLOCK, Backbone
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Rating, Row
from shouwang.train.builtin.stacked import Shape

HIDDEN, LAYERS, ATTENTION_HEADS, WIDE, LONGEST = 64, 4, 4, 96, 256
SHAPE = Shape(layers=LAYERS, heads=ATTENTION_HEADS, dropout=0.0)
SINGLE = "天气真好茶累雨"
PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    ":",
    *SINGLE,
    "か",
    "天气",
    "好茶",
    "▁今天",
    "かな",
    "query",
    "▁12",
    "ing",
)
POSTS = [np.array([0, 6, 7, 14, 10, 9, 2]), np.array([0, 15, 2]), np.array([0, 11, 12, 9, 2])]
"""Ids as the encoder takes them, ends included."""

Packed = tuple[np.ndarray, np.ndarray]
"""Scales [blocks] and nibbles [blocks, 16]."""


def backbone() -> Backbone:
    random = np.random.default_rng(0)
    sizes = {"emb.pos": LONGEST * HIDDEN, "emb.type": HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for i in range(LAYERS):
        sizes |= {f"l{i}.{name}.w": HIDDEN * HIDDEN for name in ("q", "k", "v", "ao")}
        sizes |= {f"l{i}.{name}.b": HIDDEN for name in ("q", "k", "v", "ao", "aln", "oln", "fo")}
        sizes |= {f"l{i}.aln.w": HIDDEN, f"l{i}.oln.w": HIDDEN, f"l{i}.fi.b": WIDE}
        sizes |= {f"l{i}.fi.w": WIDE * HIDDEN, f"l{i}.fo.w": WIDE * HIDDEN}
    lengths = np.array([len(piece) for piece in PIECES], np.float32)
    return Backbone(
        *(HIDDEN, LAYERS, ATTENTION_HEADS, WIDE, 1e-12),
        pieces=PIECES,
        scores=-10 + lengths,  # a long piece is likelier than its characters
        rules={"，": " ", "Ａ": "A", "\u200b": ""},
        tensors={name: random.normal(0, 0.2, size).astype(np.float32) for name, size in sizes.items()},
        word_scales=random.uniform(0.01, 0.1, (len(PIECES), HIDDEN // BLOCK)).astype(np.float16),
        word_nibbles=random.integers(0, 256, (len(PIECES), HIDDEN // BLOCK, 16), np.uint8),
    )


def spelled(made: Backbone, packed: Mapping[str, Packed] | None = None) -> bytes:
    """The weights file of that backbone, byte by byte as `parse` reads it; the words, and what is `packed`, in 4 bits."""
    pieces = [piece.encode() for piece in made.pieces]
    head = bytes(8)
    head += struct.pack("<7i", made.hidden, made.layers, made.heads, made.feed_forward, len(pieces), LONGEST, 1)
    head += struct.pack("<f", made.epsilon) + struct.pack("<i", 0)
    head += struct.pack("<5iQ", len(pieces), 0, 1, 2, 3, sum(map(len, pieces)))
    head += np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes() + made.scores.astype("<f4").tobytes()
    head += b"".join(pieces)
    head += struct.pack("<iI", len(made.rules), sum(map(len, made.rules.values())))
    for character, string in made.rules.items():
        head += struct.pack("<IB", ord(character), len(string)) + np.array([*map(ord, string)], "<u4").tobytes()
    words = made.word_scales.reshape(-1), made.word_nibbles.reshape(-1, 16)
    small = {"emb.word": words} | dict(packed or {})
    whole = {name: value.astype("<f4").tobytes() for name, value in made.tensors.items() if name not in small}
    raw = whole | {name: _rows(*each) for name, each in small.items()}
    elements = {name: len(content) // 4 for name, content in whole.items()}
    elements |= {name: 2 * nibbles.size for name, (_, nibbles) in small.items()}
    entry = 2 + struct.calcsize("<BIQQ")
    at = len(head) + 4 + sum(entry + len(name.encode()) for name in raw)
    directory = struct.pack("<i", len(raw))
    for name, content in raw.items():
        directory += struct.pack("<H", len(name.encode())) + name.encode()
        directory += struct.pack("<BIQQ", int(name in small), elements[name], at, len(content))
        at += len(content)
    return head + directory + b"".join(raw.values())


def _rows(scales: np.ndarray, nibbles: np.ndarray) -> bytes:
    """18 bytes for each block of 32 weights: the scale, then the nibbles."""
    return np.concatenate([scales.astype("<f2")[:, None].view(np.uint8), nibbles], axis=1).tobytes()


# --- posts ----------------------------------------------------------------------------------------------------------


def rows(name: str, n: int, level: int = -1, words: str = "") -> list[Row]:
    """Posts of which no two are alike, each with `words` at its end."""
    start = sum(map(ord, name))
    texts = ["".join(SINGLE[(start // 7**k + i) % 7] for k in range(4)) + SINGLE[i % 7] * (i + 1) for i in range(n)]
    return [Row(f"{name}{i}", name[0] + text + words, level) for i, text in enumerate(texts)]


def pools() -> Pools:
    """Two posts a fold, of which the third fold's second stands in the test set, and a few of every other pool."""
    calm = {name: rows(name, 3) for name in ("virus", "usual", "invented", "talk", "ordinary")}
    held = {name: rows(name, 2) for name in ("held_virus", "held_invented", "new_usual", "new_unrelated")}
    return Pools(
        folds=[
            Row(f"{k}-{i}", SINGLE[k] + "天" + "气" * i + "不想活了", 5 * i, i, k)
            for k in range(1, 6)
            for i in range(2)
        ],
        test=rows("test", 2, 3),
        sos4k=rows("four", 4, 5, "想死"),
        graded=rows("graded", 2, 7, "想自杀"),
        intent=[Row("intent", "茶茶想死", note="自杀意图")],
        rated=[replace(row, rating=Rating(6, 7, 0.8)) for row in rows("rated", 3)],
        new_rated=[replace(row, rating=Rating(6, 4, 0.7)) for row in rows("new_rated", 2)],
        leaks=frozenset({"3-1"}),
        dropped={},
        **calm,
        **held,
    )
