"""The one way from text to an encoder's input, for training, prediction and export alike; no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ints = NDArray[np.int64]


def token_ids(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[Ints]:
    """Ids of each text with the tokenizer's special tokens, its end cut off beyond `longest` tokens; unpadded."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    try:
        return [np.array(encoding.ids, np.int64) for encoding in tokenizer.encode_batch_fast(list(texts))]
    finally:
        tokenizer.no_truncation()  # it would be saved with the tokenizer


def padded(posts: Sequence[Ints], pad: int, to: int | None = None) -> tuple[Ints, Ints]:
    """Ids and attention mask (n, width): as wide as the longest post, or `to` wide."""
    width = to or max(len(post) for post in posts)
    ids = np.full((len(posts), width), pad, np.int64)
    mask = np.zeros((len(posts), width), np.int64)
    for row, post in enumerate(posts):
        ids[row, : len(post)] = post
        mask[row, : len(post)] = 1
    return ids, mask


def of_similar_length(lengths: Sequence[int], tokens: int = 512) -> list[Ints]:
    """Rows in batches of at most `tokens` padded tokens (one post where it is longer), shortest first."""
    batches: list[list[int]] = []
    for row in np.argsort(lengths, kind="stable"):
        fits = batches and (len(batches[-1]) + 1) * lengths[row] <= tokens  # the row is the longest so far
        if fits:
            batches[-1].append(int(row))
        else:
            batches.append([int(row)])
    return [np.array(batch) for batch in batches]
