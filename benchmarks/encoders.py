"""Speed and memory of fine-tuned encoders on one core beside the published scripts' pattern, as Markdown tables.

    python benchmarks/encoders.py [--posts 64] [--published 16] [--steps 6] [--rounds 2] [--layers 12]

A BERT-base with random weights, made here: nothing is downloaded, and no figure says how good its answers are. Posts are
invented, with the lengths of SOS-1K. The published pattern pads every post to 150 tokens, 16 to a batch, in fp32, with
AdamW, and reads `--published` of the posts only: it takes as long for each. Of training, `--steps` of an epoch over 1,000
posts are timed, from the shortest batches to the longest, and one step of the published pattern, which are all alike; a
step before that sets AdamW up. Times are processor seconds of this process, on one thread: what else runs counts little.
Contenders take turns; every figure is the median of the rounds. FLOPs are those that the posts need without padding,
training three times as many as reading. Peak memory is that of a process of its own that takes two steps on the 16
longest of 1,000 posts. Needs `pip install 'shouwang[train]'`.
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
from shouwang.train.encoders.encoder import open_encoder, save_encoder
from shouwang.train.encoders.export import Gate, compared, export, failures
from shouwang.train.encoders.hardware import matmul_precision
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
    """Of the processor, in this process."""
    start = time.process_time()
    action()
    return time.process_time() - start


def gflop(model: torch.nn.Module, posts: Sequence[Ints]) -> float:
    """What reading the posts takes without padding: the layers' matrices, and attention's two products."""
    config: Any = model.config
    matrices = config.num_hidden_layers * config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)
    attention = 2 * config.num_hidden_layers * config.hidden_size
    return sum(2 * len(ids) * (matrices + attention * len(ids)) for ids in posts) / 1e9


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
    """Two epochs of one step, with the checkpoint on disk after each; validation is on one post."""
    encoder = open_encoder(checkpoint, FAST)
    texts = json.load(sys.stdin)
    train, validation = (
        encoded(encoder.tokenizer, labelled(some), FAST.tasks, FAST.longest) for some in (texts, texts[:1])
    )
    with tempfile.TemporaryDirectory(dir=checkpoint) as folder:
        loop.fit(encoder, train, validation, replace(FAST, epochs=2), Path(folder))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6))


# --- the two comparisons --------------------------------------------------------------------------------------------


def training(checkpoint: Path, steps: int, rounds: int, peak: float) -> None:
    names = {
        "paper": "published: pad 150, batch 16, fp32, AdamW (`--recipe paper`)",
        "fast": "ours (`--recipe fast`)",
    }
    lessons = {recipe: lesson(checkpoint, settings) for recipe, settings in (("paper", PAPER), ("fast", FAST))}
    posts = lessons["fast"].train
    batches = [rows for rows in order(posts, BATCH, np.random.default_rng(0), buckets=True) if len(rows) == BATCH]
    batches.sort(key=lambda rows: max(len(posts.ids[row]) for row in rows))
    chosen = {"paper": middles(batches, 1), "fast": middles(batches, steps)}
    for each in lessons.values():
        learn(each, batches[:1])
    took = interleaved(
        {
            name: lambda recipe=recipe: learn(lessons[recipe], chosen[recipe]) / (BATCH * len(chosen[recipe]))
            for recipe, name in names.items()
        },
        rounds,
    )
    learnt = [posts.ids[row] for rows in chosen["fast"] for row in rows]
    work = 3 * gflop(lessons["fast"].encoder.backbone.model, learnt) / len(learnt)
    print(f"| training, {SOS_1K} posts, {steps} steps (published 1) × {rounds} | posts/s | ratio | of GEMM peak |")
    print(f"|---|{'---:|' * 3}")
    print_rows(took, work, peak)
    without = sum(map(len, posts.ids)) / len(posts)
    print(f"\nTokens a post: {padded_tokens(lessons['fast'], batches):.0f} with padding, {without:.0f} without.")


def lesson(checkpoint: Path, settings: Settings) -> loop.Lesson:
    encoder = open_encoder(str(checkpoint), settings)
    encoder.model.train()
    train = encoded(encoder.tokenizer, labelled(invented_posts(SOS_1K)), settings.tasks, encoder.longest)
    return loop.Lesson(encoder, train, settings, loop.optimizer_of(encoder.model, settings))


def learn(of: loop.Lesson, batches: Sequence[Ints]) -> float:
    """Seconds of a step on each."""
    with matmul_precision(of.settings):
        return seconds(lambda: [of.step([rows], of.encoder.rate) for rows in batches])


def middles(items: Sequence[Any], count: int) -> list[Any]:
    """The middle one of each of `count` equal parts."""
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]


def padded_tokens(of: loop.Lesson, batches: Sequence[Ints]) -> float:
    """Mean of a post, over an epoch."""
    passes = [rows for batch in batches for rows in of.passes(batch)]
    widths = [len(rows) * max(len(of.train.ids[row]) for row in rows) for rows in passes]
    return sum(widths) / sum(map(len, batches))


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
    parser.add_argument("--posts", type=int, default=64, help="posts that are read; 0: training only")
    parser.add_argument("--published", type=int, default=16, help="posts that the published pattern reads")
    parser.add_argument("--steps", type=int, default=6, help="steps of training that are timed")
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
        print(f"Peak memory of fine-tuning: {peak_memory(checkpoint, invented_posts(SOS_1K)):.2f} GB.\n", flush=True)
        peaks = gemm_peak()
        print("GEMM, GFLOP/s:", ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items()), "\n", flush=True)
        training(checkpoint, given.steps, given.rounds, max(peaks.values()))
        if not texts:
            return
        run = make_run(checkpoint, Path(name) / "run", texts)
        inference(run, texts, given.published, given.rounds, max(peaks.values()))


if __name__ == "__main__":
    main()
