"""Hashed character and word n-grams: numbers from text, with no vocabulary that could spell a post out."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np

BITS = 18
_SPACE = re.compile(r"\s+")
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def _mix(h: np.ndarray) -> np.ndarray:
    h = (h ^ (h >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(29))


def _runs(units: np.ndarray, longest: int, salt: int) -> list[np.ndarray]:
    """Hashes of every run of 1…longest neighbouring units."""
    out = []
    running = np.full(len(units), salt, np.uint64)
    for n in range(1, longest + 1):
        if len(units) < n:
            break
        running = _mix(running[: len(units) - n + 1] * _PRIME + units[n - 1 :])
        out.append(running)
    return out


def tidy(text: str) -> str:
    return _SPACE.sub(" ", text.strip().lower())


def buckets(
    text: str, cut: Callable[[str], Sequence[str]], char_longest: int = 4, word_longest: int = 2, bits: int = BITS
) -> tuple[np.ndarray, np.ndarray]:
    """Sorted distinct buckets of a post's n-grams, and the count in each."""
    text = tidy(text)
    points = np.frombuffer(f"^{text}$".encode("utf-32-le"), np.uint32).astype(np.uint64)
    words = [w for w in cut(text) if not w.isspace()]
    codes = np.array([zlib.crc32(w.encode()) for w in ["^", *words, "$"]], np.uint64)
    hashes = _runs(points, char_longest, 1) + _runs(codes, word_longest, 2)
    hashed = np.concatenate(hashes) >> np.uint64(64 - bits)
    return np.unique(hashed.astype(np.int64), return_counts=True)
