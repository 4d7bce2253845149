"""From data to rounds: what each model is trained on and what it is then asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shouwang.data import load, sources
from shouwang.data.leaks import refuse_leaks
from shouwang.data.splits import grouped_folds, rotate
from shouwang.errors import InputError
from shouwang.evaluate import Task
from shouwang.language import say
from shouwang.posts import LabelledPost

FOLDS, TEST = "folds", "test"
OWN_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """One training set and the posts it is judged on; `dropped` names training posts that stood among those.

    `added` posts train too, and choose nothing: no epoch is chosen on posts that nobody wrote. `study` is its name.
    """

    name: str
    train: tuple[LabelledPost, ...]
    held_out: tuple[LabelledPost, ...]
    dropped: tuple[str, ...] = ()
    added: tuple[LabelledPost, ...] = ()
    study: str = ""

    def for_task(self, task: Task) -> Round:
        """Only the posts with a label for the task; raises InputError when a side has none, or training a single one."""
        train, held_out = (
            tuple(post for post in posts if label(post, task) is not None) for posts in (self.train, self.held_out)
        )
        if not train or not held_out:
            raise InputError(
                say(
                    f"{self.name}: no post has a label for task '{task}'; choose another with --tasks",
                    f"{self.name}：没有帖子带有任务 {task} 的标注；请用 --tasks 另选",
                )
            )
        if len(set(labels(train, task))) == 1:
            raise InputError(
                say(
                    f"{self.name}: all {len(train)} training posts have the same label for task '{task}', so there is "
                    "nothing to learn; add posts with another one, or choose another with --tasks",
                    f"{self.name}：{len(train)} 条训练帖在任务 {task} 上的标注全部相同，无从学习；请加入其他标注的帖子，或用 --tasks 另选",
                )
            )
        return Round(self.name, train, held_out, self.dropped, study=self.study)

    @property
    def sha256(self) -> str:
        """A fingerprint of every id, text and label: another result under the same name is another study."""
        posts = [[[p.id, p.text, p.level, p.high] for p in side] for side in (self.train, self.held_out)]
        return hashlib.sha256(json.dumps(posts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Study:
    """Rounds by name: "fold1" …, and "test" where there is a test set."""

    name: str
    rounds: Mapping[str, Round]

    @property
    def folds_sha256(self) -> str:
        """A fingerprint of all folds together: a mean over folds of two versions of the data is a mean of nothing."""
        folds = [each.sha256 for name, each in self.rounds.items() if name != TEST]
        return hashlib.sha256("".join(folds).encode()).hexdigest()


def label(post: LabelledPost, task: Task) -> int | None:
    """The class of a post: its level, or 1 for high and 0 for low; None where nobody labelled it."""
    if task == "levels":
        return post.level
    return None if post.high is None else int(post.high)


def labels(posts: Sequence[LabelledPost], task: Task) -> list[int]:
    """The classes of the posts that have one."""
    return [found for post in posts if (found := label(post, task)) is not None]


def round_names(data: str, test: str | None = None) -> tuple[str, ...]:
    """The names of the rounds that `load_study` makes of the same arguments; reads no post.

    Raises InputError for an unknown data set.
    """
    source = None if load.is_file(data) or "/" in data else sources.get(data)
    published = source.groups.get(FOLDS, ()) if source else ()
    folds = published or tuple(f"fold{n}" for n in range(1, OWN_FOLDS + 1))
    return (*folds, TEST) if test or (published and source and TEST in source.splits) else folds


def load_study(data: str, test: str | None = None, *, drop_leaks: bool = False) -> Study:
    """A study of a data set ("sos-1k": its published folds and test set), or of a labelled file.

    A file, and a data set without published folds, is cut into five folds in which near-equal posts stay together;
    it has a test round only if `test` names a data set or a file.
    Raises InputError when training posts also stand among those a round is judged on, unless told to drop them.
    """
    folds, published_test = _published(data)
    if not folds:
        own = grouped_folds(load.people_wrote(data), OWN_FOLDS)
        folds = {fold.name: (fold.train, fold.validation) for fold in own}
    tests = load.people_wrote(test) if test else published_test
    return study(_name(data, test), folds, tests, drop_leaks=drop_leaks)


_Sides = tuple[Sequence[LabelledPost], Sequence[LabelledPost]]


def study(
    name: str, folds: Mapping[str, _Sides], test: Sequence[LabelledPost] = (), *, drop_leaks: bool = False
) -> Study:
    """Folds (train, held out) by name; the test round trains on everything that the folds hold out."""
    rounds = dict(folds)
    if test:
        rounds[TEST] = ([post for _, held_out in folds.values() for post in held_out], test)
    return Study(name, {part: _round(name, part, *sides, drop_leaks) for part, sides in rounds.items()})


def _round(
    study: str, name: str, train: Sequence[LabelledPost], held_out: Sequence[LabelledPost], drop_leaks: bool
) -> Round:
    split = refuse_leaks(train, held_out, drop_leaks=drop_leaks)
    return Round(name, split.kept, tuple(held_out), tuple(post.id for post in split.dropped), study=study)


def _published(data: str) -> tuple[dict[str, _Sides], list[LabelledPost]]:
    if load.is_file(data) or "/" in data:
        return {}, []
    source = sources.get(data)
    if FOLDS not in source.groups:
        return {}, []
    folds = rotate(load.parts(f"{data}/{FOLDS}"))
    sides: dict[str, _Sides] = {fold.name.rpartition("/")[2]: (fold.train, fold.validation) for fold in folds}
    return sides, load.load(f"{data}/{TEST}") if TEST in source.splits else []


def _name(*specs: str | None) -> str:
    return "+".join(Path(spec).stem if load.is_file(spec) else spec.replace("/", "-") for spec in specs if spec)
