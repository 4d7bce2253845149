"""The pruned tokenizer: Unigram over the kept pieces, Metaspace, the source's normalisation table first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from .backbone import SPECIALS, Backbone

BOS, PAD, EOS, UNK = 0, 1, 2, 3
PREFIX = "query: "


def build(backbone: Backbone, keep: np.ndarray | None = None) -> Tokenizer:
    """A fast tokenizer whose id i is the backbone's row keep[i] (all rows when None). Adds no specials."""
    ids = range(len(backbone.pieces)) if keep is None else keep
    vocab = [(backbone.pieces[i], float(backbone.scores[i])) for i in ids]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=UNK, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    return tokenizer


def normalise(text: str, table: dict[int, str]) -> str:
    """The source's character table, then single spaces."""
    return " ".join(text.translate(table).split())


def encode(tokenizer: Tokenizer, table: dict[int, str], texts: Sequence[str], longest: int) -> list[np.ndarray]:
    """Ids with `<s>` and `</s>`; a longer post keeps its first two thirds and its last third."""
    batch = tokenizer.encode_batch_fast([PREFIX + normalise(t, table) for t in texts], add_special_tokens=False)
    out = []
    for encoding in batch:
        ids = encoding.ids
        room = longest - 2
        if len(ids) > room:
            tail = room // 3
            ids = ids[: room - tail] + ids[-tail:]
        out.append(np.array([BOS, *ids, EOS], np.int64))
    return out


def seen_pieces(tokenizer: Tokenizer, table: dict[int, str], texts: Sequence[str]) -> set[int]:
    """Ids the unpruned tokenizer uses on `texts`."""
    seen: set[int] = set(range(SPECIALS))
    for start in range(0, len(texts), 10_000):
        chunk = [PREFIX + normalise(t, table) for t in texts[start : start + 10_000]]
        for encoding in tokenizer.encode_batch_fast(chunk, add_special_tokens=False):
            seen.update(encoding.ids)
    return seen
