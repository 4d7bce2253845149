"""The grid's dimension of augmentation: a model that is trained on more posts than its round holds.

`WHAT:PLAN` says what is added: methods of the augment room joined by `+`, filled up as planned ("synonyms+drop:max");
or posts that exist already and are all added: a labelled file, a data set, or `invented`, the graded posts that a
language model wrote for this project. A further `:label` adds that filter. In a file's name "{round}" and "{seed}"
stand for the round and the seed: what `shouwang augment --fold K --seed N` made for one is then added to that one.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shouwang import files, lookup
from shouwang.augment.filters import DEFAULT, FILTERS, Context, Scorer
from shouwang.augment.methods import AUGMENTERS, Material, augmenters
from shouwang.augment.plan import augment, goals
from shouwang.augment.records import Augmented, Split
from shouwang.benchmark.study import Round, label
from shouwang.columns import labelled_from, structured
from shouwang.data import load
from shouwang.data.leaks import leaks
from shouwang.data.splits import grouped_folds
from shouwang.errors import InputError
from shouwang.evaluate import Task
from shouwang.language import say
from shouwang.models import baselines
from shouwang.posts import LabelledPost, Row, Skipped
from shouwang.scale import HIGH_FROM, LEVELS
from shouwang.train.builtin import sources as builtin

if TYPE_CHECKING:
    from shouwang.benchmark.contenders import Answer, Contender

LOCAL = ("synonyms", "swap", "drop")
"""Methods that need nothing. What the others made is a file: shouwang augment writes it."""
INVENTED = "invented"
ALL = "all"
ROUND, SEED = "{round}", "{seed}"
AUTHORS, THEIR_FOLD = "sos-1k-augmented", "fold4"
SCORER, SCORER_PARTS = "tfidf-lr", 5


@dataclass(frozen=True, slots=True)
class Augmentation:
    """`methods` filled up to `plan`, or the posts of `given`, all of them."""

    text: str
    methods: tuple[str, ...] = ()
    plan: str = ALL
    filters: tuple[str, ...] = DEFAULT
    given: str | None = None

    def identity(self) -> dict[str, object]:
        """The same for every round and seed: files made for one of them are told by `added_sha256`."""
        given = self.given if self.given is None or _is_pattern(self.given) else _sha256(self.given) or self.given
        return {"methods": self.methods, "plan": self.plan, "filters": self.filters, "given": given}

    def added_sha256(self, round_: str, seed: int) -> str | None:
        return _sha256(_made_for(self.given, round_, seed)) if self.given and _is_pattern(self.given) else None

    def more(self, posts: Round, seed: int) -> tuple[list[LabelledPost], dict[str, object]]:
        """The posts to add to that round's training, and what became of the others."""
        if self.given:
            path = _made_for(self.given, posts.name, seed)
            if path != self.given and not Path(path).is_file():
                fold = posts.name.removeprefix("fold")
                make = f"shouwang augment --fold {fold} --seed {seed}"
                raise InputError(
                    say(f"{path}: no such file; make it with {make}", f"{path}：没有这个文件；请用 {make} 生成")
                )
            return _given(path, posts)
        split = Split(posts.name, posts.train, posts.held_out)
        scorer = crossfitted(posts.train) if "label" in self.filters else None
        made = augment(
            split,
            self.plan,
            augmenters(self.methods, Material(split)),
            leaking,
            seed=seed,
            filters=self.filters,
            context=Context(split, leaking, scorer),
        )
        filtered = {reason: 0 for *_, reason in sorted(made.filtered)}
        for (*_, reason), n in made.filtered.items():
            filtered[reason] += n
        return list(made.kept), {"filtered": filtered, "short": {str(k): n for k, n in made.short.items()}}


