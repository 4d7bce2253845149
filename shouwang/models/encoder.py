"""The small encoder: an ONNX graph that reads one text at a time, so that no text changes another's score."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shouwang.models.tokens import encode

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]


class TextEncoder:
    """Log-odds of every head and the frozen layers' pooled features, from an ONNX graph and its tokenizer.

    `table` maps code points to what the backbone was trained to see instead. `graph` and `pieces` (the tokenizer) are
    those files' bytes, which are first used when the first text is read.
    """

    def __init__(self, graph: bytes, pieces: bytes, table: dict[int, str]) -> None:
        self.graph, self.pieces, self.table = graph, pieces, table

    def __call__(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Log-odds (n, heads) and features (n, d) of n ≥ 1 texts; texts are spread over the processor's cores."""
        posts = encode(self._tokenizer, self.table, texts)
        outputs = [self._one(posts[0])] if len(posts) == 1 else list(self._workers.map(self._one, posts))
        heads, bottom = (np.concatenate(same) for same in zip(*outputs, strict=True))
        return heads, bottom

    def _one(self, ids: NDArray[np.int64]) -> list[Floats]:
        return list(self._session.run(["heads", "bottom"], {"ids": ids[None]}))

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return session(self.graph)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_buffer(self.pieces)

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


def session(graph: bytes | str) -> onnxruntime.InferenceSession:
    """An onnxruntime session of a graph's bytes or its path, on the CPU, one thread a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
