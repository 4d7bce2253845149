"""`shouwang annotate`: from raw posts to a labelled data set."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from shouwang import files
from shouwang.cli.options import AsJson, IdColumnName, TextColumnName
from shouwang.columns import posts_from
from shouwang.errors import ALL_WELL, INTERRUPTED, SOME_SKIPPED, InputError, MissingExtraError
from shouwang.language import say
from shouwang.posts import LabelledPost, Post, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from shouwang.annotate.annotators import Annotated as Outcome
    from shouwang.annotate.comparison import Agreement
    from shouwang.annotate.project import Project
    from shouwang.llm import Costs

SHOWN_SKIPS = 5

app = typer.Typer(
    no_args_is_help=True,
    help=say("Raw posts to a data set: models, blind rating, agreement.", "由原始帖子到数据集：模型、盲评、一致性。"),
)

ProjectFile = Annotated[Path, typer.Option("--project", "-p", help=say("The project: one file.", "项目：一个文件。"))]
DEFAULT = Path("annotation.shouwang")


@contextmanager
def opened(path: Path) -> Iterator[Project]:
    """The project in that file, closed at the end."""
    with _extra("serve"):
        from shouwang.annotate.project import open_
    with closing(open_(path)) as project:
        yield project


@contextmanager
def _extra(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("shouwang"):
            raise
        raise MissingExtraError("shouwang annotate", name) from None


@app.command(
    "import", help=say("Clean, de-identify, drop duplicates, open a project.", "清洗、去标识、去重，建立项目。")
)
def import_(
    posts: Annotated[
        list[Path],
        typer.Argument(help=say("Files (.jsonl .csv .tsv .parquet .txt).", "文件（.jsonl .csv .tsv .parquet .txt）。")),
    ],
    project: ProjectFile = DEFAULT,
    raters: Annotated[int, typer.Option(min=1, help=say("People who rate each post.", "每帖由几人标注。"))] = 2,
    text_column: TextColumnName = None,
    id_column: IdColumnName = None,
    threshold: Annotated[
        float,
        typer.Option(
            min=0.5, max=1, help=say("Similarity from which posts are near duplicates.", "近似重复的相似度。")
        ),
    ] = 0.7,
    as_json: AsJson = False,
) -> None:
    with _extra("serve"):
        from shouwang.annotate import importing
        from shouwang.annotate.project import create
    from shouwang.data.duplicates import canonical, similar_within

    def similar(texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
        return ((m.left, m.right, m.similarity) for m in similar_within(texts, threshold))

    def records() -> Iterator[Post | Skipped]:
        for path in posts:
            rows = files.read_rows(path, text_column=text_column)
            yield from posts_from(rows, text_column=text_column, id_column=id_column)

    if not project.exists():
        create(project, raters=raters).close()
    with (
        opened(project) as there,
        _bar(say("reading", "读取"), sum(files.count_rows(p) or 0 for p in posts)) as advance,
    ):
        names = ", ".join(path.name for path in posts)
        found = importing.import_posts(
            there, records(), canonical=canonical, similar=similar, source=names, progress=advance
        )
        total = there.counts()["posts"]
    if as_json:
        _echo(
            {
                "project": str(project),
                **{name: getattr(found, name) for name in ("posts", "known", "dropped", "replaced", "cleaned")},
                "skips": [str(skip) for skip in found.skips],
            }
        )
    else:
        _show_import(found.posts, found.known, total, {"dropped": found.dropped, "replaced": found.replaced}, project)
        for skip in found.skips[:SHOWN_SKIPS]:
            typer.echo(f"  {skip}")
    raise typer.Exit(SOME_SKIPPED if found.skips or found.dropped["id is taken"] else ALL_WELL)


def _show_import(new: int, known: int, total: int, counted: dict[str, dict[str, int]], project: Path) -> None:
    typer.echo(
        say(
            f"{project}: {new} posts added, {known} were there, {total} in all.",
            f"{project}：新增 {new} 条，已有 {known} 条，共 {total} 条。",
        )
    )
    titles = {"dropped": say("left out", "未收入"), "replaced": say("identifiers replaced", "替换的可识别信息")}
    for name, counts in counted.items():
        if counts:
            typer.echo(f"{titles[name]}: " + ", ".join(f"{kind} {count}" for kind, count in counts.items()))
    typer.echo(
        say(
            f"What was left out: shouwang annotate dropped -p {project}",
            f"未收入的清单：shouwang annotate dropped -p {project}",
        )
    )


@app.command(help=say("What was not imported, and why.", "未收入的记录及原因。"))
def dropped(project: ProjectFile = DEFAULT) -> None:
    with opened(project) as there:
        for row in there.dropped():
            typer.echo(json.dumps(row, ensure_ascii=False))


@app.command(help=say("Have a language model rate the posts.", "让语言模型标注帖子。"))
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
    per_minute: Annotated[
        float | None, typer.Option(min=0.1, help=say("Calls a minute at most.", "每分钟最多请求数。"))
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help=say("Seconds to wait for an answer.", "等待回答的秒数。"))
    ] = 120,
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
    with _extra("llm"):
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
        extra=_json(extra),
    )
    with opened(project) as there, Client(endpoint, there.path) as client:
        try:
            with _bar(say("rating", "标注中"), there.counts()["posts"]) as advance:
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
        _echo({**{name: getattr(found, name) for name in found.__slots__}, "costs": costs.to_row(), "asked_by": rung})
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
        typer.echo(say("without an answer: ", "没有答案：") + ", ".join(f"{k} {n}" for k, n in found.problems.items()))
    if found.instructing:
        typer.echo(
            say(
                f"{found.instructing} posts speak to whoever rates them; people should see these first.",
                f"{found.instructing} 条帖子含有对评分者说的话，应先由人查看。",
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


@app.command(help=say("The pages on which people rate.", "供人标注的网页。"))
def serve(
    project: ProjectFile = DEFAULT,
    host: Annotated[str, typer.Option(help=say("Address to listen on.", "监听地址。"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help=say("Port.", "端口。"))] = 8765,
    alone: Annotated[
        bool, typer.Option("--alone", help=say("One person on this machine, no password.", "本机单人使用，无需密码。"))
    ] = False,
    order: Annotated[
        str | None,
        typer.Option(
            help=say("random, uncertainty or quota (of levels).", "random、uncertainty 或 quota（等级配额）。")
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help=say("Seed of the order.", "顺序的随机种子。"))] = 0,
) -> None:
    with _extra("serve"):
        import uvicorn

        from shouwang.annotate import pages
        from shouwang.annotate.order import set_order
    if alone and host not in ("127.0.0.1", "localhost", "::1"):
        raise InputError(f"--alone needs no password, so it listens on 127.0.0.1 only, not on {host}")
    with opened(project) as there:
        if order:
            set_order(there, order, seed=seed)
        application = pages.app(there, alone=alone)
        site, base = application.state.site, f"http://{host}:{port}"
        first = site.setup_address(base) if not alone and site.accounts.empty() else base
        typer.echo(say(f"Open {first}", f"请打开 {first}"))
        uvicorn.run(application, host=host, port=port, log_level="warning", server_header=False)


@app.command(help=say("Who agrees with whom, with intervals.", "各方的一致性及区间。"))
def agreement(
    project: ProjectFile = DEFAULT,
    bootstrap: Annotated[int, typer.Option(min=1, help=say("Bootstrap resamples.", "自助法重抽样次数。"))] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help=say("Seed of the bootstrap.", "自助法的随机种子。"))] = 0,
    as_json: AsJson = False,
) -> None:
    with opened(project) as there:
        from shouwang.annotate.comparison import compare

        found = compare(there.ratings(), there.raters, seed=seed, resamples=bootstrap)
    if as_json:
        return _echo(found.to_row())
    return _show_agreement(found)


def _show_agreement(found: Agreement) -> None:
    names = ("percentage", "kappa", "quadratic-kappa", "alpha-nominal", "alpha-ordinal", "alpha-interval")
    table = Table(say("who", "对象"), say("when", "阶段"), "n", *names)
    for each in found.comparisons:
        cells = [
            f"{i.value:.3f}\n{i.low:.2f}–{i.high:.2f}" if (i := each.levels.get(name)) and i.value == i.value else "–"
            for name in names
        ]
        table.add_row(f"{each.left} – {each.right}", each.stage, str(each.posts), *cells)
    Console(markup=False, highlight=False).print(table)
    seen = found.anchoring
    typer.echo(
        say(
            f"After a suggestion: {seen.changed} of {seen.revealed} ratings changed, {seen.towards} towards it, "
            f"{seen.away} away. Per level, high/low and indicators: --json.",
            f"看到建议后：{seen.revealed} 次中改了 {seen.changed} 次，{seen.towards} 次更近，{seen.away} 次更远。"
            "各等级、高低与指标见 --json。",
        )
    )
    typer.echo(say(f"{found.settled} posts have a final label.", f"{found.settled} 条帖子已有最终标签。"))


@app.command(help=say("A data-set folder for others.", "供他人使用的数据集文件夹。"))
def export(
    folder: Annotated[Path, typer.Argument(help=say("The folder to make.", "要创建的文件夹。"))],
    licence: Annotated[str, typer.Option(help=say("The licence, such as CC-BY-NC-4.0.", "许可，如 CC-BY-NC-4.0。"))],
    project: ProjectFile = DEFAULT,
    name: Annotated[str | None, typer.Option(help=say("The data set's name.", "数据集名称。"))] = None,
    folds: Annotated[int, typer.Option(min=2, help=say("Number of folds.", "折数。"))] = 5,
    answers: Annotated[
        Path | None, typer.Option(help=say("JSON: datasheet key to your answer.", "JSON：说明书问题键名到您的回答。"))
    ] = None,
    hugging_face: Annotated[
        bool,
        typer.Option(
            "--hugging-face",
            help=say("Also Parquet and README for `datasets`.", "另含供 datasets 读取的 Parquet 与 README。"),
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help=say("Seed of the folds.", "分折的随机种子。"))] = 0,
) -> None:
    from shouwang.data.splits import grouped_folds

    def parts(posts: Sequence[LabelledPost]) -> list[Sequence[LabelledPost]]:
        return [fold.validation for fold in grouped_folds(posts, folds, seed=seed)]

    given = {str(key): str(text) for key, text in _json(answers.read_text(encoding="utf-8")).items()} if answers else {}
    with opened(project) as there:
        from shouwang.annotate.export import export as write

        found = write(
            there,
            folder,
            name=name or folder.name,
            licence=licence,
            folds=parts,
            answers=given,
            hugging_face=hugging_face,
        )
    typer.echo(
        say(
            f"{found.folder}: {found.posts} posts in {found.folds} folds.",
            f"{found.folder}：{found.posts} 条，{found.folds} 折。",
        )
    )
    if found.left_out:
        typer.echo(
            say("left out: ", "未收入：") + ", ".join(f"{reason} {count}" for reason, count in found.left_out.items())
        )


Tool = Annotated[
    Literal["label-studio", "jsonl"],
    typer.Argument(
        help=say("label-studio, or jsonl (doccano, Argilla).", "label-studio，或 jsonl（doccano、Argilla）。")
    ),
]


@app.command(help=say("Posts to another annotation tool.", "把帖子交给其他标注工具。"))
def send(
    tool: Tool,
    file: Annotated[Path, typer.Argument(help=say("The file to write.", "要写的文件。"))],
    project: ProjectFile = DEFAULT,
) -> None:
    if file.exists():
        raise InputError(f"{file} exists already; name another file")
    with opened(project) as there:
        from shouwang.annotate import interchange

        with file.open("w", encoding="utf-8") as stream:
            if tool == "jsonl":
                for row in interchange.jsonl_rows(there):
                    files.write_line(stream, row)
            else:
                json.dump(interchange.label_studio_tasks(there), stream, ensure_ascii=False, indent=1)
    if tool == "label-studio":
        typer.echo(say("Labelling interface of the Label Studio project:", "Label Studio 项目的标注界面："))
        typer.echo(interchange.label_studio_interface())


@app.command(help=say("Annotations of another tool back in.", "读回其他工具的标注。"))
def receive(
    tool: Annotated[
        Literal["label-studio"], typer.Argument(help=say("The tool: label-studio.", "标注工具：label-studio。"))
    ],
    file: Annotated[Path, typer.Argument(help=say("Its JSON export.", "其 JSON 导出文件。"))],
    project: ProjectFile = DEFAULT,
) -> None:
    try:
        tasks = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        tasks = None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{file} is no Label Studio export; choose the format JSON there, not JSON-MIN or CSV")
    with opened(project) as there:
        from shouwang.annotate import interchange

        found = interchange.from_label_studio(there, tasks)
    typer.echo(say(f"{found.ratings} ratings added.", f"新增 {found.ratings} 个标注。"))
    for reason, count in found.left_out.items():
        typer.echo(f"  {count} × {reason}")
    raise typer.Exit(SOME_SKIPPED if found.left_out.keys() - {"there already"} else ALL_WELL)


def _json(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError('a JSON object is expected, such as {"key": "value"}')
    return found


def _echo(found: dict[str, object]) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)