def augmentation(text: str) -> Augmentation:
    """Raises InputError for an unknown method, plan, filter or data set, and for a method that needs a server."""
    what, _, rest = text.partition(":")
    plan, _, more = rest.partition(":")
    if what == INVENTED or load.is_file(what) or "/" in what:
        if rest:
            raise InputError(
                say(
                    f"'{text}': posts that exist are all added; leave ':{rest}' out",
                    f"“{text}”：已有的帖子会全部加入；请去掉“:{rest}”",
                )
            )
        if what != INVENTED and not _files(what):
            load.load(what)  # a wrong name is met here, before any work
        return Augmentation(text, given=what)
    methods = tuple(what.split("+"))
    for method in methods:
        lookup.get(AUGMENTERS, method, "method")
        if method not in LOCAL:
            raise InputError(
                say(
                    f"'{method}' needs more than its name; make its posts with shouwang augment, then name that file here",
                    f"“{method}”只给名字不够；请先用 shouwang augment 生成帖子，再在此给出该文件",
                )
            )
    goals(plan or "max", {level.value: 1 for level in LEVELS})
    extra = tuple(lookup.get({name: name for name in FILTERS}, each, "filter") for each in more.split(":") if each)
    return Augmentation(text, methods, plan or "max", (*DEFAULT, *extra))


def _files(given: str) -> list[Path]:
    """The file of that name, or those for all rounds and seeds; none where it names something else."""
    pattern = glob.escape(given).replace(ROUND, "*").replace(SEED, "*")
    found = (Path(each) for each in glob.glob(pattern))  # noqa: PTH207 - the pattern may be absolute
    return sorted(path for path in found if path.is_file())


def _is_pattern(given: str) -> bool:
    return ROUND in given or SEED in given


def _made_for(given: str, round_: str, seed: int) -> str:
    return given.replace(ROUND, round_).replace(SEED, str(seed))


def _sha256(given: str) -> str | None:
    """Of a file's contents; None where it is none, as "invented" or a data set."""
    return hashlib.sha256(Path(given).read_bytes()).hexdigest() if Path(given).is_file() else None


def leaking(posts: Sequence[LabelledPost], others: Sequence[LabelledPost]) -> set[str]:
    """Ids of the posts that stand among the others, word for word or nearly."""
    return {leak.train_id for leak in leaks(posts, others)} if posts and others else set()


def crossfitted(train: Sequence[LabelledPost]) -> Scorer:
    """Probabilities of each level for new posts, by a floor trained without the part of the data their origins are in.

    A post with several origins, or none, gets the mean over all parts. Raises InputError as `grouped_folds` does.
    """
    graded = [post for post in train if post.level is not None]
    parts = grouped_folds(graded, SCORER_PARTS)
    home = {post.id: k for k, part in enumerate(parts) for post in part.validation}
    models = []
    if any(len({post.level for post in part.train}) < 2 for part in parts):
        raise InputError(
            say(
                "filter 'label' needs training posts of two levels or more; leave it out",
                "筛选规则 label 需要至少两个等级的训练帖；请去掉它",
            )
        )
    for part in parts:
        model = baselines.new(SCORER, len(LEVELS))
        model.fit([post.text for post in part.train], [post.level or 0 for post in part.train])
        models.append(model)

    def score(posts: Sequence[Augmented]) -> baselines.Floats:
        each = np.stack([model.predict_proba([post.text for post in posts]) for model in models])
        at = [home.get(post.origins[0]) if len(post.origins) == 1 else None for post in posts]
        mean: baselines.Floats = each.mean(axis=0)
        return np.stack([mean[i] if k is None else each[k, i] for i, k in enumerate(at)])

    return score


def _given(what: str, posts: Round) -> tuple[list[LabelledPost], dict[str, object]]:
    if what.partition("/")[0] == AUTHORS and posts.name != THEIR_FOLD:
        raise InputError(
            say(
                f"{AUTHORS} was made for {THEIR_FOLD} and holds the other folds rewritten, too far for an audit to see; "
                f"it can be compared on {THEIR_FOLD} only",
                f"{AUTHORS} 是为 {THEIR_FOLD} 制作的，含有其他各折的改写，且改得太远、审查看不出；只能在 {THEIR_FOLD} 上比较",
            )
        )
    found = [post for post in _posts(what, posts) if post.level is not None or post.high is not None]
    known = {post.text for post in posts.train}
    new = [post for post in {post.text: post for post in found}.values() if post.text not in known]
    gone = leaking(new, posts.held_out)
    return [post for post in new if post.id not in gone], {"leaks": len(gone), "offered": len(found)}


