"""What the canonical form gives back of disguised posts, and what it changes in ordinary ones.

    SHOUWANG_DATA=FOLDER python benchmarks/obfuscation.py [POSTS]

For every kind of obfuscation, over SOS-1K's five folds (never the test set): how much the canonical text of the
disguised post is like that of the clean one (difflib's ratio; as is, plain layer only, with variants), and
the share of the 40 risk words' occurrences that come back whole. Prints aggregates only.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from shouwang.evaluate.obfuscate import KINDS, RISK_WORDS, obfuscate
from shouwang.text import canonical


def column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [row[name] for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)]


def alike(clean: str, other: str) -> float:
    """Twice the characters that stand in both in order, over all characters of both (difflib's ratio)."""
    return SequenceMatcher(None, clean, other, autojunk=False).ratio()


def words_kept(clean: str, other: str) -> tuple[int, int]:
    """How many occurrences of risk words come back, and how many there were."""
    counts = [(clean.count(word), other.count(word)) for word in RISK_WORDS]
    return sum(min(pair) for pair in counts), sum(there for there, _ in counts)


def recovery(posts: list[str]) -> Table:
    table = Table("kind", "characters: as is", "plain", "with variants", "words: as is", "plain", "with variants")
    for kind in KINDS:
        rng = np.random.default_rng(0)
        clean = [canonical(post).text for post in posts]
        disguised = [obfuscate(post, kind, rng) for post in posts]
        cells: list[list[str]] = [[], []]
        for read in (
            disguised,
            [canonical(post, variants=False).text for post in disguised],
            [canonical(post).text for post in disguised],
        ):
            characters = np.mean([alike(a, b) for a, b in zip(clean, read, strict=True)])
            back, there = np.sum([words_kept(a, b) for a, b in zip(clean, read, strict=True)], axis=0)
            cells[0].append(f"{characters:.1%}")
            cells[1].append(f"{back / there:.1%}")
        table.add_row(kind, *cells[0], *cells[1])
    return table


def main() -> None:
    data = Path(os.environ["SHOUWANG_DATA"])
    posts = [text for fold in range(1, 6) for text in column(data / f"sos-1k/fine-grained/fold{fold}.tsv", "comment")]
    posts = posts[: int(sys.argv[1])] if len(sys.argv) > 1 else posts
    console = Console(width=140)
    console.print(recovery(posts))
    for name in ("usual-eval", "virus-train"):
        ordinary = column(data / f"everyday/smp2020-ewect-{name}.tsv", "content")
        start = time.perf_counter()
        read = [canonical(text).text for text in ordinary]
        seconds = time.perf_counter() - start
        changed = sum(a != canonical(b, variants=False).text for a, b in zip(read, ordinary, strict=True))
        console.print(
            f"everyday {name}: {changed} of {len(ordinary)} posts changed by the variant layer; "
            f"{len(ordinary) / seconds:,.0f} posts/s"
        )


if __name__ == "__main__":
    main()
