"""`shouwang operating-points`: what each threshold of a model costs and misses; and the same of the one in use."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from shouwang.cli.options import AsJson, BaseRate, ModelFolder, Rest
from shouwang.errors import InputError
from shouwang.language import Words, say

if TYPE_CHECKING:
    from shouwang.models.model import Model
    from shouwang.models.operating import Operating, OperatingPoint, Stream

REST_NAMES = {
    "everyday": Words("everyday posts", "日常帖子"),
    "tree-hole": Words("low posts of a tree hole", "树洞中的低风险帖子"),
}


def operating_points(
    further: Annotated[
        list[str] | None,
        typer.Argument(help=say("More points, such as workload=200/1000.", "更多工作点，例如 workload=200/1000。")),
    ] = None,
    model: ModelFolder = None,
    base_rate: BaseRate = None,
    rest: Rest = None,
    as_json: AsJson = False,
) -> None:
    """Load, look up, show."""
    from shouwang.models import store

    loaded = store.load(model)
    if loaded.operating is None:
        raise InputError(
            say(
                f"model {loaded.name} {loaded.version} states no operating points; name another with --model",
                f"模型 {loaded.name} {loaded.version} 没有工作点；请用 --model 换一个模型",
            )
        )
    stream = stream_of(loaded, base_rate, rest)
    points = [loaded.operating.point(name, stream) for name in (*loaded.operating.points, *(further or ()))]
    if as_json:
        _print_json(loaded, points, stream)
    else:
        _print_table(loaded.operating, points, stream)


def stream_of(model: Model, base_rate: float | None, rest: str | None) -> Stream:
    """The stream that was described; what was left out is as the model states it.

    Raises InputError for a rate or a kind of posts that cannot be.
    """
    from shouwang.models.operating import Stream

    default = model.operating.stream if model.operating else Stream()
    return Stream(default.base_rate if base_rate is None else base_rate, rest or default.rest)


def in_use(model: Model, stream: Stream) -> str:
    """In a sentence or two, the operating point in use and what it implies for that stream."""
    used = say(
        f"Operating point: {model.point}, high from a probability of {model.threshold:.3g} on.",
        f"工作点：{model.point}，概率达到 {model.threshold:.3g} 即为高风险。",
    )
    expected = model.operating and model.operating.point(model.point, stream).per_thousand(stream)
    if not expected:
        return used
    return used + say(
        f" Expected {_of_thousand(stream)}: {expected.flagged:.1f} flagged, {expected.false_alarms:.1f} of them falsely, "
        f"{expected.missed:.1f} high posts missed.",
        f"{_of_thousand(stream)}预计标出 {expected.flagged:.1f} 条，其中误报 {expected.false_alarms:.1f} 条，"
        f"漏掉高风险 {expected.missed:.1f} 条。",
    )


def _of_thousand(stream: Stream) -> str:
    high = f"{1000 * stream.base_rate:g}"
    return say(
        f"of 1,000 posts ({high} high, the rest {REST_NAMES[stream.rest]})",
        f"每 1,000 条帖子（{high} 条高风险，其余为{REST_NAMES[stream.rest]}）",
    )


def _print_json(model: Model, points: list[OperatingPoint], stream: Stream) -> None:
    found: dict[str, Any] = {
        "model": f"{model.name} {model.version}",
        "default": model.point,
        "base_rate": stream.base_rate,
        "rest": stream.rest,
        "points": [asdict(point) | {"per_1000": _per_thousand(point, stream)} for point in points],
    }
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


def _print_table(operating: Operating, points: list[OperatingPoint], stream: Stream) -> None:
    table = Table(
        title=say("From which probability a post counts as high", "概率达到多少算高风险"),
        caption=_legend(stream),
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column(say("operating point", "工作点"), no_wrap=True)
    for heading in (
        say("from", "阈值"),
        say("recall", "召回"),
        say("low", "低风险"),
        say("everyday", "日常"),
        say("flagged", "标出"),
        say("falsely", "误报"),
        say("missed", "漏掉"),
    ):
        table.add_column(heading, justify="right")
    for point in points:
        expected = point.per_thousand(stream)
        table.add_row(
            point.name + (" *" if point.name == operating.default else ""),
            f"{point.threshold:.3g}",
            *(_share(each) for each in (point.recall, point.flagged_low, point.flagged_everyday)),
            *(f"{each:.1f}" for each in (expected.flagged, expected.false_alarms, expected.missed))
            if expected
            else ("–",) * 3,
        )
    Console(highlight=False).print(table)


def _legend(stream: Stream) -> str:
    return say(
        "recall, low, everyday: shares of high, low and everyday posts that are flagged, each by a model that had not "
        f"seen it.\nflagged, falsely, missed: {_of_thousand(stream)}.\n* unless another is named.",
        "召回、低风险、日常：被标出的高风险、低风险与日常帖子各自的比例，均由未见过该帖的模型给出。\n"
        f"标出、误报、漏掉：{_of_thousand(stream)}。\n* 未指定时使用。",
    )


def _per_thousand(point: OperatingPoint, stream: Stream) -> dict[str, float] | None:
    expected = point.per_thousand(stream)
    return {name: round(posts, 3) for name, posts in asdict(expected).items()} if expected else None


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
