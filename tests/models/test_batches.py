from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing

from shouwang.models.batches import of_similar_length, padded, token_ids


def characters(text: str) -> Tokenizer:
    vocabulary = {piece: number for number, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *text])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = Split("", "isolated")
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def test_long_texts_lose_their_end_and_keep_their_special_tokens() -> None:
    found = token_ids(characters("今天喝茶"), ["今天喝茶", "茶", ""], longest=4)
    assert [each.tolist() for each in found] == [[2, 4, 5, 3], [2, 7, 3], [2, 3]]


def test_padding_is_as_wide_as_the_longest_or_as_told() -> None:
    posts = [np.array([2, 4, 3]), np.array([2, 3])]
    ids, mask = padded(posts, pad=9)
    assert ids.tolist() == [[2, 4, 3], [2, 3, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert padded(posts, pad=9, to=5)[0].shape == (2, 5)


def test_batches_hold_every_row_once_and_no_more_tokens_than_allowed() -> None:
    lengths = [5, 900, 3, 3, 4]
    batches = of_similar_length(lengths, tokens=10)
    assert [batch.tolist() for batch in batches] == [[2, 3], [4, 0], [1]]
    assert all(len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 10 for batch in batches)
