"""The grid of task × model × round × seed: each cell is run once, and again only if it did not finish."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from shouwang.benchmark.contenders import Answer, Contender, prune
from shouwang.benchmark.results import DONE, PREDICTIONS, RESULT, read
from shouwang.benchmark.study import Round, Study, labels
from shouwang.errors import InputError, ShouwangError, where
from shouwang.evaluate import Answers, Options, Task, jsonable, measured, of_high, of_levels, per_class
from shouwang.files import write_line
from shouwang.language import say
from shouwang.models.baselines import Floats

ASKED = "asked"
"""Written when a cell begins: what it is. A folder that holds another is emptied first."""


ESCAPED = {ord(each): f"%{ord(each):02X}" for each in '%/\\:*?"<>|'}
"""What cannot stand in the name of a folder everywhere, as in a web address: no two models share a folder."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One training and its judgement."""

    study: str
    task: Task
    model: str
    round: str
    seed: int

    def folder(self, root: Path) -> Path:
        model = self.model.translate(ESCAPED)
        return root / "cells" / self.study / self.task / model / self.round / f"seed-{self.seed}"

    def __str__(self) -> str:
        return f"{self.task} · {self.model} · {self.round} · seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Job:
    """A cell with all that another process needs to run it."""

    cell: Cell
    posts: Round
    contender: Contender
    fingerprint: str
    root: Path
    keep_weights: bool = False
    folds_sha256: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Whether a cell is finished; `broken` names the file because of which it is not."""

    finished: bool
    broken: str | None = None


def cells(study: Study, tasks: Sequence[Task], models: Sequence[str], seeds: Sequence[int] = (0,)) -> list[Cell]:
    """The whole grid, finished or not. Raises InputError where two models' folders would be one on some disks."""
    twice = [name for name, times in Counter(model.casefold() for model in models).items() if times > 1]
    if twice:
        raise InputError(
            say(
                f"two models are called '{twice[0]}', but for capital letters, which not every disk tells apart; rename one",
                f"有两个模型都叫“{twice[0]}”，仅大小写不同，有的磁盘无法区分；请给其中一个改名",
            )
        )
    return [Cell(study.name, *each) for each in product(tasks, models, study.rounds, seeds)]


def jobs(
    study: Study, grid: Sequence[Cell], models: Mapping[str, Contender], root: Path, *, keep_weights: bool = False
) -> list[Job]:
    """Raises InputError when a round has no labels for a task."""
    rounds = {(name, task): study.rounds[name].for_task(task) for name, task in {(c.round, c.task) for c in grid}}
    posts = {key: each.sha256 for key, each in rounds.items()}
    folds = study.folds_sha256
    about = {(name, task): models[name].identity(task) for name, task in {(c.model, c.task) for c in grid}}
    return [
        Job(
            cell,
            rounds[cell.round, cell.task],
            models[cell.model],
            _fingerprint(
                cell,
                posts[cell.round, cell.task],
                about[cell.model, cell.task],
                models[cell.model].added_sha256(cell.round, cell.seed),
            ),
            root,
            keep_weights,
            folds,
        )
        for cell in grid
    ]


def _fingerprint(cell: Cell, posts: str, about: Mapping[str, object], added: str | None) -> str:
    asked: dict[str, object] = {"task": cell.task, "seed": cell.seed, "posts_sha256": posts, "contender": about}
    if added:
        asked["added_sha256"] = added
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def state(job: Job) -> State:
    """Finished: the completion marker is there, for the same posts, labels, model and settings, and files are whole."""
    folder = job.cell.folder(job.root)
    marker = folder / DONE
    if not marker.is_file() or marker.read_text(encoding="utf-8") != job.fingerprint:
        return State(False)
    try:
        read(folder)
    except InputError as error:
        return State(False, str(error))
    return State(True)


def check_writable(root: Path) -> None:
    """Make the results folder. Raises InputError when it cannot be made or written to."""
    probe = root / f".writable-{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            say(
                f"{root}: results cannot be written there ({why}); choose another --output",
                f"{root}：结果无法写入（{why}）；请用 --output 另选一处",
            )
        ) from None


def run_job(job: Job) -> str | None:
    """Run one cell on one thread; the reason when it could not be finished, which leaves the other cells alone."""
    from threadpoolctl import threadpool_limits

    try:
        with threadpool_limits(1):
            _run(job)
    except ShouwangError as error:
        return str(error)
    except OSError as error:
        return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
    except Exception as error:  # a library's; a message of it may quote a post
        return where(error)
    return None


def _run(job: Job) -> None:
    cell, folder = job.cell, _prepared(job)
    begun = time.perf_counter()
    answer = job.contender.answer(cell.task, job.posts, cell.seed, folder)
    total = max(time.perf_counter() - begun, sum(answer.seconds.values()))
    seconds = {name: round(value, 3) for name, value in {**answer.seconds, "total": total}.items()}
    result = _result(job, answer) | {"seconds": seconds, "notes": jsonable(answer.notes)}
    _write(folder, _rows(cell.task, job.posts, answer.probabilities), result, job.fingerprint)
    if not job.keep_weights:
        prune(folder)


def _prepared(job: Job) -> Path:
    """The cell's folder, without what another posts, settings or version left there; what an interrupted run of this
    very cell left stays, so that a training goes on."""
    folder = job.cell.folder(job.root)
    asked = folder / ASKED
    if folder.exists() and (not asked.is_file() or asked.read_text(encoding="utf-8") != job.fingerprint):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    asked.write_text(job.fingerprint, encoding="utf-8")
    return folder


def _result(job: Job, answer: Answer) -> dict[str, object]:
    options, cell, posts = Options(), job.cell, job.posts
    answers = _answers(cell.task, posts, answer.probabilities)
    return {
        "study": cell.study,
        "task": cell.task,
        "model": cell.model,
        "round": cell.round,
        "seed": cell.seed,
        "contender": job.contender.identity(cell.task),
        "posts_sha256": posts.sha256,
        "added_sha256": job.contender.added_sha256(cell.round, cell.seed),
        "folds_sha256": job.folds_sha256,
        "train_posts": len(posts.train),
        "n": len(posts.held_out),
        "dropped": list(posts.dropped),
        "options": jsonable(options),
        "metrics": jsonable(measured(answers, options)),
        "per_class": jsonable(per_class(answers, options)),
    }


def _answers(task: Task, posts: Round, probabilities: Floats) -> Answers:
    gold = np.array(labels(posts.held_out, task))
    return of_levels(gold, probabilities) if task == "levels" else of_high(gold == 1, probabilities[:, 1])


def _rows(task: Task, posts: Round, probabilities: Floats) -> list[dict[str, object]]:
    """What `shouwang evaluate` reads, and the gold class beside it; no text."""
    rows: list[dict[str, object]] = []
    for post, gold, p in zip(posts.held_out, labels(posts.held_out, task), probabilities, strict=True):
        answer = (
            {"probabilities": [round(float(x), 6) for x in p]}
            if task == "levels"
            else {"p_high": round(float(p[1]), 6)}
        )
        rows.append({"id": post.id, "gold": gold, **answer})
    return rows


def _write(folder: Path, rows: Sequence[dict[str, object]], result: dict[str, object], fingerprint: str) -> None:
    """The completion marker goes first and comes last: whatever happens between, the cell is run again."""
    (folder / DONE).unlink(missing_ok=True)
    with (folder / PREDICTIONS).open("w", encoding="utf-8") as stream:
        for row in rows:
            write_line(stream, row)
    (folder / RESULT).write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / DONE).write_text(fingerprint, encoding="utf-8")