def _posts(what: str, posts: Round) -> Iterable[LabelledPost]:
    if what == INVENTED:
        return [LabelledPost(row.id, row.text, row.level) for row in builtin.invented() if row.level >= 0]
    if not Path(what).is_file():
        return load.load(what)
    return _with_origins(Path(what), posts)


def _with_origins(path: Path, posts: Round) -> list[LabelledPost]:
    """The posts of a file, without those that were made from, or taught by, posts this round does not train on."""
    train = {post.id for post in posts.train}

    def usable(row: Row) -> bool:
        origins, notes = structured(row, "origins", list), structured(row, "notes", dict)
        taught_in = notes.get("round")
        of_this_round = taught_in is None or _learned_in(str(taught_in), posts)
        return of_this_round and all(origin in train for origin in origins)

    rows = [row for row in files.read_rows(path) if isinstance(row, Skipped) or usable(row)]
    found = list(labelled_from(rows, has_option=False))
    bad = next((each for each in found if isinstance(each, Skipped)), None)
    if bad:
        raise InputError(
            say(
                f"{path}: a record cannot be read; correct it first: {bad}",
                f"{path}：有一条记录无法读取，请先更正：{bad}",
            )
        )
    return [each for each in found if isinstance(each, LabelledPost)]


def _learned_in(taught_in: str, posts: Round) -> bool:
    """Whether a teacher of "DATA/fold1" learned from this round's posts, as far as the names tell."""
    data, _, name = taught_in.rpartition("/")
    return name == posts.name and f"{posts.study}+".startswith(f"{Path(data).stem}+")  # the test set's name may follow


@dataclass(frozen=True, slots=True)
class WithMore:
    """A contender that trains on its round and on what the augmentation adds."""

    contender: Contender
    augmentation: Augmentation

    @property
    def name(self) -> str:
        return f"{self.contender.name}+{self.augmentation.text}"

    @property
    def on_gpu(self) -> bool:
        return self.contender.on_gpu

    def identity(self, task: Task) -> dict[str, object]:
        return {**self.contender.identity(task), "augmentation": self.augmentation.identity()}

    def added_sha256(self, round_: str, seed: int) -> str | None:
        return self.augmentation.added_sha256(round_, seed)

    def answer(self, task: Task, posts: Round, seed: int, folder: Path) -> Answer:
        more, notes = self.augmentation.more(posts, seed)
        labelled = tuple(post for post in map(_with_high, more) if label(post, task) is not None)
        if self.augmentation.given and not labelled:
            raise InputError(
                say(
                    f"{self.augmentation.given}: adds nothing to {posts.name} for task '{task}': of {notes['offered']} labelled "
                    f"posts that it may use {notes['leaks']} leak, and the others stand in training already or lack this task's "
                    "label; label the posts, or leave them out of --augment",
                    f"{self.augmentation.given}：没有给 {posts.name} 的任务 {task} 增加任何帖子：可用的 {notes['offered']} 条已标注帖子中，"
                    f"{notes['leaks']} 条泄漏，其余已在训练集中或没有此任务的标注；请补标注，或从 --augment 中去掉",
                )
            )
        answer = self.contender.answer(task, replace(posts, added=labelled), seed, folder)
        return replace(answer, notes={**answer.notes, "augmentation": {"added": len(labelled), **notes}})


def _with_high(post: LabelledPost) -> LabelledPost:
    """High or low by its level where nobody said which."""
    return replace(post, high=post.level >= HIGH_FROM) if post.high is None and post.level is not None else post


def with_augmentation(contenders: Mapping[str, Contender], texts: Sequence[str]) -> dict[str, Contender]:
    """Every contender as it is, and once more with each augmentation, by name."""
    more = [WithMore(each, augmentation(text)) for text in texts for each in contenders.values()]
    return {**contenders, **{each.name: each for each in more}}
