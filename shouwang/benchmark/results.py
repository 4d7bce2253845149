"""A finished cell as its files say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shouwang.errors import InputError
from shouwang.evaluate import TASKS, Answers, Task, of_high, of_levels
from shouwang.language import say

PREDICTIONS, RESULT, DONE = "predictions.jsonl", "result.json", "done"
TRAINING = "training"
"""Below a cell: the run folder of an encoder, which has a completion marker of its own."""
STORED: dict[str, type] = {
    **dict.fromkeys(("study", "task", "model", "round", "posts_sha256"), str),
    **dict.fromkeys(("seed", "train_posts"), int),
    **dict.fromkeys(("contender", "seconds", "notes"), dict),
    "dropped": list,
}


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """`contender` is what, besides posts and seed, decided it; `seconds` are by step, "total" among them.

    `folds_sha256` is "" in results from before it was kept.
    """

    folder: Path
    study: str
    task: Task
    model: str
    round: str
    seed: int
    contender: Mapping[str, Any]
    posts_sha256: str
    train_posts: int
    dropped: Sequence[str]
    seconds: Mapping[str, float]
    notes: Mapping[str, Any]
    answers: Answers
    folds_sha256: str = ""


def read(folder: Path) -> Result:
    """Raises InputError that names the file which is missing, cut off or not what a cell writes."""
    path = folder / RESULT
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        stored = _stored(found)
        path = folder / PREDICTIONS
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        answers = _answers(found["task"], rows)
        if len(answers) != found["n"]:
            n = found["n"]
            raise InputError(
                say(f"{len(answers)} posts, where {RESULT} says {n}", f"{len(answers)} 条，而 {RESULT} 说是 {n}")
            )
        return Result(folder=folder, answers=answers, folds_sha256=found.get("folds_sha256", ""), **stored)
    except (OSError, ValueError, KeyError, TypeError, InputError) as error:
        why = _short(error)
        raise InputError(
            say(
                f"{path}: broken ({why}); delete its folder, or run its cell again",
                f"{path}：已损坏（{why}）；请删除其文件夹，或重新运行这一格",
            )
        ) from None


def _stored(found: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyError, TypeError or ValueError for what a cell does not write, as a hand leaves it."""
    stored = {name: found[name] for name in STORED}
    wrong = [name for name, kind in STORED.items() if not isinstance(stored[name], kind)]
    if not isinstance(found["n"], int):
        wrong.append("n")
    if stored["task"] not in TASKS:
        wrong.append("task")
    if "seconds" not in wrong and not isinstance(stored["seconds"]["total"], int | float):
        wrong.append("seconds")
    if "dropped" not in wrong and not all(isinstance(name, str) for name in stored["dropped"]):
        wrong.append("dropped")
    if "train_posts" not in wrong and stored["train_posts"] < 1:
        wrong.append("train_posts")
    if wrong:
        raise ValueError(say(f"'{wrong[0]}' is not what a cell writes there", f"“{wrong[0]}”不是格所写的内容"))
    return stored


def _answers(task: Task, rows: list[dict[str, Any]]) -> Answers:
    gold = [row["gold"] for row in rows]
    if task == "levels":
        return of_levels(gold, [row["probabilities"] for row in rows])
    return of_high([bool(each) for each in gold], [row["p_high"] for row in rows])


def _short(error: Exception) -> str:
    return say(f"{error} is missing", f"缺 {error}") if isinstance(error, KeyError) else str(error).partition("\n")[0]


def finished(root: Path) -> tuple[list[Result], tuple[str, ...]]:
    """Every finished cell below `root`, and what is wrong with those whose files are broken."""
    results, broken = [], []
    for marker in sorted(root.glob(f"cells/**/{DONE}")):
        if marker.parent.name == TRAINING:
            continue
        try:
            results.append(read(marker.parent))
        except InputError as error:
            broken.append(str(error))
    return results, tuple(broken)
