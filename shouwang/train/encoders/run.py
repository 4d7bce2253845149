"""One run, one folder: what was asked, what happened at every epoch, what came out; `done` is written last."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shouwang.errors import InputError
from shouwang.evaluate import Options, jsonable, measured
from shouwang.files import alone, write_line
from shouwang.language import LANGUAGES, language, say, use_language
from shouwang.models.heads import Floats, Task
from shouwang.posts import LabelledPost
from shouwang.train.encoders import checkpoint, loop
from shouwang.train.encoders.card import card
from shouwang.train.encoders.data import encoded
from shouwang.train.encoders.encoder import Encoder, open_encoder, save_encoder
from shouwang.train.encoders.hardware import environment, naming_memory
from shouwang.train.encoders.settings import Settings
from shouwang.train.encoders.splits import Posts, Splits, checked

SETTINGS, ENVIRONMENT, EPOCHS, RESULT, DONE = (
    "settings.json",
    "environment.json",
    "metrics.jsonl",
    "result.json",
    "done",
)
CONFIG, WEIGHTS = "config.json", "model.safetensors"
CARDS = {"en": "README.md", "zh": "README.zh.md"}
PREDICTIONS = "predictions-{}.jsonl"
LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Run:
    """What its folder says: `settings` and `result` are its JSON files, `epochs` its metrics, one row per epoch."""

    folder: Path
    settings: Mapping[str, Any]
    epochs: Sequence[Mapping[str, Any]]
    result: Mapping[str, Any]


def train(
    model: str,
    splits: Splits,
    settings: Settings,
    folder: Path,
    *,
    revision: str | None = None,
    drop_leaks: bool = False,
    report: loop.Report = lambda done, steps, loss: None,
    finished: loop.Finished = lambda epochs: None,
) -> Run:
    """Check, fine-tune, predict, save; a run that is finished is read, one that was cut off goes on.

    Raises InputError before anything starts for posts that cannot be used (`checked`), for a model that cannot be
    loaded, and for a folder that holds another run or that another process trains in; and as `fit` does when memory or disk
    runs out.
    """
    splits = checked(splits, settings.tasks, drop_leaks=drop_leaks)
    asked = _asked(model, revision, splits, settings)
    if _begun(folder, asked) and (folder / DONE).is_file():
        checkpoint.clear(folder)
        return read(folder)
    encoder = open_encoder(model, settings, revision)  # a model that cannot be opened leaves no folder
    taken = say(
        f"{folder}: another run is training there just now; wait until it ends, or end it, and give the command again",
        f"{folder}：另一个进程正在那里训练；请等它结束，或先结束它，再运行此命令",
    )
    folder.mkdir(parents=True, exist_ok=True)
    with alone(
        folder / LOCK, taken
    ):  # not beside it: the folder may be all that can be written, as where it is mounted
        return _trained(encoder, splits, settings, folder, asked, report, finished)


def _trained(
    encoder: Encoder,
    splits: Splits,
    settings: Settings,
    folder: Path,
    asked: Mapping[str, Any],
    report: loop.Report,
    finished: loop.Finished,
) -> Run:
    about = {
        "resolved": {
            "source": encoder.backbone.source,
            "revision": encoder.backbone.revision,
            "architecture": encoder.backbone.model.config.model_type,
            "licence": encoder.backbone.entry.licence if encoder.backbone.entry else None,
            "parameters": encoder.parameters,
            "longest": encoder.longest,
            "rate": encoder.rate,
        }
    }
    _write_json(folder / SETTINGS, {**asked, **about})
    _write_json(folder / ENVIRONMENT, environment(settings, encoder.device))
    _fit_and_judge(encoder, splits, settings, folder, report, finished)
    save_encoder(encoder, folder)
    run = read(folder)
    _write_cards(run)
    _write(folder / DONE, "")
    checkpoint.clear(folder)
    return run


def read(folder: Path) -> Run:
    """A finished run. Raises InputError when it is not one."""
    try:
        settings, result = (json.loads((folder / name).read_text(encoding="utf-8")) for name in (SETTINGS, RESULT))
        lines = (folder / EPOCHS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise InputError(
            say(f"{folder}: no finished run here ({missing} is missing)", f"{folder}：没有完成的训练（缺少 {missing}）")
        ) from None
    return Run(folder, settings, [json.loads(line) for line in lines], result)


def _asked(model: str, revision: str | None, splits: Splits, settings: Settings) -> dict[str, Any]:
    """What makes a run this run and no other."""
    return {
        "model": model,
        "revision": revision,
        "settings": asdict(settings),
        "data": {
            "name": splits.name,
            "sha256": splits.sha256,
            **{part: len(posts) for part, posts in _parts(splits).items()},
            "leaked": list(splits.leaked),
            "unlabelled": list(splits.unlabelled),
        },
    }


def _begun(folder: Path, asked: Mapping[str, Any]) -> bool:
    """Whether the folder holds this very run. Raises InputError when it holds another, or files that a run would replace."""
    path = folder / SETTINGS
    if not path.is_file():
        if theirs := [name for name in (*CARDS.values(), CONFIG, WEIGHTS) if (folder / name).exists()]:
            raise InputError(
                say(
                    f"{folder}: holds no run, but {', '.join(theirs)}, which a run would write over; choose another --output",
                    f"{folder}：不是训练文件夹，却有 {'、'.join(theirs)}，训练会覆盖它们；请换一个 --output",
                )
            )
        return False
    try:
        found = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(
            say(
                f"{path}: cannot be read ({error}); choose another --output, or delete the folder",
                f"{path}：无法读取（{error}）；请换一个 --output，或删去该文件夹",
            )
        ) from None
    other = [name for name in asked if found.get(name) != asked[name]]
    if other:
        raise InputError(
            say(
                f"{folder}: holds a run with other {' and '.join(other)} ({path.name} says which); "
                "choose another --output, or delete the folder",
                f"{folder}：其中的训练与这次不同（{'、'.join(other)}，见 {path.name}）；请换一个 --output，或删去该文件夹",
            )
        )
    return True


def _parts(splits: Splits) -> dict[str, Posts]:
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def _fit_and_judge(
    encoder: Encoder,
    splits: Splits,
    settings: Settings,
    folder: Path,
    report: loop.Report,
    finished: loop.Finished,
) -> None:
    posts = {
        part: encoded(encoder.tokenizer, each, settings.tasks, encoder.longest) for part, each in _parts(splits).items()
    }

    def note(epochs: checkpoint.Epochs) -> None:
        _write(folder / EPOCHS, "".join(json.dumps(row) + "\n" for row in epochs))
        finished(epochs)

    epochs = loop.fit(encoder, posts["train"], posts["validation"], settings, folder, report, note)
    result: dict[str, Any] = {
        "epochs": len(epochs),
        "best_epoch": loop.best_epoch(epochs),
        "seconds": round(sum(row["seconds"] for row in epochs), 1),
        "peak_memory_mb": max(row["peak_memory_mb"] for row in epochs),
    }
    for part in ("validation", "test"):
        if len(posts[part]):
            with naming_memory(settings):
                predicted = loop.predict(encoder, posts[part], settings, exact=True)
            _write_predictions(folder / PREDICTIONS.format(part), _parts(splits)[part], predicted)
            scores = {task: measured(each, Options()) for task, each in loop.answers(posts[part], predicted).items()}
            result[part] = jsonable(scores)
    _write_json(folder / RESULT, result)


def _write_predictions(path: Path, posts: Sequence[LabelledPost], predicted: Mapping[Task, Floats]) -> None:
    """As `shouwang evaluate` reads them; no text."""
    with path.open("w", encoding="utf-8") as stream:
        for row, post in enumerate(posts):
            answer: dict[str, object] = {"id": post.id}
            if "levels" in predicted:
                answer["probabilities"] = [round(float(p), 6) for p in predicted["levels"][row]]
            if "high" in predicted:
                answer["p_high"] = round(float(predicted["high"][row, 1]), 6)
            write_line(stream, answer)


def _write_cards(run: Run) -> None:
    shown = language()
    try:
        for each in LANGUAGES:
            use_language(each)
            _write(run.folder / CARDS[each], card(run.settings, run.result))
    finally:
        use_language(shown)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    """The whole file or the one that was there before."""
    partial = path.with_name(path.name + ".partial")
    with checkpoint.room_for(path):
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
