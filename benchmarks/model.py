"""Speed of the built-in model on one core, beside its own linear member and a BERT-base in onnxruntime, in one run.

    python benchmarks/model.py [--posts 250] [--rounds 3] [--model FOLDER] [--previous FOLDER]

Invented posts with the lengths of SOS-1K. Everything runs in this process on one core, a
post at a time, and in turn: a round of one, a round of the next, so that a busy machine slows all alike. BERT-base is 12
layers of 768 with random float32 weights, fed as many tokens as a post has characters, plus two, by onnxruntime's own
operators, without tokenising. `--previous` adds an earlier model's folder.
The last lines say how soon a new process has its first result, and its peak memory. Needs `pip install 'shouwang[train]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from assess import invented

import shouwang
from shouwang.models.blend import Blend
from shouwang.models.encoder import session
from shouwang.train.builtin import graph

LENGTHS = (2, 6, 8, 10, 13, 14, 17, 19, 22, 25, 30, 36, 41, 47, 57, 68, 82, 99, 117, 136, 142, 488)
SHARES = (*(i / 20 for i in range(20)), 0.99, 1.0)
"""Characters of SOS-1K's posts (mean 46), and the share of posts that are no longer."""

STARTS = 5
LAYERS, HIDDEN, WIDE, HEADS, WORDS, PLACES = 12, 768, 3072, 12, 21_128, 512


def posts(count: int) -> list[str]:
    """Invented posts whose lengths follow LENGTHS."""
    rng = random.Random(0)  # noqa: S311
    lengths = [round(float(np.interp((i + 0.5) / count, SHARES, LENGTHS))) for i in range(count)]
    rng.shuffle(lengths)
    text = "".join(invented(rng) for _ in range(30))
    return [text[start : start + n] for n in lengths for start in [rng.randrange(len(text) - n)]]


def bert_base() -> Callable[[str], object]:
    """A reader of one post, with the arithmetic of BERT-base and no meaning."""
    rng = np.random.default_rng(0)
    sizes = {"qkv.w": (HIDDEN, 3 * HIDDEN), "ao.w": (HIDDEN, HIDDEN), "fi.w": (HIDDEN, WIDE), "fo.w": (WIDE, HIDDEN)}
    sizes |= {"qkv.b": (3 * HIDDEN,), "fi.b": (WIDE,)}
    sizes |= dict.fromkeys(("ao.b", "aln.w", "aln.b", "fo.b", "oln.w", "oln.b"), (HIDDEN,))
    weights = {
        f"l{i}.{name}": rng.normal(0, 0.02, size).astype(np.float32)
        for i in range(LAYERS)
        for name, size in sizes.items()
    }
    weights |= {
        "word.nibbles": rng.integers(0, 256, (WORDS, HIDDEN // 32, 16), np.uint8),
        "word.scales": np.full((WORDS, HIDDEN // 32), 0.01, np.float16),
        "place": rng.normal(0, 0.02, (PLACES, HIDDEN)).astype(np.float32),
        "emb.ln.w": np.ones(HIDDEN, np.float32),
        "emb.ln.b": np.zeros(HIDDEN, np.float32),
        "heads.w": rng.normal(0, 0.02, (2 * HIDDEN, 11)).astype(np.float32),
        "heads.b": np.zeros(11, np.float32),
    }
    run = session(graph.build(weights, LAYERS, HEADS, 1e-12).SerializeToString()).run
    return lambda text: run(["heads"], {"ids": rng.integers(0, WORDS, (1, len(text) + 2))})


def timed(readers: dict[str, Callable[[str], object]], texts: list[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of every post, by reader, rounds in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for read in readers.values():
        read(texts[0])
    for _ in range(rounds):
        for name, read in readers.items():
            for text in texts:
                start = time.perf_counter()
                read(text)
                seconds[name].append(time.perf_counter() - start)
    return seconds


def first_result(model: list[str]) -> tuple[float, float]:
    """Median seconds until a new process has assessed one post, and the highest peak memory of all, MB."""
    line = json.dumps({"id": "1", "text": "今天的晚霞很好看"}, ensure_ascii=False)
    took = []
    for _ in range(STARTS):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "shouwang", "assess", *model, "--json", "-"],
            input=line.encode(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        took.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return statistics.median(took), peak / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", type=Path, help="a model folder; the built-in one if not given")
    parser.add_argument("--previous", type=Path, help="another model folder to compare with")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    took, peak = first_result(["--model", str(given.model.absolute())] if given.model else [])
    model = shouwang.load(given.model)
    readers: dict[str, Callable[[str], object]] = {f"{model.name} {model.version}": lambda text: model.assess([text])}
    if isinstance(model.heads, Blend):
        linear = model.heads.linear
        readers["its linear member, no assessment around it"] = lambda text: linear.logits([text])
    if given.previous:
        previous = shouwang.load(given.previous)
        readers[f"previous: {previous.name} {previous.version}"] = lambda text: previous.assess([text])
    readers["BERT-base in onnxruntime, float32"] = bert_base()
    seconds = timed(readers, posts(given.posts), given.rounds)
    own = sum(next(iter(seconds.values())))
    print(f"| one core, {given.posts} posts × {given.rounds} rounds | posts/s | p50 ms | p95 ms | times the first |")
    print(f"|---|{'---:|' * 4}")
    for name, each in seconds.items():
        p50, p95 = (1e3 * float(np.quantile(each, q)) for q in (0.5, 0.95))
        print(f"| {name} | {len(each) / sum(each):,.0f} | {p50:.1f} | {p95:.1f} | {own / sum(each):.2f} |")
    print(f"\nA new process has its first result after {took:.2f} s (median of {STARTS}); peak memory {peak:.0f} MB.")


if __name__ == "__main__":
    main()
