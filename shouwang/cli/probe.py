"""`shouwang probe`: what a model does when posts are disguised, or when its evidence is taken away."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from shouwang import lookup, scale
from shouwang.cli.evaluate import labelled
from shouwang.cli.options import AsJson, ModelFolder
from shouwang.errors import ALL_WELL, SOME_SKIPPED, InputError
from shouwang.evaluate import faithfulness, jsonable, robustness
from shouwang.evaluate.answers import Floats
from shouwang.evaluate.intervals import Difference, Interval
from shouwang.evaluate.obfuscate import KINDS
from shouwang.evaluate.predictions import high_from_level, label_of
from shouwang.language import Words, say
from shouwang.posts import Assessment, Skipped
from shouwang.scale import INDICATORS

if TYPE_CHECKING:
    from shouwang.models.model import Model

app = typer.Typer(
    no_args_is_help=True,
    help=say("Disguise posts, take evidence away, and see what a model does.", "伪装帖子、去掉依据，看模型如何应对。"),
)

Output = Annotated[Path | None, typer.Option(help=say("Write the whole result as JSON.", "把完整结果写成 JSON。"))]
Seed = Annotated[int, typer.Option(min=0, help=say("Seed of all that is drawn.", "随机抽取所用的种子。"))]
Scorer = Callable[[Sequence[str]], Floats]


@app.command("robustness", help=say("Recall lost on disguised posts.", "帖子被伪装后损失多少召回率。"))
def probe_robustness(
    posts: Annotated[
        str,
        typer.Argument(
            help=say(
                "A labelled file, or a data set such as sos-1k/fold1; its high posts are used.",
                "已标注的文件，或数据集名，如 sos-1k/fold1；用其中的高风险帖子。",
            )
        ),
    ],
    everyday: Annotated[
        str | None,
        typer.Option(
            help=say(
                "A file or data set of posts of which none should be flagged.",
                "不该被标为高风险的帖子：文件或数据集名。",
            )
        ),
    ] = None,
    model: ModelFolder = None,
    operating_point: Annotated[
        str | None,
        typer.Option(
            help=say("Such as recall95; the model's own if not given.", "如 recall95；默认用模型自己的阈值。")
        ),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help=say("Only this kind of disguise (repeatable).", "只用这种伪装（可重复）。"))
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
    seed: Seed = 0,
) -> None:
    kinds = kind or list(KINDS)
    for name in kinds:
        lookup.get(KINDS, name, "kind of obfuscation")
    loaded = _load(model, operating_point)
    read, ordinary = labelled(posts), labelled(everyday) if everyday else None
    is_high = label_of("high", high_from_level(read.records.values()))
    high = [post.text for post in read.records.values() if is_high(post)]
    if not high:
        raise InputError(
            say(
                f"{posts}: no high posts; give a file with the column 'high' or 'level'",
                f"{posts}：没有高风险帖；请给出含 high 或 level 列的文件",
            )
        )
    calm = [post.text for post in ordinary.records.values()] if ordinary else []
    with _progress((len(high) + len(calm)) * (1 + len(kinds))) as progress:
        read_in = robustness.readings(high, calm, _p_high(loaded), kinds=kinds, seed=seed, progress=progress)
    found = robustness.robustness([read_in], loaded.threshold, seed=seed)
    record = {"model": _name(loaded), "posts": posts, "everyday": everyday, "seed": seed, **asdict(found)}
    record |= {"worst_loss": found.worst_loss, "worst_rise": found.worst_rise}
    skipped = (*read.skipped, *(ordinary.skipped if ordinary else ()))
    _finish(record, skipped, output, as_json, lambda console: console.print(_kinds_table(found, _name(loaded))))


@app.command("faithfulness", help=say("What scores lose without their evidence.", "去掉依据后分数下降多少。"))
def probe_faithfulness(
    posts: Annotated[str, typer.Argument(help=say("A file of posts, or a data set.", "帖子文件，或数据集名。"))],
    model: ModelFolder = None,
    of: Annotated[
        Literal["high", "pain", "wish", "plan", "method", "time"],
        typer.Option(
            help=say(
                "Which score, with its evidence; high: p_high, with the evidence of all indicators.",
                "哪个分数及其依据；high：p_high 与全部指标的依据。",
            )
        ),
    ] = "high",
    draws: Annotated[
        int, typer.Option(min=1, help=say("Random places for each post.", "每条帖子随机取几处。"))
    ] = faithfulness.DRAWS,
    output: Output = None,
    as_json: AsJson = False,
    seed: Seed = 0,
) -> None:
    loaded, rng = _load(model, None), np.random.default_rng(seed)
    read = labelled(posts)
    texts = [post.text for post in read.records.values()]
    spans = [[(e.start, e.end) for e in each.evidence if of in ("high", e.indicator)] for each in loaded.assess(texts)]
    with _progress(sum(map(bool, spans))) as progress:
        drops = faithfulness.drops(texts, spans, _score_of(loaded, of), rng, draws, progress)
    found = faithfulness.faithfulness([drops], rng)
    record = {"model": _name(loaded), "posts": posts, "of": of, "draws": draws, "seed": seed, **asdict(found)}
    _finish(record, read.skipped, output, as_json, lambda console: _show_faithfulness(console, found, of))


# --- the model ------------------------------------------------------------------------------------------------------


def _load(folder: Path | None, point: str | None) -> Model:
    from shouwang.models import store  # takes a third of a second, which the other commands do without

    model = store.load(folder)
    return model if point is None else model.at(point)


def _name(model: Model) -> str:
    return f"{model.name} {model.version}"


def _p_high(model: Model) -> Scorer:
    """Posts out of scope are not flagged, whatever their number."""
    return _scorer(model, lambda each: each.p_high if each.scope == "ok" else 0.0)


def _score_of(model: Model, of: str) -> Scorer:
    chosen = next((name for name in INDICATORS if name == of), None)
    return _scorer(model, lambda each: each.indicators.get(chosen, 0.0)) if chosen else _p_high(model)


def _scorer(model: Model, number: Callable[[Assessment], float]) -> Scorer:
    return lambda texts: np.array([number(each) for each in model.stream(texts)])


# --- for people -----------------------------------------------------------------------------------------------------


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error, and what moves it on."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(say("assessing", "评估中"), total=total)
        yield lambda count: bar.advance(task, count)


def _finish(
    record: dict[str, object],
    skipped: Sequence[Skipped],
    output: Path | None,
    as_json: bool,
    show: Callable[[Console], None],
) -> None:
    """Print and write, so that a file that cannot be written costs no result; the exit code tells of skipped records."""
    details = json.dumps(jsonable(record | {"skipped": [str(each) for each in skipped]}), ensure_ascii=False, indent=1)
    console = Console()
    if as_json:
        typer.echo(details)
    else:
        show(console)
        for each in skipped:
            console.print(say(f"skipped: {each}", f"跳过：{each}"), highlight=False, markup=False)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(details + "\n", encoding="utf-8")
        if not as_json:
            console.print(say(f"All details: {output}", f"全部细节：{output}"), soft_wrap=True)
    raise typer.Exit(SOME_SKIPPED if skipped else ALL_WELL)


def _kinds_table(found: robustness.Robustness, model: str) -> Table:
    title = say(
        f"{model}, flagged from p_high {found.threshold:g}: {found.high_posts} high posts, "
        f"{found.everyday_posts} everyday posts",
        f"{model}，p_high 达到 {found.threshold:g} 即标出：{found.high_posts} 条高风险帖，{found.everyday_posts} 条日常帖",
    )
    table = Table(title=title, title_justify="left")
    table.add_column(say("disguise", "伪装方式"), no_wrap=True)
    for heading in (
        say("changed", "被改动"),
        say("recall", "召回率"),
        say("loss [95%]", "损失 [95%]"),
        say("false flags", "误报率"),
        say("rise [95%]", "增加 [95%]"),
    ):
        table.add_column(heading, justify="right")
    table.add_row(say("(none)", "（无）"), "", _percent(found.loss.first), "", _percent(found.rise.second), "")
    for kind, each in found.kinds.items():
        table.add_row(kind, str(each.changed), *_moves(each.loss, each.rise))
    table.add_row(say("mean of all", "各方式平均"), "", *_moves(found.loss, found.rise))
    table.caption = say(
        "loss: recall clean minus disguised; rise: everyday posts flagged disguised minus clean; points",
        "损失：原文召回率减伪装后；增加：日常帖伪装后误报率减原文；单位为百分点",
    )
    return table


def _moves(loss: Difference, rise: Difference) -> tuple[str, str, str, str]:
    return _percent(loss.second), _points(loss), _percent(rise.first), _points(rise)


def _show_faithfulness(console: Console, found: faithfulness.Faithfulness, of: str) -> None:
    names: dict[str, Words] = dict(scale.INDICATOR_NAMES.items()) | {"high": Words("high risk", "高风险")}
    title = say(f"{names[of]}: {found.n} posts with evidence", f"{names[of]}：{found.n} 条有依据的帖子")
    table = Table(title=title, title_justify="left")
    for heading in (
        say("drop of the score", "分数下降"),
        say("evidence", "依据"),
        say("random", "随机"),
        say("difference [95%]", "差值 [95%]"),
    ):
        table.add_column(heading)
    removed, roomy, alone = found.comprehensiveness, found.with_room, found.sufficiency
    table.add_row(
        say("when removed (more is better)", "去掉之后（越大越好）"),
        *(_percent(removed.first), _percent(removed.second), _points(removed)),
    )
    table.add_row(
        say(
            f"the same, {found.n - found.crowded} posts with room", f"同上，依据外有余地的 {found.n - found.crowded} 条"
        ),
        *(_percent(roomy.first), _percent(roomy.second), _points(roomy)),
    )
    table.add_row(
        say("when nothing else is left (less is better)", "只留它时（越小越好）"),
        *(_percent(alone.second), _percent(alone.first), _points(alone)),
    )
    console.print(table)
    console.print(
        say(
            f"{found.larger.count} of {found.n} posts lose more without their evidence than without random places; "
            f"{found.without_evidence} posts have no evidence; in {found.crowded} it fills more than half of the post.",
            f"{found.n} 条中有 {found.larger.count} 条去掉依据比去掉随机片段下降更多；{found.without_evidence} 条没有依据；"
            f"{found.crowded} 条的依据占了一半以上。",
        ),
        highlight=False,
    )


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"


def _points(each: Interval) -> str:
    if math.isnan(each.low):
        return "–"
    return f"{100 * each.value:+.1f} [{100 * each.low:+.1f}…{100 * each.high:+.1f}]"
