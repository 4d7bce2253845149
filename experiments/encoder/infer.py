"""Reference inference of a built folder: numpy, onnxruntime, tokenizers, safetensors, rjieba. No torch.

Posts are read one at a time, so a score never depends on its batch-mates.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import rjieba
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from . import blend, cues, hashing, vocabulary


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class Ngrams:
    """Hashed linear members: all logits from one pass over a post's n-grams, cues and encoder features."""

    weights: np.ndarray  # float16 [buckets, 13]
    dense: np.ndarray  # [cues + features, 13]
    bias: np.ndarray  # [13]
    mean: np.ndarray
    spread: np.ndarray
    idf: np.ndarray  # [buckets]

    def __call__(self, text: str, bottom: np.ndarray) -> np.ndarray:
        """Logits [13]: eleven levels, then the log-odds of high and of relevance."""
        found, times = hashing.buckets(text, rjieba.cut)
        values = (1 + np.log(times)) * self.idf[found]
        norm = np.sqrt(values @ values) or 1.0
        sparse = (values / norm) @ self.weights[found].astype(np.float32)
        dense = (np.concatenate([cues.count(text), bottom]) - self.mean) / self.spread
        return sparse + dense @ self.dense + self.bias


class Model:
    """`assess` gives level probabilities and the probability of high for each text."""

    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._run = _session(folder / "encoder.onnx").run
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._table = {ord(k): v for k, v in self.config["normalise"].items()}
        arrays = load_file(folder / "ngrams.safetensors")
        self._ngrams = Ngrams(**arrays | {"idf": arrays["idf"].astype(np.float32)})
        e = self.config["exit"]
        self._outputs = [f"levels{e}", f"high{e}", "bottom"]
        level, high = self.config["level_blend"], self.config["high_blend"]  # empty while a blend is being fitted
        self._level = blend.LevelBlend(np.array(level["weights"]), np.array(level["bias"]))
        self._high = blend.HighBlend(np.array(high["weights"]), high["bias"])

    def members(self, text: str) -> tuple[list[np.ndarray], list[float]]:
        """Level distributions [11] of encoder and n-grams; probabilities: high by both, relevance by n-grams."""
        (ids,) = vocabulary.encode(self._tokenizer, self._table, [text], self.config["longest"])
        levels, high, bottom = self._run(self._outputs, {"ids": ids[None]})
        logits = self._ngrams(text, bottom[0])
        odds = 1 / (1 + np.exp(-logits[11:]))
        return [blend.softmax(levels[0]), blend.softmax(logits[:11])], [blend.softmax(high[0])[1], *odds]

    def assess(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Level probabilities [n, 11] and probability of high [n]."""
        both = [self.members(t) for t in texts]
        levels = [np.stack(m) for m in zip(*(b[0] for b in both), strict=True)]
        highs = [np.array(m) for m in zip(*(b[1] for b in both), strict=True)]
        return self._level(levels), self._high(blend.high_features(highs, levels))
