"""Every text that an encoder may read in training, with what it should say of it, gathered once.

What is gathered needs the data sets and the dictionaries of disguises; what trains needs numbers alone. So the file can
be carried to a machine with an accelerator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from shouwang.models.tokens import LONGEST, PAD
from shouwang.train.builtin import examples
from shouwang.train.builtin.examples import Examples, Ids

if TYPE_CHECKING:
    from shouwang.train.builtin.pools import Pools
    from shouwang.train.builtin.sources import Row

Rows = NDArray[np.int64]
Read = Callable[["Sequence[Row]"], list[Ids]]
GRADED = 0.4
"""Weight of posts with an invented level."""

DISGUISES_OF = {
    "folds": 6,
    "sos4k": 4,
    "graded": 3,
    "usual": 3,
    "invented": 2,
    "virus": 1,
    "talk": 1,
    "intent": 2,
    "rated": 1,
}
SPLICES = 4
"""Texts that a labelled post begins and another ends: unlabelled, for students to ask their teachers about."""

TURNS = 8_000
"""Counselling turns that the teachers are asked about."""

FURTHER = "further turns"
"""The pool of the others, which only show a student what the backbone makes of them."""

LATER = ("ordinary", "rated")
"""Pools of posts that came after the teachers, who are not asked about them."""


@dataclass(frozen=True, slots=True)
class Texts:
    """n texts, pool after pool; a pool's own posts first, then `times` disguised versions of each."""

    examples: Examples
    fold: NDArray[np.int8]  # [n], 0 outside the folds
    parts: dict[str, tuple[int, int, int]]  # pool: first row, posts, versions of a post
    leaks: NDArray[np.bool_]  # [posts of the folds]

    def rows(self, pool: str) -> Rows:
        first, n, _ = self.parts[pool]
        return np.arange(first, first + n)

    def versions(self, pool: str) -> Rows:
        """[n, times] rows of the disguised versions."""
        first, n, times = self.parts[pool]
        return first + n + np.arange(n * times).reshape(n, times)

    def clean(self) -> Rows:
        """[n]: the text whose disguise a text is, itself elsewhere."""
        found = np.arange(len(self.fold))
        for pool in self.parts:
            found[self.versions(pool)] = self.rows(pool)[:, None]
        return found

    def without(self, fold: int) -> Rows:
        """Places within the folds' posts that a model without `fold` may see (0: all but those in the test set)."""
        own = self.fold[self.rows("folds")] != fold
        return np.flatnonzero(own if fold else ~self.leaks)


def gather(pools: Pools, read: Read, turns: Sequence[Row], seed: int = 0) -> Texts:
    """The pools' posts, their disguises, splices of labelled posts, and `turns` without a label."""
    from shouwang.train.builtin.pools import disguised  # which needs the dictionaries

    rng = np.random.default_rng(seed)
    kinds: dict[str, Callable[[Sequence[Row], list[Ids]], Examples]] = {
        "folds": examples.labelled,
        "sos4k": examples.labelled,
        "graded": lambda rows, ids: examples.labelled(rows, ids, GRADED),
        **dict.fromkeys(("usual", "invented", "virus"), lambda rows, ids: examples.everyday(ids)),
        "talk": lambda rows, ids: examples.talk(ids),
        "intent": examples.risky,
        "ordinary": lambda rows, ids: examples.everyday(ids),
        "rated": examples.rated,
    }
    leaks = np.array([row.id in pools.leaks for row in pools.folds])
    made: list[Examples] = []
    folds: list[NDArray[np.int8]] = []
    parts: dict[str, tuple[int, int, int]] = {}

    def add(name: str, found: Sequence[Examples], fold: NDArray[np.int8], times: int) -> None:
        parts[name] = (sum(map(len, folds)), len(found[0].posts), times)
        made.extend(found)
        folds.extend([fold, np.repeat(fold, times)] if times else [fold])

    for name, make in kinds.items():
        rows, times = list(getattr(pools, name)), DISGUISES_OF.get(name, 0)
        hidden = disguised([row for row in rows for _ in range(times)], rng, 1.0)
        fold = np.array([row.fold for row in rows], np.int8)
        add(name, [make(rows, read(rows)), make(hidden, read(hidden))], fold, times)
    for name, posts, fold in (
        ("splices", *_splices(made, parts, np.concatenate(folds), leaks, rng)),
        ("turns", *_plain(read(turns[:TURNS]))),
        (FURTHER, *_plain(read(turns[TURNS:]))),
    ):
        add(name, [examples.unlabelled(posts)], fold, 0)
    return Texts(examples.join(made), np.concatenate(folds), parts, leaks)


