"""`shouwang annotate llm`: a language model rates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from shouwang.cli.annotate_options import DEFAULT, ProjectFile, bar, echo, json_object, opened, with_extra
from shouwang.cli.options import AsJson, PerMinute, Timeout
from shouwang.errors import ALL_WELL, INTERRUPTED, SOME_SKIPPED
from shouwang.language import Words, say

if TYPE_CHECKING:
    from shouwang.annotate.annotators import Annotated as Outcome
    from shouwang.llm import Costs


PROBLEMS = {
    "invalid": Words("invalid", "回答不合用"),
    "refused": Words("refused", "拒绝回答"),
    "rejected": Words("rejected", "服务器拒收"),
    "unreachable": Words("unreachable", "连不上"),
}


def llm(
    url: Annotated[
        str,
        typer.Option(
            help=say(
                "An OpenAI-compatible endpoint's base, such as http://127.0.0.1:8000/v1.",
                "OpenAI 兼容接口的地址，如 http://127.0.0.1:8000/v1。",
            )
        ),
    ],
    model: Annotated[str, typer.Option(help=say("The model's name there.", "该接口上的模型名称。"))],
    project: ProjectFile = DEFAULT,
    strategy: Annotated[
        str, typer.Option(help=say("scene, levels, few-shot or indicators.", "scene、levels、few-shot 或 indicators。"))
    ] = "levels",
    votes: Annotated[
        int,
        typer.Option(
            min=1, max=99, help=say("Answers per post; 1 is at temperature 0.", "每帖回答次数；1 次时温度为 0。")
        ),
    ] = 1,
    key_variable: Annotated[
        str, typer.Option(help=say("Environment variable that holds the key.", "存放密钥的环境变量。"))
    ] = "SHOUWANG_LLM_KEY",
    concurrency: Annotated[int, typer.Option(min=1, max=64, help=say("Calls at once.", "并发请求数。"))] = 4,
    per_minute: PerMinute = None,
    timeout: Timeout = 120,
    price_in: Annotated[
        float, typer.Option(min=0, help=say("Price of a million tokens in.", "每百万输入词元的价格。"))
    ] = 0,
    price_out: Annotated[
        float, typer.Option(min=0, help=say("Price of a million tokens out.", "每百万输出词元的价格。"))
    ] = 0,
    budget: Annotated[
        float | None,
        typer.Option(min=0, help=say("Stop before this is exceeded; counts all runs.", "超出前停止；累计所有运行。")),
    ] = None,
    extra: Annotated[str, typer.Option(help=say("JSON that joins every call.", "附加到每次请求的 JSON。"))] = "{}",
    as_json: AsJson = False,
) -> None:
    """Posts go to the endpoint named here and nowhere else."""
    with with_extra("llm"):
        from shouwang.annotate import annotators, guideline
        from shouwang.llm import Client, Endpoint
    asked = guideline.get(strategy)
    endpoint = Endpoint(
        url,
        model,
        os.environ.get(key_variable, ""),
        timeout,
        concurrency=concurrency,
        per_minute=per_minute,
        price_in=price_in,
        price_out=price_out,
        budget=budget,
        extra=json_object(extra),
    )
    with opened(project) as there, Client(endpoint, there.path) as client:
        try:
            with bar(say("rating", "标注中"), there.counts()["posts"]) as advance:
                found = annotators.annotate(there, client, asked, votes=votes, progress=advance)
        except KeyboardInterrupt:
            typer.echo(
                say(
                    "Interrupted: what is done is kept; give the command again to go on.",
                    "已中断：已完成的已保留；再次运行即可继续。",
                ),
                err=True,
            )
            raise typer.Exit(INTERRUPTED) from None
        costs, rung = client.costs(), client.rung
    if as_json:
        echo({**{name: getattr(found, name) for name in found.__slots__}, "costs": costs.to_row(), "asked_by": rung})
    else:
        _show_annotated(found, costs, rung)
    raise typer.Exit(SOME_SKIPPED if found.problems else ALL_WELL)


def _show_annotated(found: Outcome, costs: Costs, rung: str) -> None:
    typer.echo(
        say(
            f"{found.rated} posts rated, {found.there} were; asked by {rung}.",
            f"已标注 {found.rated} 条，此前 {found.there} 条；请求方式 {rung}。",
        )
    )
    if found.problems:
        counts = (f"{PROBLEMS[kind]} {count}" for kind, count in found.problems.items())
        typer.echo(say("without an answer: ", "没有答案：") + say(", ", "，").join(counts))
    if found.instructing:
        typer.echo(
            say(
                f"{found.instructing} posts may speak to whoever rates them; people should see these first. The model was "
                f"not shown all of {found.shortened} of them.",
                f"{found.instructing} 条帖子可能含有对评分者说的话，应先由人查看；其中 {found.shortened} 条未向模型展示全文。",
            )
        )
    if found.misquoted:
        typer.echo(
            say(
                f"{found.misquoted} of {found.quotes} quotes do not stand in the post and were dropped.",
                f"{found.quotes} 处引文中有 {found.misquoted} 处不在原帖，已去掉。",
            )
        )
    typer.echo(
        say(
            f"Cost so far: {costs.cost:.4f} ({costs.calls} calls, {costs.tokens_in} + {costs.tokens_out} tokens; "
            f"{costs.unmetered} reckoned by characters, {costs.lost} lost under way and counted).",
            f"累计费用：{costs.cost:.4f}（{costs.calls} 次请求，{costs.tokens_in} + {costs.tokens_out} 词元；"
            f"其中 {costs.unmetered} 次按字数估算，{costs.lost} 次途中丢失仍计入）。",
        )
    )
