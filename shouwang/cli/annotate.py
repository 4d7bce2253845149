"""`shouwang annotate`: from raw posts to a labelled data set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from shouwang import files
from shouwang.cli import annotate_exchange, annotate_llm
from shouwang.cli.annotate_options import DEFAULT, ProjectFile, bar, echo, json_object, opened, with_extra
from shouwang.cli.options import AsJson, IdColumnName, TextColumnName, listening
from shouwang.columns import posts_from
from shouwang.errors import ALL_WELL, SOME_SKIPPED, InputError
from shouwang.language import Words, say
from shouwang.posts import LabelledPost, Post, Skipped

if TYPE_CHECKING:
    from shouwang.annotate.comparison import Agreement

SHOWN_SKIPS = 5
RATERS = 2

app = typer.Typer(
    no_args_is_help=True,
    help=say("Raw posts to a data set: models, blind rating, agreement.", "由原始帖子到数据集：模型、盲评、一致性。"),
)


@app.command(
    "import", help=say("Clean, de-identify, drop duplicates, open a project.", "清洗、去标识、去重，建立项目。")
)
def import_(
    posts: Annotated[
        list[Path],
        typer.Argument(help=say("Files (.jsonl .csv .tsv .parquet .txt).", "文件（.jsonl .csv .tsv .parquet .txt）。")),
    ],
    project: ProjectFile = DEFAULT,
    raters: Annotated[
        int | None, typer.Option(min=1, help=say("People who rate each post (2).", "每帖由几人标注（2）。"))
    ] = None,
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
    with with_extra("serve"):
        from shouwang.annotate import importing
        from shouwang.annotate.project import create, missing
    from shouwang.data.duplicates import canonical, similar_within

    def similar(texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
        return ((m.left, m.right, m.similarity) for m in similar_within(texts, threshold))

    def records() -> Iterator[Post | Skipped]:
        for path in posts:
            rows = files.read_rows(path, text_column=text_column)
            yield from posts_from(rows, text_column=text_column, id_column=id_column)

    given = records()
    first = list(islice(given, 1))  # a file that cannot be read makes no project
    if missing(project):
        create(project, raters=RATERS if raters is None else raters).close()
    with (
        opened(project) as there,
        bar(say("reading", "读取"), sum(files.count_rows(p) or 0 for p in posts)) as advance,
    ):
        if raters not in (None, there.raters):
            raise InputError(
                say(
                    f"{project} was made for {there.raters} raters a post, not {raters}; leave --raters out",
                    f"{project} 建立时定为每帖 {there.raters} 人，不是 {raters} 人；请去掉 --raters",
                )
            )
        names = ", ".join(path.name for path in posts)
        found = importing.import_posts(
            there, chain(first, given), canonical=canonical, similar=similar, source=names, progress=advance
        )
        total = there.counts()["posts"]
    if as_json:
        echo(
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
    titles = {"dropped": say("left out: ", "未收入："), "replaced": say("identifiers replaced: ", "替换的可识别信息：")}
    for name, counts in counted.items():
        if counts:
            typer.echo(titles[name] + _counted(counts))
    typer.echo(
        say(
            f"What was left out: shouwang annotate dropped -p {project}",
            f"未收入的清单：shouwang annotate dropped -p {project}",
        )
    )


def _counted(counts: Mapping[str, int]) -> str:
    found = (f"{KINDS.get(kind, kind)} {count}" for kind, count in counts.items())
    return say(", ", "，").join(found)


KINDS = {
    name: Words(name, zh)
    for name, zh in {
        "unreadable": "无法读取",
        "too long": "过长",
        "nothing of its own": "没有自己的话",
        "id is taken": "编号已被占用",
        "duplicate": "重复",
        "near duplicate": "近似重复",
        "not rated": "未标注",
        "not settled": "未定",
        "email": "邮箱",
        "url": "网址",
        "mention": "@某人",
        "wechat": "微信",
        "qq": "QQ",
        "id-card": "身份证",
        "phone": "电话",
        "address": "地址",
        "number": "号码",
    }.items()
}


@app.command(help=say("What was not imported, and why.", "未收入的记录及原因。"))
def dropped(project: ProjectFile = DEFAULT) -> None:
    with opened(project) as there:
        for row in there.dropped():
            typer.echo(json.dumps(row, ensure_ascii=False))


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
    with with_extra("serve"):
        import uvicorn

        from shouwang.annotate import pages
        from shouwang.annotate.order import set_order
    if alone and host not in ("127.0.0.1", "localhost", "::1"):
        raise InputError(
            say(
                f"--alone needs no password, so it listens on 127.0.0.1 only, not on {host}",
                f"--alone 无需密码，所以只能监听 127.0.0.1，不能是 {host}",
            )
        )
    with opened(project) as there:
        if order:
            set_order(there, order, seed=seed)
        application = pages.app(there, alone=alone)
        settings = uvicorn.Config(application, host=host, port=port, log_level="warning", server_header=False)
        bound = listening(host, port)
        site, base = application.state.site, f"http://{host}:{port}"
        first = site.setup_address(base) if not alone and site.accounts.empty() else base
        typer.echo(say(f"Open {first}", f"请打开 {first}"))
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[bound])


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
        return echo(found.to_row())
    return _show_agreement(found)


STAGES = {"blind": Words("blind", "盲评"), "end": Words("in the end", "最终")}
MEASURES = {
    "percentage": Words("same", "一致率"),
    "kappa": Words("kappa", "kappa"),
    "quadratic-kappa": Words("quadratic\nkappa", "二次加权\nkappa"),
    "alpha-nominal": Words("alpha,\nnominal", "alpha，\n名义"),
    "alpha-ordinal": Words("alpha,\nordinal", "alpha，\n次序"),
    "alpha-interval": Words("alpha,\ninterval", "alpha，\n区间"),
}


def _show_agreement(found: Agreement) -> None:
    who = Column(say("who, when", "对象、阶段"), overflow="fold")
    numbers = (Column(str(title), no_wrap=True) for title in MEASURES.values())
    table = Table(who, *numbers, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for each in found.comparisons:
        cells = [
            f"{i.value:.3f}\n{i.low:.2f}–{i.high:.2f}" if (i := each.levels.get(name)) and i.value == i.value else "–"
            for name in MEASURES
        ]
        stage = str(STAGES.get(each.stage, each.stage))
        table.add_row(f"{each.left} – {each.right}\n{stage}, n={each.posts}", *cells)
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

    with opened(project) as there:
        from shouwang.annotate.export import export as write

        found = write(
            there,
            folder,
            name=name or folder.name,
            licence=licence,
            folds=parts,
            answers=_answers(answers) if answers else {},
            hugging_face=hugging_face,
        )
    typer.echo(
        say(
            f"{found.folder}: {found.posts} posts in {found.folds} folds.",
            f"{found.folder}：{found.posts} 条，{found.folds} 折。",
        )
    )
    if found.left_out:
        typer.echo(say("left out: ", "未收入：") + _counted(found.left_out))


def _answers(file: Path) -> dict[str, str]:
    """People's answers by the question's key. Raises InputError for a key that no question has."""
    from shouwang import lookup
    from shouwang.annotate.datasheet import QUESTIONS

    try:
        given = json_object(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(say(f"{file} is not UTF-8; save it as UTF-8", f"{file} 不是 UTF-8；请另存为 UTF-8")) from None
    asked = {key: key for questions in QUESTIONS.values() for key in questions}
    return {lookup.get(asked, key, "question"): str(text) for key, text in given.items()}


app.command(help=say("Have a language model rate the posts.", "让语言模型标注帖子。"))(annotate_llm.llm)
app.command(help=say("Posts to another annotation tool.", "把帖子交给其他标注工具。"))(annotate_exchange.send)
app.command(help=say("Annotations of another tool back in.", "读回其他工具的标注。"))(annotate_exchange.receive)
