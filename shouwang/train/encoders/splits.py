"""Training, validation and test posts of one run: found, audited for leaks, and checked against the task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from shouwang.data import load, sources
from shouwang.data.leaks import refuse_leaks
from shouwang.data.splits import SplitResult, drop, rotate
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.models.heads import Task
from shouwang.posts import LabelledPost
from shouwang.scale import LEVELS

Posts = Sequence[LabelledPost]
NAMED = 5


@dataclass(frozen=True, slots=True)
class Splits:
    """`validation` chooses the epoch, `test` is only predicted (it may be empty).

    `leaked` and `unlabelled` are ids of posts that were left out, and why. `origins` says of training posts that were made
    from others (`shouwang augment`), by id, what those others are called.
    """

    name: str
    train: Posts
    validation: Posts
    test: Posts = ()
    leaked: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    origins: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """A fingerprint of every id, text and label."""
        parts = (self.train, self.validation, self.test)
        posts = [[[p.id, p.text, p.level, p.high] for p in part] for part in parts]
        return hashlib.sha256(json.dumps(posts).encode()).hexdigest()


def label(post: LabelledPost, task: Task) -> int | None:
    """The class of a post: its level, or 1 for high and 0 for low; None where nobody labelled it."""
    if task == "levels":
        return post.level
    return None if post.high is None else int(post.high)


# --- finding --------------------------------------------------------------------------------------------------------


def published(data: str, fold: int) -> Splits:
    """Fold `fold` (from 1) of a data set is for validation, its other folds for training, its test set for testing.

    Raises InputError for an unknown data set, one without published folds, and a fold that it does not have.
    """
    source = sources.get(data)
    if "folds" not in source.groups:
        raise InputError(
            say(
                f"'{data}' has no published folds; name files instead: --train, --validation and --test",
                f"“{data}”没有公布分折；请改用文件：--train、--validation 和 --test",
            )
        )
    count = len(source.groups["folds"])
    if not 1 <= fold <= count:
        raise InputError(
            say(
                f"'{data}' has folds 1 to {count}; there is no fold {fold}",
                f"“{data}”只有第 1–{count} 折，没有第 {fold} 折",
            )
        )
    chosen = rotate(load.parts(f"{data}/folds"))[fold - 1]
    test = load.load(f"{data}/test") if "test" in source.splits else []
    return Splits(f"{data} fold {fold}", chosen.train, chosen.validation, test)


def own(train: str, validation: str, test: str | None = None) -> Splits:
    """Files, or parts of data sets such as "sos-4k/train". Raises InputError when a record cannot be read, and when posts that
    nobody wrote would be scored."""
    name = " + ".join(Path(each).name if load.is_file(each) else each for each in (train, validation, test) if each)
    learnt = load.posts_of(train)
    tested = load.people_wrote(test) if test else ()
    return Splits(name, learnt, load.people_wrote(validation), tested, origins=load.origins(train, learnt))


# --- checking -------------------------------------------------------------------------------------------------------


def checked(splits: Splits, tasks: Sequence[Task], *, drop_leaks: bool = False) -> Splits:
    """The posts that may be used, before anything starts.

    Left out: posts without a label for any task, and with `drop_leaks` training posts that also stand in validation
    or test or were made from one that does, and validation posts that stand in test.
    Raises InputError for such posts without `drop_leaks`, for ids that stand twice, for a label outside the scale,
    and when a task has no label in a part, or only one class in training.
    """
    unlabelled = tuple(p.id for part in _parts(splits) for p in part if all(label(p, t) is None for t in tasks))
    train, validation, test = (_with_label(part, tasks) for part in _parts(splits))
    splits = replace(splits, train=train, validation=validation, test=test, unlabelled=unlabelled)
    _check_labels(splits, tasks)
    learnt = refuse_leaks(train, [*validation, *test], drop_leaks=drop_leaks)
    gone = {post.id for post in (*learnt.dropped, *validation, *test)} - {post.id for post in learnt.kept}
    own = _unmade(learnt.kept, splits.origins, gone, drop_leaks=drop_leaks)
    chosen_by = _apart(validation, test, drop_leaks=drop_leaks)
    leaked = tuple(post.id for result in (learnt, own, chosen_by) for post in result.dropped)
    splits = replace(splits, train=own.kept, validation=chosen_by.kept, leaked=leaked)
    _check_classes(splits, tasks)
    return splits


_NAMES = ("train", "validation", "test")


def _parts(splits: Splits) -> tuple[Posts, Posts, Posts]:
    return splits.train, splits.validation, splits.test


def _with_label(posts: Posts, tasks: Sequence[Task]) -> Posts:
    return tuple(post for post in posts if any(label(post, task) is not None for task in tasks))


def _unmade(train: Posts, origins: Mapping[str, Sequence[str]], gone: set[str], *, drop_leaks: bool) -> SplitResult:
    """The training posts that were made from none of those `gone`: a post that is scored, written anew, gives it away."""
    made = [post.id for post in train if not gone.isdisjoint(origins.get(post.id, ()))]
    if made and not drop_leaks:
        named = ", ".join(made[:NAMED]) + (", …" if len(made) > NAMED else "")
        raise InputError(
            say(
                f"{len(made)} of {len(train)} training posts were made from posts that are scored: {named}. A score on those "
                "would be too high; train without them: --drop-leaks",
                f"{len(train)} 条训练帖中有 {len(made)} 条由被评的帖子改写而来：{named}。这样的分数会偏高；"
                "请加 --drop-leaks，训练时去掉它们",
            )
        )
    return drop(train, set(made))


def _apart(validation: Posts, test: Posts, *, drop_leaks: bool) -> SplitResult:
    try:
        return refuse_leaks(validation, test, drop_leaks=drop_leaks)
    except InputError as error:
        raise InputError(say(f"validation: {error}", f"验证集：{error}")) from None


def _check_labels(splits: Splits, tasks: Sequence[Task]) -> None:
    for name, posts in zip(_NAMES, _parts(splits), strict=True):
        twice = len(posts) - len({post.id for post in posts})
        if twice:
            raise InputError(
                say(
                    f"{name}: {twice} ids stand more than once; give every post its own",
                    f"{name}：有 {twice} 个编号重复；请让每条帖子有自己的编号",
                )
            )
        wrong = [p.id for p in posts if p.level is not None and not 0 <= p.level < len(LEVELS)]
        if wrong:
            named = ", ".join(wrong[:NAMED]) + (", …" if len(wrong) > NAMED else "")
            raise InputError(
                say(
                    f"{name}: the level of {named} is outside 0–{len(LEVELS) - 1}; correct the labels",
                    f"{name}：{named} 的等级超出 0–{len(LEVELS) - 1}；请改正标注",
                )
            )
    for task in tasks:
        for name, posts in zip(_NAMES, _parts(splits), strict=True):
            needed = posts or name != "test"
            if needed and all(label(post, task) is None for post in posts):
                raise InputError(
                    say(
                        f"{name}: none of {len(posts)} posts has a label for task '{task}'; label them, or choose --task",
                        f"{name}：{len(posts)} 条帖子都没有任务 {task} 的标注；请先标注，或另选 --task",
                    )
                )


def _check_classes(splits: Splits, tasks: Sequence[Task]) -> None:
    for task in tasks:
        for name, posts, least in (("train", splits.train, 2), ("validation", splits.validation, 1)):
            found = {label(post, task) for post in posts} - {None}
            if len(found) < least:
                classes = ", ".join(map(str, found)) or say("none", "无")
                only = f"only the class {classes}" if found else "no class"
                raise InputError(
                    say(
                        f"{name}: {only} of task '{task}' is left among {len(posts)} posts; {least} or more are needed",
                        f"{name}：{len(posts)} 条帖子中任务 {task} 只剩类别 {classes}；需要至少 {least} 个类别",
                    )
                )
