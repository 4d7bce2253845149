"""The detector of words that speak to the rater: what it finds of a writer whom it has not read, and what it takes wrongly.

    python benchmarks/steering.py            each writer's sentences by a detector trained on the other's
    python benchmarks/steering.py --write    then train on both, and write the weights that ship

Needs the data sets (`shouwang data fetch`). Found: part of the sentence is left out of a post it was set into. Rates
have 95% Wilson intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from shouwang.annotate.detector import FILE, Detector, clauses
from shouwang.annotate.instructions import going
from shouwang.evaluate.intervals import wilson
from shouwang.train.steering import Set, fit, highest, posts, sentences, set_into


def rate(hits: NDArray[np.bool_]) -> str:
    share = wilson(int(hits.sum()), len(hits))
    return f"{hits.sum()} of {len(hits)} ({share.value:.1%} [{share.low:.1%}, {share.high:.1%}])"


def write(found: Detector) -> None:
    settings = np.array([found.bias, found.leave, found.grow, found.doubt], dtype=np.float32)
    half = {name: getattr(found, name).astype(np.float16) for name in ("idf", "weights")}
    save_file({**half, "settings": settings}, FILE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    texts, real = sentences(), posts()
    train, held = ([text for halves in real.values() for text in halves[half]] for half in (0, 1))
    for writer in sorted({text.writer for text in texts}):
        own = [text for text in texts if text.writer == writer]
        found = fit([text for text in texts if text.writer != writer], train, held)
        rng = Random(1)  # noqa: S311 - which posts, not a secret
        hosts = [text for text in held if 8 <= len(text) <= 80]
        inside = np.array(
            [[_left(found, set_into(text.text, rng.choice(hosts), rng))] for text in own if text.steers]
        ).reshape(-1, 3)
        ordinary = _loses(found, [text.text for text in own if not text.steers])
        print(f"writer {writer}: found {rate(inside[:, 0] > 0)}, marked {rate(inside[:, 2] > 0)}")
        print(
            f"  {inside[:, 0].mean():.0%} of the sentence left out, and {inside[:, 1].mean():.1%} of the post around it"
        )
        print(f"  hard ordinary sentences left out {rate(ordinary)}", flush=True)
    found = fit(texts, train, held)
    for source, halves in real.items():
        marked = highest(found, halves[1]) > found.doubt
        print(f"{source}, not trained on: loses something {rate(_loses(found, halves[1]))}, marked {rate(marked)}")
    if given.write:
        write(found)


def _loses(found: Detector, texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([any(going(clauses(text), found)) for text in texts])


def _left(found: Detector, row: Set) -> tuple[float, float, bool]:
    """The share of the sentence, and of the post around it, that is left out; whether the post is marked."""
    steers, taken = np.array(row.steers), np.array(going(row.clauses, found))
    length = np.array([len(clause) for clause in row.clauses])
    inside, around = max(1, (length * steers).sum()), max(1, (length * ~steers).sum())
    marked = bool(found.scores(row.clauses).max() > found.doubt)
    return (length * steers * taken).sum() / inside, (length * ~steers * taken).sum() / around, marked


if __name__ == "__main__":
    main()
