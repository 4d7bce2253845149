"""Prediction and gold files, read and matched by id. Nobody drops out in silence."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from shouwang import scale
from shouwang.columns import id_of, labelled_from
from shouwang.errors import InputError
from shouwang.evaluate.answers import SUM_TOLERANCE, THRESHOLD, Answers, Task, of_high, of_levels
from shouwang.files import read_rows
from shouwang.language import Words, say
from shouwang.posts import LabelledPost, Row, Skipped

IDS_SHOWN = 5

T = TypeVar("T", bound="Prediction | LabelledPost")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one post; None where it does not answer that task.

    `p_high` is 0 where the model says that the post is out of its scope: `shouwang assess` never calls one high.
    """

    id: str
    probabilities: tuple[float, ...] | None
    p_high: float | None


@dataclass(frozen=True)
class Read(Generic[T]):
    """Records by id, and what could not be read."""

    source: str
    records: dict[str, T]
    skipped: tuple[Skipped, ...] = ()


Gold = Read[LabelledPost]
Predictions = Read[Prediction]


@dataclass(frozen=True, slots=True)
class Matched:
    """Posts with both a gold label and a prediction for the task, and the ids that lack one of them."""

    answers: Answers
    posts: tuple[LabelledPost, ...]
    unlabelled: tuple[str, ...]
    only_gold: tuple[str, ...]
    only_predicted: tuple[str, ...]
    gold_high_from_level: bool = False


# --- reading --------------------------------------------------------------------------------------------------------


def read_predictions(path: str | Path) -> Predictions:
    """A file as `shouwang assess --output` writes it: `id` with `probabilities` (11), `p_high`, or both.

    In CSV the list is JSON in a cell. Raises InputError when an id stands twice or nothing could be read.
    """
    return _by_id(str(path), map(_prediction, read_rows(path)), Words("prediction", "预测"))


def read_gold(
    path: str | Path,
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    level_column: str | None = None,
    high_column: str | None = None,
) -> Gold:
    """A labelled file. Raises InputError when an id stands twice or nothing could be read."""
    rows = labelled_from(
        read_rows(path),
        text_column=text_column,
        id_column=id_column,
        level_column=level_column,
        high_column=high_column,
        has_option=False,
    )
    return gold_from(str(path), rows)


def gold_from(source: str, posts: Iterable[LabelledPost | Skipped]) -> Gold:
    """Labelled posts from elsewhere, such as a data set. Raises InputError as `read_gold` does."""
    return _by_id(source, posts, Words("gold post", "标注"))


def _by_id(source: str, found: Iterable[T | Skipped], kind: Words) -> Read[T]:
    records: list[T] = []
    skipped: list[Skipped] = []
    for each in found:
        if isinstance(each, Skipped):
            skipped.append(each)
        else:
            records.append(each)
    twice = [name for name, times in Counter(each.id for each in records).items() if times > 1]
    if twice:
        raise InputError(
            say(
                f"{source}: {_some(twice)} found more than once; keep one {kind} for each id",
                f"{source}：{_some(twice)} 重复出现；每个编号请只保留一条{kind}",
            )
        )
    if not records:
        why = say("; ", "；") + str(skipped[0]) if skipped else ""
        raise InputError(
            say(
                f"{source}: no {kind} could be read ({len(skipped)} skipped{why})",
                f"{source}：没有读到任何{kind}（跳过 {len(skipped)} 条{why}）",
            )
        )
    return Read(source, {each.id: each for each in records}, tuple(skipped))


def _some(ids: Sequence[str]) -> str:
    more = len(ids) - IDS_SHOWN
    return say(
        f"{'ids' if len(ids) > 1 else 'id'} {', '.join(ids[:IDS_SHOWN])}" + (f" and {more} more" if more > 0 else ""),
        f"编号 {'、'.join(ids[:IDS_SHOWN])}" + (f" 等 {len(ids)} 个" if more > 0 else ""),
    )


