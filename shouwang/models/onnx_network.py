"""A fine-tuned encoder run by onnxruntime, without torch; evidence by occlusion."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shouwang.errors import InputError
from shouwang.models.batches import Ints, of_similar_length, padded
from shouwang.models.encoder import session
from shouwang.models.finetuned import Floats, Score

INPUTS, OUTPUT = ("input_ids", "attention_mask"), "logits"
NOTES, FORMAT = "shouwang", 1
"""Where in the graph's metadata its notes stand, as JSON, and the format of export that this version reads."""


class OnnxNetwork:
    """A graph from `shouwang export`; `pad` and `mask` are token ids, `notes` what the export wrote down about itself.

    Raises InputError when the file is damaged, or no export of this version.
    """

    def __init__(self, path: Path, pad: int, mask: int) -> None:
        try:
            self._session = session(str(path))
        except Exception as error:  # onnxruntime's exceptions have no common class of their own
            raise InputError(f"{path}: cannot be read ({type(error).__name__}); export the run again") from None
        self.notes = _notes(path, self._session.get_modelmeta().custom_metadata_map)
        self.pad, self.mask = pad, mask
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._workers = ThreadPoolExecutor(cores)

    @property
    def int8(self) -> bool:
        return bool(self.notes["precision"] == "int8")

    def __call__(self, posts: Sequence[Ints]) -> NDArray[np.float32]:
        """As `Network`. Posts of similar length share a batch; in int8, whose scales are of a whole batch, none does."""
        alone = [np.array([row]) for row in range(len(posts))]
        rows = alone if self.int8 else of_similar_length([len(ids) for ids in posts])
        batches = [padded([posts[row] for row in batch], self.pad) for batch in rows]
        logits = np.concatenate(list(self._workers.map(self._run, batches)))
        return np.asarray(logits[np.argsort(np.concatenate(rows))])

    def contributions(self, ids: Ints, pieces: Ints, score: Score) -> Floats:
        """As `Network`, by occlusion: what the score loses when a piece is masked, split evenly over its tokens."""
        numbers, counts = np.unique(pieces[pieces >= 0], return_counts=True)
        without = [np.where(pieces == number, self.mask, ids) for number in numbers]
        scores = score(self([ids, *without]).astype(np.float64))
        each = (scores[0] - scores[1:]) / counts[:, None]
        found = np.zeros((scores.shape[1], len(ids)))
        for number, share in zip(numbers, each, strict=True):
            found[:, pieces == number] = share[:, None]
        return found

    def _run(self, batch: tuple[Ints, Ints]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._session.run([OUTPUT], dict(zip(INPUTS, batch, strict=True)))[0]
        return logits


def _notes(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    notes = json.loads(metadata.get(NOTES, "{}"))
    if notes.get("format") != FORMAT:
        raise InputError(
            f"{path}: not an export of this version (format {notes.get('format')}, not {FORMAT}); export the run again"
        )
    return dict(notes)
