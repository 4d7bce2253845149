"""Speed and memory of fine-tuned encoders on one core beside the published scripts' pattern, as Markdown tables.

    python benchmarks/encoders.py [--posts 64] [--published 16] [--rounds 2] [--layers 12]

A BERT-base with random weights, made here: nothing is downloaded, and no figure says how good its answers are. Posts are
invented, with the lengths of SOS-1K. The published pattern pads every post to 150 tokens, 16 to a batch, in fp32, with
AdamW, and is timed on `--published` of the posts only: it takes as long for each. Contenders take turns, so that a busy
machine slows all alike; every figure is the median of the rounds. FLOPs are those that the posts need without padding,
training three times as many as reading. Peak memory is that of a process of its own that takes two steps on the 16
longest posts. Needs `pip install 'shouwang[train]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from model import posts as invented_posts
from transformers import BertConfig, BertForMaskedLM
from transformers.utils.logging import disable_progress_bar

from shouwang.models.batches import Ints, token_ids
from shouwang.models.heads import Floats, probabilities
from shouwang.models.onnx_network import OnnxNetwork
from shouwang.models.runs import DONE, GRAPH, SETTINGS, opened
from shouwang.models.torch_network import TorchNetwork
from shouwang.posts import LabelledPost
from shouwang.train.encoders import loop
from shouwang.train.encoders.data import encoded, order
from shouwang.train.encoders.encoder import Encoder, open_encoder, save_encoder
from shouwang.train.encoders.export import Gate, compared, export, failures
from shouwang.train.encoders.settings import RECIPES, Settings

WORDS, LONGEST, BATCH, SIDE, SOS_1K = 21_128, 150, 16, 2048, 1000
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
OPEN_GATE = Gate(difference=1, agreement=0, recall=1)
"""Random weights cannot be judged: what the true gate would say of them is shown beside."""

FAST, PAPER = (replace(RECIPES[name], epochs=1, device="cpu") for name in ("fast", "paper"))


# --- a model and its posts ------------------------------------------------------------------------------------------


def make_checkpoint(folder: Path, layers: int) -> Path:
    """Base shapes and a vocabulary of as many single characters as the published models have words."""
    torch.manual_seed(0)
    disable_progress_bar()
    BertForMaskedLM(BertConfig(vocab_size=WORDS, num_hidden_layers=layers)).save_pretrained(folder)
    first = [*SPECIALS, *"，。！？、：；#[]…～", *map(chr, range(0x4E00, 0x9FA6))]
    rest = (f"[unused{number}]" for number in count())
    words = [*first, *(next(rest) for _ in range(WORDS - len(first)))]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return folder


def make_run(checkpoint: Path, folder: Path, texts: Sequence[str]) -> Path:
    """A finished run of it, whose head is spread so that its answers differ from post to post."""
    encoder = open_encoder(str(checkpoint), FAST)
    head = encoder.backbone.model.classifier
    ids = token_ids(encoder.tokenizer, texts, LONGEST)
    logits = TorchNetwork(encoder.backbone.model, encoder.pad, encoder.pad)(ids)
    with torch.no_grad():
        scale = torch.from_numpy(1 / logits.std(axis=0))
        head.weight.mul_(scale[:, None])
        head.bias.copy_((head.bias - torch.from_numpy(logits.mean(axis=0))) * scale)
    folder.mkdir()
    save_encoder(encoder, folder)
    (folder / SETTINGS).write_text(json.dumps({"resolved": {"longest": LONGEST}, "data": {"name": "invented"}}))
    (folder / DONE).touch()
    return folder


def labelled(texts: Sequence[str]) -> list[LabelledPost]:
    return [LabelledPost(id=str(i), text=text, level=i % 11, high=i % 11 > 5) for i, text in enumerate(texts)]


# --- measuring ------------------------------------------------------------------------------------------------------


def gemm_peak() -> dict[str, float]:
    """GFLOP/s of products of 2048 x 2048 in float32 by torch, the best of five, in exact and in fast fp32.

    Not by numpy: its threads begin at import, before this process is bound to one core.
    """
    a, b = (torch.randn(SIDE, SIDE) for _ in range(2))
    found = {}
    for name in ("highest", "medium"):
        torch.set_float32_matmul_precision(name)
        found[name] = best(lambda: a @ b)
    torch.set_float32_matmul_precision("highest")
    return found


def best(product: Callable[[], object]) -> float:
    return 2 * SIDE**3 / min(seconds(product) for _ in range(5)) / 1e9


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def gflop(model: torch.nn.Module, posts: Sequence[Ints]) -> float:
    """What reading the posts takes without padding: the layers' matrices, and attention's two products."""
    config: Any = model.config
    matrices = config.num_hidden_layers * config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)
    attention = 2 * config.num_hidden_layers * config.hidden_size
    return sum(2 * len(ids) * (matrices + attention * len(ids)) for ids in posts) / 1e9


def fit(encoder: Encoder, texts: Sequence[str], settings: Settings, scratch: Path) -> float:
    """Seconds of an epoch, its steps alone: validation on one post and the checkpoint are not in it."""
    train, validation = (
        encoded(encoder.tokenizer, labelled(some), settings.tasks, encoder.longest) for some in (texts, texts[:1])
    )
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        epochs = loop.fit(encoder, train, validation, settings, Path(folder))
    return float(statistics.median(row["seconds"] for row in epochs))


def interleaved(contenders: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median seconds a post, rounds in turn."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, action in contenders.items():
            found[name].append(action())
    return {name: statistics.median(each) for name, each in found.items()}


def peak_memory(checkpoint: Path, texts: Sequence[str]) -> float:
    """GB, of a process that takes two steps on the 16 longest posts.

    To be called before anything large: Linux counts what this process held at its highest as the new one's own.
    """
    command = [sys.executable, __file__, "--memory-of", str(checkpoint)]
    longest = sorted(texts, key=len)[-BATCH:]
    done = subprocess.run(command, input=json.dumps(longest), text=True, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def print_memory(checkpoint: str) -> None:
    encoder = open_encoder(checkpoint, FAST)
    fit(encoder, json.load(sys.stdin), replace(FAST, epochs=2), Path(checkpoint))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6))


# --- the two comparisons --------------------------------------------------------------------------------------------


def training(checkpoint: Path, texts: Sequence[str], few: int, rounds: int, peak: float) -> None:
    ours, theirs = (open_encoder(str(checkpoint), settings) for settings in (FAST, PAPER))
    some = spread(texts, few)
    took = interleaved(
        {
            "published: pad 150, batch 16, fp32, AdamW (`--recipe paper`)": lambda: (
                fit(theirs, some, PAPER, checkpoint) / len(some)
            ),
            "ours (`--recipe fast`)": lambda: fit(ours, texts, FAST, checkpoint) / len(texts),
        },
        rounds,
    )
    work = 3 * gflop(ours.backbone.model, token_ids(ours.tokenizer, texts, FAST.longest)) / len(texts)
    print(f"| training, {len(texts)} posts ({len(some)} published) × {rounds} | posts/s | ratio | of GEMM peak |")
    print(f"|---|{'---:|' * 3}")
    print_rows(took, work, peak)
    widths = {n: padded_tokens(invented_posts(n), ours) for n in (len(texts), SOS_1K)}
    print("\nTokens a post with ours' padding:", ", ".join(f"{width:.0f} of {n} posts" for n, width in widths.items()))


def padded_tokens(texts: Sequence[str], encoder: Encoder) -> float:
    """Mean over ten epochs: few posts cannot be put together by length as well as a whole training set."""
    posts = encoded(encoder.tokenizer, labelled(texts), FAST.tasks, FAST.longest)
    epochs = [order(posts, BATCH, np.random.default_rng(seed), buckets=True) for seed in range(10)]
    widths = [len(rows) * max(len(posts.ids[row]) for row in rows) for batches in epochs for rows in batches]
    return sum(widths) / len(epochs) / len(posts)


def inference(run: Path, texts: Sequence[str], few: int, rounds: int, peak: float) -> None:
    """The published scripts' reading of a batch is the `paper` recipe's; every reader gets the same first 150 tokens."""
    small = export(run, int8=True, posts=labelled(texts), gate=OPEN_GATE)
    int8 = small.path.rename(run / "int8.onnx")
    plain = export(run).path.rename(run / f"fp32-{GRAPH}")
    about, encoder = opened(run), open_encoder(str(run), PAPER)
    model = encoder.backbone.model.eval()
    posts = token_ids(about.tokenizer, texts, LONGEST)
    places = spread(range(len(posts)), few)
    unlabelled = encoded(about.tokenizer, labelled(texts), PAPER.tasks, LONGEST)
    some = encoded(about.tokenizer, labelled([texts[i] for i in places]), PAPER.tasks, LONGEST)
    readers: dict[str, Callable[[Sequence[Ints]], Any]] = {
        "ours, torch fp32": TorchNetwork(model, about.pad, about.mask),
        "ours, ONNX fp32": OnnxNetwork(plain, about.pad, about.mask),
        "ours, ONNX int8, a post at a time": OnnxNetwork(int8, about.pad, about.mask),
    }
    timed: dict[str, Callable[[], float]] = {
        "published: pad 150, batch 16, torch fp32": lambda: (
            seconds(lambda: loop.predict(encoder, some, PAPER)) / len(some)
        )
    }
    timed |= {name: lambda read=read: seconds(lambda: read(posts)) / len(posts) for name, read in readers.items()}
    took = interleaved(timed, rounds)
    published = loop.predict(encoder, unlabelled, PAPER)
    answers = {name: probabilities(read(posts), about.heads) for name, read in readers.items()}
    columns = "posts/s | ratio | of GEMM peak | largest difference of a probability | equal predictions"
    print(f"\n| reading, {len(texts)} posts ({few} published) × {rounds} | {columns} |\n|---|{'---:|' * 5}")
    print_rows(
        took,
        gflop(model, posts) / len(posts),
        peak,
        {name: agreement(published, each) for name, each in answers.items()},
    )
    levels = len(set(published["levels"].argmax(axis=1).tolist()))
    print(
        f"\nThe random model gives {levels} of the 11 levels. int8 beside ONNX fp32, as the gate compares them: ",
        end="",
    )
    found = compared(answers["ours, ONNX fp32"], answers["ours, ONNX int8, a post at a time"], labelled(texts))
    print(f"difference {found['difference']:.4f} on average, agreement {found['agreement']}.")
    print(
        f"The gate of `shouwang export --int8` would say: {'; '.join(failures(small.checks, Gate())) or 'let through'}."
    )


def agreement(published: dict[Any, Floats], ours: dict[Any, Floats]) -> str:
    largest = max(float(np.abs(published[task] - ours[task]).max()) for task in ours)
    equal = np.mean([published[task].argmax(axis=1) == ours[task].argmax(axis=1) for task in ours])
    return f" {largest:.1e} | {equal:.1%} |"


def print_rows(took: dict[str, float], work: float, peak: float, more: dict[str, str] | None = None) -> None:
    """`took` in seconds a post, the published pattern first; `work` in GFLOP a post, `peak` in GFLOP/s."""
    published = next(iter(took.values()))
    for name, each in took.items():
        end = "" if more is None else more.get(name, " – | – |")
        print(f"| {name} | {1 / each:.2f} | {published / each:.1f} | {work / each / peak:.0%} |{end}", flush=True)


def spread(items: Sequence[Any], few: int) -> list[Any]:
    """`few` of them, from first to last."""
    return [items[i * len(items) // few] for i in range(min(few, len(items)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=64)
    parser.add_argument("--published", type=int, default=16, help="posts that the published pattern is timed on")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    if given.memory_of:
        print_memory(given.memory_of)
        return
    texts = invented_posts(given.posts)
    with tempfile.TemporaryDirectory() as name:
        checkpoint = make_checkpoint(Path(name) / "bert", given.layers)
        print(f"Peak memory of fine-tuning: {peak_memory(checkpoint, texts):.2f} GB.\n", flush=True)
        peaks = gemm_peak()
        print("GEMM, GFLOP/s:", ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items()), "\n", flush=True)
        training(checkpoint, texts, given.published, given.rounds, max(peaks.values()))
        run = make_run(checkpoint, Path(name) / "run", texts)
        inference(run, texts, given.published, given.rounds, max(peaks.values()))


if __name__ == "__main__":
    main()
