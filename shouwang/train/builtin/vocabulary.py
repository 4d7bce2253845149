"""Which of the backbone's 250,002 pieces Chinese posts need, and a tokenizer of those alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers

from shouwang.models.tokens import UNK, normalised
from shouwang.train.builtin.backbone import PREFIX, Backbone

SPECIALS = 4  # <s>, <pad>, </s>, <unk> stand first in the vocabulary

_CHINESE = re.compile(r"[㐀-鿿]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_SIGNS_OR_SHORT = re.compile(r"▁?[\W\d_]+|▁?[A-Za-z]{1,3}")


def build(backbone: Backbone, keep: NDArray[np.int64] | None = None) -> Tokenizer:
    """A fast tokenizer whose id i is the backbone's row keep[i] (all rows when None). Adds no specials."""
    ids = range(len(backbone.pieces)) if keep is None else keep
    vocab = [(backbone.pieces[i], float(backbone.scores[i])) for i in ids]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=UNK, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    return tokenizer


def seen_pieces(tokenizer: Tokenizer, table: dict[int, str], texts: Sequence[str]) -> set[int]:
    """Ids the unpruned tokenizer uses on `texts`."""
    seen: set[int] = set()
    for start in range(0, len(texts), 10_000):
        chunk = [PREFIX + normalised(text, table) for text in texts[start : start + 10_000]]
        for encoding in tokenizer.encode_batch_fast(chunk, add_special_tokens=False):
            seen.update(encoding.ids)
    return seen


def keep_pieces(backbone: Backbone, seen: Iterable[int]) -> NDArray[np.int64]:
    """Sorted ids to keep: specials, `seen` in public text, single characters, pieces with a Han character
    (none with kana or hangul), signs and digits, and Latin pieces of up to three letters."""
    keep = set(range(SPECIALS)) | set(seen)
    for i, piece in enumerate(backbone.pieces):
        single = len(piece.removeprefix("▁")) <= 1
        han = _CHINESE.search(piece) and not _KANA_OR_HANGUL.search(piece)
        if single or han or _SIGNS_OR_SHORT.fullmatch(piece):
            keep.add(i)
    return np.array(sorted(keep), np.int64)
