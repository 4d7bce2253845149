"""From text to the encoder's token ids: the backbone's character table, then Unigram pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BOS, PAD, EOS, UNK = 0, 1, 2, 3
LONGEST = 256
"""Tokens of a text at most, ends included: about 400 characters."""


def encode(
    tokenizer: Tokenizer, table: Mapping[int, str], texts: Sequence[str], longest: int = LONGEST
) -> list[NDArray[np.int64]]:
    """Ids with `<s>` and `</s>`; a longer text keeps its first two thirds and its last third."""
    batch = tokenizer.encode_batch_fast([normalised(text, table) for text in texts], add_special_tokens=False)
    return [_ended(encoding.ids, longest - 2) for encoding in batch]


def normalised(text: str, table: Mapping[int, str]) -> str:
    """The text after the backbone's character table, with single spaces."""
    return " ".join(text.translate(table).split())


def _ended(ids: list[int], room: int) -> NDArray[np.int64]:
    if len(ids) > room:
        tail = room // 3
        ids = ids[: room - tail] + ids[-tail:]
    return np.array([BOS, *ids, EOS], np.int64)