def _prediction(row: Row | Skipped) -> Prediction | Skipped:
    if isinstance(row, Skipped):
        return row
    name = id_of(row.values.get("id"))
    if not name:
        return Skipped(
            row.where,
            say("no 'id'", "没有“id”"),
            say("every prediction needs the id of its post", "每条预测都要有帖子的编号"),
        )
    try:
        probabilities, p_high = _probabilities(row), _probability(row.values.get("p_high"))
    except ValueError as error:
        return Skipped(
            f"{row.where} (post {name})",
            str(error),
            say("write it as shouwang assess does", "请写成 shouwang assess 的格式"),
        )
    if probabilities is None and p_high is None:
        return Skipped(
            f"{row.where} (post {name})",
            say("neither 'probabilities' nor 'p_high'", "“probabilities”与“p_high”都没有"),
            say("one of them is needed", "至少要有一个"),
        )
    if p_high is not None and row.values.get("scope") not in (None, "", "ok"):
        p_high = 0.0  # it has no answer, and is never flagged
    return Prediction(name, probabilities, p_high)


def _probabilities(row: Row) -> tuple[float, ...] | None:
    value = row.values.get("probabilities")
    if value is None or value == "":
        return None
    try:
        numbers = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(
            say("'probabilities' is a text, but not a list in JSON", "“probabilities”是文字，但不是 JSON 列表")
        ) from None
    if not isinstance(numbers, list) or len(numbers) != len(scale.LEVELS):
        n = len(scale.LEVELS)
        raise ValueError(say(f"'probabilities' is not a list of {n} numbers", f"“probabilities”不是 {n} 个数的列表"))
    found = tuple(_probability(number) for number in numbers)
    if any(p is None for p in found) or abs(sum(p or 0 for p in found) - 1) > SUM_TOLERANCE:
        raise ValueError(say("'probabilities' do not sum to 1", "“probabilities”之和不为 1"))
    return tuple(p or 0.0 for p in found)


def _probability(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        p = float(str(value))
    except ValueError:
        p = math.nan
    if not 0 <= p <= 1:
        raise ValueError(say("a probability is not a number from 0 to 1", "概率不是 0 到 1 的数"))
    return p


# --- matching -------------------------------------------------------------------------------------------------------


def match(task: Task, gold: Gold, predictions: Predictions, threshold: float = THRESHOLD) -> Matched:
    """Gold and predictions side by side, in gold's order.

    A gold that holds levels and no high/low label at all counts as high from `scale.HIGH_FROM` on, and says so.
    Raises InputError when no post has both.
    """
    from_level = task == "high" and high_from_level(gold.records.values())
    wanted = label_of(task, from_level)
    labels = {name: label for name, post in gold.records.items() if (label := wanted(post)) is not None}
    answered = {name: p for name, each in predictions.records.items() if (p := _answer(task, each)) is not None}
    both = [name for name in labels if name in answered]
    if not both:
        raise InputError(
            say(
                f"task '{task}': no post is in both {gold.source} ({len(labels)} labelled) and {predictions.source} "
                f"({len(answered)} answered); check the ids and columns",
                f"任务 {task}：没有帖子同时在 {gold.source}（{len(labels)} 条有标注）与 {predictions.source}"
                f"（{len(answered)} 条有预测）之中；请检查编号与列",
            )
        )
    chosen, given = [labels[name] for name in both], [answered[name] for name in both]
    return Matched(
        of_levels(chosen, given) if task == "levels" else of_high([bool(c) for c in chosen], given, threshold),
        tuple(gold.records[name] for name in both),
        unlabelled=tuple(name for name in gold.records if name not in labels),
        only_gold=tuple(name for name in labels if name not in answered),
        only_predicted=tuple(name for name in answered if name not in gold.records),
        gold_high_from_level=from_level,
    )


def high_from_level(posts: Iterable[LabelledPost]) -> bool:
    """Whether levels say which posts are high, since no post at all has a high/low label."""
    return all(post.high is None for post in posts)


def label_of(task: Task, from_level: bool) -> Callable[[LabelledPost], int | None]:
    """What tells a post's class, 1 for high; None where it has no label. `from_level` as `high_from_level` says."""
    if task == "levels":
        return lambda post: post.level
    if from_level:
        return lambda post: None if post.level is None else int(post.level >= scale.HIGH_FROM)
    return lambda post: None if post.high is None else int(post.high)


def answerable(task: Task, gold: Gold, predictions: Predictions) -> bool:
    """Whether both sides hold something for the task at all."""
    labelled = any(post.level is not None or (task == "high" and post.high is not None) for post in _all(gold))
    return labelled and any(_answer(task, each) is not None for each in _all(predictions))


def _all(read: Read[T]) -> Iterable[T]:
    return read.records.values()


def _answer(task: Task, prediction: Prediction) -> tuple[float, ...] | float | None:
    return prediction.probabilities if task == "levels" else prediction.p_high
