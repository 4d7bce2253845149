"""Seconds that an audit takes, on invented posts with known duplicates.

    python benchmarks/audit.py [POSTS ...]

Characters are drawn with Zipf-like frequencies from 3,000; lengths are those of SOS-1K (median 30). One post in fifty
repeats another, one in fifty changes one character of another of 20 characters or more: all of them must be found.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from shouwang.data.audit import audit
from shouwang.posts import LabelledPost

ALPHABET = np.array([chr(0x4E00 + number) for number in range(3_000)])


def invented(count: int, rng: np.random.Generator) -> tuple[list[LabelledPost], int, int]:
    """Posts, and how many of them repeat or nearly repeat another."""
    frequency = 1 / np.arange(1, len(ALPHABET) + 1)
    lengths = np.clip(rng.lognormal(np.log(30), 0.8, count), 4, 500).astype(int)
    texts = ["".join(rng.choice(ALPHABET, length, p=frequency / frequency.sum())) for length in lengths]
    copies = count // 50
    originals = rng.choice(np.flatnonzero(lengths[: count // 2] >= 20), 2 * copies, replace=False)
    for number, original in enumerate(originals):
        text = texts[original]
        if number >= copies:
            text = text[:5] + "改" + text[6:]
        texts[count // 2 + number] = text
    return [LabelledPost(f"post-{number}", text) for number, text in enumerate(texts)], copies, copies


def main() -> None:
    table = Table("posts", "seconds", "repeats found", "near repeats found", title="shouwang.data.audit")
    warm, _, _ = invented(100, np.random.default_rng(0))
    audit({"warm": warm})  # imports
    for count in [int(each) for each in sys.argv[1:]] or [1_000, 10_000]:
        posts, repeats, near = invented(count, np.random.default_rng(0))
        start = time.perf_counter()
        found = audit({"invented": posts})
        seconds = time.perf_counter() - start
        table.add_row(f"{count:,}", f"{seconds:.2f}", f"{len(found.same)} / {repeats}", f"{len(found.near)} / {near}")
    Console().print(table)


if __name__ == "__main__":
    main()
