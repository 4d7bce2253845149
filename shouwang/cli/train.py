"""`shouwang train-default`: the built-in model from public data, by one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from shouwang.cli.options import AsJson, DropLeaks
from shouwang.language import LANGUAGES, language, say, use_language

CORE = tuple(f"sos-1k/fold{number}" for number in range(1, 6))
TEST = "sos-1k/test"
FURTHER = ("sos-4k/train", "sos-4k/val")
EVERYDAY = "everyday/virus-train"
EVERYDAY_USED = 3_000
ORDINARY = "everyday/usual-eval"
UNRELATED = "psyguard/valid"
UNRELATED_LABEL = "与自杀/自伤/攻击行为无关"
NAME, VERSION = "shouwang-hashed", "1"


def train_default(
    output: Annotated[Path, typer.Option(help=say("The folder to write.", "输出目录。"))] = Path("runs/default"),
    drop_leaks: DropLeaks = False,
    as_json: AsJson = False,
) -> None:
    """Load, audit, fit, measure, write."""
    from shouwang.data.load import load, records
    from shouwang.models import store
    from shouwang.models.model import Model
    from shouwang.train.card import card
    from shouwang.train.default import Corpus, audited, fit
    from shouwang.train.measure import measure

    console = Console(stderr=True, highlight=False)
    corpus = audited(
        Corpus(
            folds=tuple(load(name) for name in CORE),
            further=[post for name in FURTHER for post in load(name)],
            everyday=load(EVERYDAY)[:EVERYDAY_USED],
            test=load(TEST),
        ),
        drop_leaks=drop_leaks,
    )
    console.print(
        say(
            f"{len(corpus.dropped)} training posts left out: they stand in the test set or in the folds. "
            f"Their ids: {output / store.SETTINGS}, data.dropped.",
            f"剔除 {len(corpus.dropped)} 条训练帖：它们也在测试集或各折中。"
            f"编号见 {output / store.SETTINGS} 的 data.dropped。",
        )
    )
    fitted = fit(corpus, say=console.print)
    model = Model(NAME, VERSION, fitted.heads, fitted.threshold)
    unrelated = [
        record.post for record in records(UNRELATED) if UNRELATED_LABEL in cast(list[str], record.extra["labels"])
    ]
    ordinary = {ORDINARY: load(ORDINARY), f"{UNRELATED} ({UNRELATED_LABEL})": unrelated}
    notes: dict[str, Any] = {
        "command": "shouwang train-default --drop-leaks",
        "data": {
            "used": [
                {"role": "core", "source": "sos-1k/folds", "posts": sum(map(len, corpus.folds))},
                {"role": "further", "source": ", ".join(FURTHER), "posts": len(corpus.further)},
                {"role": "everyday", "source": EVERYDAY, "posts": len(corpus.everyday)},
                {"role": "test", "source": TEST, "posts": len(corpus.test)},
                *({"role": "ordinary", "source": name, "posts": len(posts)} for name, posts in ordinary.items()),
            ],
            "dropped": list(corpus.dropped),
        },
        "metrics": measure(model, fitted, corpus.test, ordinary),
    }
    store.save(model, output, notes)
    settings = json.loads((output / store.SETTINGS).read_text(encoding="utf-8"))
    shown = language()
    for each, name in zip(LANGUAGES, ("CARD.zh.md", "CARD.md"), strict=True):
        use_language(each)
        (output / name).write_text(card(settings), encoding="utf-8")
    use_language(shown)
    if as_json:
        typer.echo(json.dumps(settings["metrics"], ensure_ascii=False, indent=1))
    else:
        typer.echo(card(settings))
    console.print(say(f"The model: {output}", f"模型：{output}"))
