"""The grid of task × model × round × seed: each cell is run once, and again only if it did not finish."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np

from shouwang import scale
from shouwang.benchmark.study import Round, Study, labels
from shouwang.evaluate import Answers, Options, Task, jsonable, measured, of_high, of_levels, per_class
from shouwang.files import write_line
from shouwang.models import baselines
from shouwang.models.baselines import Classifier, Floats

PREDICTIONS, RESULT, DONE = "predictions.jsonl", "result.json", "done"
CLASSES: dict[Task, int] = {"levels": len(scale.LEVELS), "high": 2}

Maker = Callable[[str, int, int], Classifier]
"""A model's name, the number of classes and a seed to an untrained classifier."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One training and its judgement."""

    study: str
    task: Task
    model: str
    round: str
    seed: int

    def folder(self, root: Path) -> Path:
        return root / "cells" / self.study / self.task / self.model / self.round / f"seed-{self.seed}"

    def __str__(self) -> str:
        return f"{self.task} · {self.model} · {self.round} · seed {self.seed}"


def cells(study: Study, tasks: Sequence[Task], models: Sequence[str], seeds: Sequence[int] = (0,)) -> list[Cell]:
    """The whole grid, finished or not."""
    return [Cell(study.name, *each) for each in product(tasks, models, study.rounds, seeds)]


def finished(cell: Cell, study: Study, root: Path) -> bool:
    """Whether the cell's completion marker is there, written for the same posts, labels and model version."""
    marker = cell.folder(root) / DONE
    return marker.is_file() and marker.read_text(encoding="utf-8") == _fingerprint(cell, study)


def run(study: Study, grid: Sequence[Cell], root: Path, make: Maker = baselines.new) -> Iterator[tuple[Cell, bool]]:
    """Run the cells that are not finished; yields each cell when it is done, and whether it was run just now."""
    from threadpoolctl import threadpool_limits

    for cell in grid:
        if done := finished(cell, study, root):
            yield cell, not done
            continue
        with threadpool_limits(1):
            _run_one(cell, study, root, make)
        yield cell, True


def _run_one(cell: Cell, study: Study, root: Path, make: Maker) -> None:
    posts = study.rounds[cell.round].for_task(cell.task)
    model = make(cell.model, CLASSES[cell.task], cell.seed)
    begun = time.perf_counter()
    model.fit([post.text for post in posts.train], labels(posts.train, cell.task))
    trained = time.perf_counter()
    probabilities = model.predict_proba([post.text for post in posts.held_out])
    seconds = {"train": round(trained - begun, 3), "predict": round(time.perf_counter() - trained, 3)}
    result = _result(cell, posts, _answers(cell.task, posts, probabilities)) | {
        "seconds": seconds,
        "versions": _versions(),
    }
    _write(cell.folder(root), _rows(cell.task, posts, probabilities), result, _fingerprint(cell, study))


def _answers(task: Task, posts: Round, probabilities: Floats) -> Answers:
    gold = np.array(labels(posts.held_out, task))
    return of_levels(gold, probabilities) if task == "levels" else of_high(gold == 1, probabilities[:, 1])


def _result(cell: Cell, posts: Round, answers: Answers) -> dict[str, object]:
    options = Options()
    return {
        "study": cell.study,
        "task": cell.task,
        "model": cell.model,
        "round": cell.round,
        "seed": cell.seed,
        "posts_sha256": posts.sha256,
        "train_posts": len(posts.train),
        "n": len(posts.held_out),
        "dropped": list(posts.dropped),
        "options": jsonable(options),
        "metrics": jsonable(measured(answers, options)),
        "per_class": jsonable(per_class(answers, options)),
    }


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
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DONE).unlink(missing_ok=True)
    with (folder / PREDICTIONS).open("w", encoding="utf-8") as stream:
        for row in rows:
            write_line(stream, row)
    (folder / RESULT).write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / DONE).write_text(fingerprint, encoding="utf-8")


def _fingerprint(cell: Cell, study: Study) -> str:
    return json.dumps({"posts_sha256": study.rounds[cell.round].for_task(cell.task).sha256, "versions": _versions()})


def _versions() -> dict[str, str]:
    return {package: version(package) for package in ("shouwang", "scikit-learn")}
