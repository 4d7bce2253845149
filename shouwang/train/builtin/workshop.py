"""What the steps of a build need, loaded on first use, and where their results lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from shouwang.models import tokens
from shouwang.train.builtin import sources, texts, vocabulary
from shouwang.train.builtin.backbone import PREFIX, Backbone, starting_weights
from shouwang.train.builtin.examples import Floats, Ids
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Row
from shouwang.train.builtin.stacked import Weights
from shouwang.train.builtin.texts import Bank, Texts

SHOWN_TURNS = 120_000


@dataclass(frozen=True)
class Workshop:
    """A backbone, the posts, and the folder of finished steps."""

    backbone: Backbone
    pools: Pools
    cache: Path
    device: torch.device

    @cached_property
    def start(self) -> Weights:
        """The backbone with the pruned vocabulary."""
        return starting_weights(self.backbone, np.load(self.cache / "keep.npy"), self.backbone.layers, tokens.LONGEST)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self.cache / "tokenizer.json"))

    @cached_property
    def table(self) -> dict[int, str]:
        return {ord(character): new for character, new in self.backbone.rules.items()}

    @cached_property
    def texts(self) -> Texts:
        path = self.cache / "texts.npz"
        if not path.exists():
            rng = np.random.default_rng(0)
            turns = [row for row in sources.smilechat() if 8 <= len(row.text) <= 200]
            some = [turns[i] for i in rng.permutation(len(turns))[:SHOWN_TURNS]]
            texts.save(texts.gather(self.pools, self.ids, some), path)
        return texts.load(path)

    @cached_property
    def bank(self) -> Bank:
        prefix = self.tokenizer.encode(PREFIX.strip(), add_special_tokens=False).ids
        return Bank(self.texts, np.array(prefix, np.int64), self.device)

    def ids(self, rows: Sequence[Row]) -> list[Ids]:
        return tokens.encode(self.tokenizer, self.table, [row.text for row in rows])

    def prune(self) -> None:
        """keep.npy and tokenizer.json, from the training text and the counselling turns."""
        if (self.cache / "tokenizer.json").exists():
            return
        read = [row.text for row in [*self.pools.training, *sources.smilechat()]]
        seen = vocabulary.seen_pieces(vocabulary.build(self.backbone), self.table, read)
        keep = vocabulary.keep_pieces(self.backbone, seen)
        np.save(self.cache / "keep.npy", keep)
        partial = self.cache / "tokenizer.partial"
        vocabulary.build(self.backbone, keep).save(str(partial))
        partial.replace(self.cache / "tokenizer.json")

    def kept_array(self, name: str, make: Callable[[], Floats]) -> Floats:
        """The array of the step `name`, made if it is not there."""
        return self.kept(name, lambda: {"array": make()})["array"]

    def kept(self, name: str, make: Callable[[], Weights]) -> Weights:
        """The arrays of the step `name`, made if they are not there."""
        path = self.cache / f"{name}.safetensors"
        if not path.exists():
            partial = path.with_suffix(".partial")
            save_file({key: np.ascontiguousarray(value) for key, value in make().items()}, partial)
            partial.replace(path)
        return load_file(path)