def _plain(posts: list[Ids]) -> tuple[list[Ids], NDArray[np.int8]]:
    return posts, np.zeros(len(posts), np.int8)


def _splices(
    made: Sequence[Examples],
    parts: dict[str, tuple[int, int, int]],
    fold: NDArray[np.int8],
    leaks: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[list[Ids], NDArray[np.int8]]:
    """The beginning of a labelled post and the end of another, which stands in no other fold; none of the test set's."""
    posts = [post for each in made for post in each.posts]
    rows = {name: np.arange(parts[name][0], sum(parts[name][:2])) for name in ("folds", "sos4k", "graded")}
    rows["folds"] = rows["folds"][~leaks]
    outside = np.concatenate([rows["sos4k"], rows["graded"]])
    first = np.repeat(np.concatenate(list(rows.values())), SPLICES)
    found = []
    for row in first:
        own = rows["folds"][fold[rows["folds"]] == fold[row]] if fold[row] else outside
        end = posts[rng.choice(own if rng.random() < 0.5 else outside)]
        start = posts[row][: max(2, int(len(posts[row]) * rng.uniform(0.3, 0.8)))]
        found.append(np.concatenate([start, end[int(len(end) * rng.uniform(0.2, 0.7)) :]])[-LONGEST:])
    return found, fold[first]


def save(texts: Texts, path: Path) -> None:
    """One .npz, without pickle."""
    arrays = {f"of.{each.name}": getattr(texts.examples, each.name) for each in fields(Examples)[1:]}
    ids = np.concatenate(texts.examples.posts).astype(np.uint32)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        ids=ids,
        lengths=[len(post) for post in texts.examples.posts],
        fold=texts.fold,
        leaks=texts.leaks,
        pools=list(texts.parts),
        parts=list(texts.parts.values()),
        **arrays,
    )
    partial.replace(path)


def load(path: Path) -> Texts:
    """What `save` wrote."""
    with np.load(path) as stored:
        cuts = np.cumsum(stored["lengths"])[:-1]
        posts = np.split(stored["ids"].astype(np.int64), cuts)
        made = Examples(posts, *(stored[f"of.{each.name}"] for each in fields(Examples)[1:]))
        sizes = [tuple(map(int, each)) for each in stored["parts"]]
        parts = {str(name): (a, b, c) for name, (a, b, c) in zip(stored["pools"], sizes, strict=True)}
        return Texts(made, stored["fold"], parts, stored["leaks"])


class Bank:
    """The same texts on a device, end to end."""

    def __init__(self, texts: Texts, prefix: Ids, device: torch.device) -> None:
        posts = texts.examples.posts
        self.device = device
        self.prefix = len(prefix)
        self._prefix = torch.from_numpy(prefix).to(device)
        self.length = np.array([len(post) for post in posts])
        self._flat = torch.from_numpy(np.concatenate([*posts, np.full(LONGEST, PAD)])).to(device)
        self._start = torch.from_numpy(np.cumsum([0, *self.length[:-1]])).to(device)
        self._length = torch.from_numpy(self.length).to(device)
        self._targets = [torch.from_numpy(np.asarray(each)).to(device) for each in texts.examples.arrays()]

    def read(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Padded ids and which of them are real, [..., n] each, for rows of any shape; n is a multiple of 8."""
        where = torch.from_numpy(rows).to(self.device)
        places = torch.arange(-(-int(self.length[rows].max()) // 8) * 8, device=self.device)
        real = places < self._length[where][..., None]
        ids = self._flat[(self._start[where][..., None] + places).clamp(max=len(self._flat) - 1)]
        return torch.where(real, ids, PAD), real

    def read_prefixed(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """As `read`, with the backbone's prefix after the first token; what then stands beyond LONGEST is cut off."""
        ids, real = self.read(rows)
        prefix = self._prefix.expand(*ids.shape[:-1], -1)
        first = real[..., :1].expand(prefix.shape)
        together = torch.cat([ids[..., :1], prefix, ids[..., 1:]], -1)[..., :LONGEST]
        return together, torch.cat([real[..., :1], first, real[..., 1:]], -1)[..., :LONGEST]

    def targets(self, rows: Rows) -> list[torch.Tensor]:
        """Levels, their weight, binary, their weights (see `Examples`), for rows of any shape."""
        where = torch.from_numpy(rows).to(self.device)
        return [each[where] for each in self._targets]
