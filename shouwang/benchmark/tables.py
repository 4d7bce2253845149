"""A report as tables, in the language in use: plain cells, which Markdown and HTML then set."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from shouwang.benchmark import published
from shouwang.benchmark.report import HEADLINE, Report, Row, Spread
from shouwang.evaluate import Interval, Task
from shouwang.evaluate.report import CLASSES
from shouwang.language import Words, say
from shouwang.models.catalog import ENCODERS

TASK_NAMES: dict[Task, Words] = {"levels": Words("levels 0–10", "0–10 级"), "high": Words("high or low", "高/低")}
BESIDE: dict[Task, str] = {"levels": "qwk", "high": "auroc"}
"""What the first table shows next to F1; the JSON holds every metric."""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a line about what stands in it, headings, and rows of as many cells."""

    title: str
    about: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(found: Report) -> list[Table]:
    """Scores, beside the paper (where its data were used), and per level; of every study and task."""
    made = [_scores(found)]
    if any(row.study == published.STUDY for row in found.rows):
        made.append(_beside_the_paper(found))
    groups = dict.fromkeys((row.study, row.task) for row in found.rows)
    return [*made, *(_per_level(found, *group) for group in groups)]


def notes(found: Report) -> list[str]:
    """n, what was left out, and how intervals were made."""
    lines: list[str] = []
    for study in dict.fromkeys(row.study for row in found.rows):
        rows = [row for row in found.rows if row.study == study]
        for task in dict.fromkeys(row.task for row in rows):
            lines += _counted([row for row in rows if row.task == task])
        dropped = {name: ids for row in rows for name, ids in row.dropped.items()}
        lines += [
            say(
                f"Left out of training for {name}, because they also stand in what is scored: {', '.join(ids)}.",
                f"{name} 训练时去掉（它们也出现在被评的帖子里）：{', '.join(ids)}。",
            )
            for name, ids in sorted(dropped.items())
        ]
    draws, seed = found.options.resamples, found.options.seed
    lines.append(
        say(
            f"± is the standard deviation over folds and seeds. Brackets: 95 % percentile bootstrap intervals over "
            f"posts, {draws} resamples, seed {seed}, of the mean over seeds; differences are paired.",
            f"± 为各折与各种子间的标准差。方括号：对帖子自助重抽样的 95% 百分位区间（{draws} 次，种子 {seed}），针对各种子的均值；"
            "差值为配对比较。",
        )
    )
    return lines + [say(f"Left out: {each}", f"未计入：{each}") for each in found.broken]


def _counted(rows: Sequence[Row]) -> list[str]:
    """On how many posts and runs scores rest; which models', where some have rounds or seeds that others lack."""
    models: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        models[_counts(row)].append(row.model)
    return [counts if len(models) == 1 else f"{', '.join(names)}: {counts}" for counts, names in models.items()]


def _counts(row: Row) -> str:
    runs = row.folds[HEADLINE].runs if row.folds else 0
    return say(
        f"{row.study}, {row.task}: {row.fold_posts} posts held out by folds in all, {runs} runs on them; "
        f"test n = {row.test_posts}; seeds {', '.join(map(str, row.seeds))}.",
        f"{row.study}，{row.task}：各折合计 {row.fold_posts} 帖，共 {runs} 次训练；测试 n = {row.test_posts}；"
        f"种子 {'、'.join(map(str, row.seeds))}。",
    )


def _scores(found: Report) -> Table:
    reference = found.reference
    rows = [
        (
            *_which(row, found),
            plus_minus(row.folds.get(HEADLINE)),
            bracketed(row.fold_difference, sign="+"),
            _with_seeds(row),
            bracketed(row.test.get("macro_f1")),
            bracketed(row.test.get(BESIDE[row.task])),
            bracketed(row.difference, sign="+"),
        )
        for row in found.rows
    ]
    headings = (
        *_which_headings(found),
        say("weighted F1, folds", "加权 F1，各折"),
        say(f"minus {reference}, folds", f"减 {reference}，各折"),
        say("weighted F1, test", "加权 F1，测试"),
        say("macro F1, test", "宏平均 F1，测试"),
        say("QWK (levels) or AUROC (high), test", "QWK（等级）或 AUROC（高/低），测试"),
        say(f"minus {reference}, test", f"减 {reference}，测试"),
    )
    return Table(
        say("Scores", "分数"),
        say("From 0 to 1; QWK may fall below 0.", "在 0 到 1 之间；QWK 可低于 0。"),
        headings,
        tuple(rows),
    )


def _beside_the_paper(found: Report) -> Table:
    """Every encoder of the paper, run or not, and what else was run."""
    ours = {(row.task, row.model): row for row in found.rows if row.study == published.STUDY}
    rows = []
    for task in dict.fromkeys(task for task, _ in ours):
        others = [model for at, model in ours if at == task and model not in ENCODERS]
        for model in (*others, *ENCODERS):
            row = ours.get((task, model))
            rows.append(
                (
                    str(TASK_NAMES[task]),
                    ENCODERS[model].title if model in ENCODERS else model,
                    _published(task, model),
                    _with_seeds(row) if row else say("not run", "未运行"),
                    plus_minus(row.folds.get(HEADLINE)) if row else "–",
                )
            )
    headings = (
        say("task", "任务"),
        say("model", "模型"),
        published.PAPER,
        say("ours, test", "本次，测试"),
        say("ours, folds", "本次，各折"),
    )
    about = say(
        "Ours: weighted F1. Of the paper's figures only the best F1 of each task is quoted, as published (of levels it is "
        "the weighted one); – stands for one that is not quoted here. The published scripts stop training by a loader whose placeholder is the test set; "
        "here the held-out posts choose nothing.",
        "本次为加权 F1。论文的数字只引用每个任务最好的 F1，照其发表（等级任务为加权 F1）；– 表示此处未引用。论文公布的脚本提前停止时所看的数据以测试集占位；"
        "此处被评的帖子不参与任何选择。",
    )
    return Table(say("Beside the paper", "与论文并列"), about, headings, tuple(rows))


def _published(task: Task, model: str) -> str:
    value = published.F1.get((task, model.removesuffix(":paper")))
    return "–" if value is None else f"{value:.4f}"


def _per_level(found: Report, study: str, task: Task) -> Table:
    rows = [row for row in found.rows if (row.study, row.task) == (study, task)]
    names = CLASSES[task]
    cells = tuple(
        (
            names[k],
            " / ".join(dict.fromkeys(str(row.levels[k].posts) for row in rows)),
            *(bracketed(row.levels[k].f1, digits=2) for row in rows),
        )
        for k in range(len(names))
    )
    where = (
        say("the posts that the folds hold out", "各折所评的帖子") if rows[-1].folds else say("the test set", "测试集")
    )
    if len({(row.fold_posts, row.test_posts if not row.folds else 0) for row in rows}) > 1:
        where = say("posts that are not the same for all models (see below)", "各模型所评的帖子不尽相同（见下）")
    return Table(
        say(f"F1 per class: {study}, {TASK_NAMES[task]}", f"各类 F1：{study}，{TASK_NAMES[task]}"),
        say(f"On {where}.", f"依据：{where}。"),
        (say("class", "类"), "n", *(row.model for row in rows)),
        cells,
    )


def _which(row: Row, found: Report) -> tuple[str, ...]:
    studies = len({each.study for each in found.rows}) > 1
    return (*([row.study] if studies else []), row.task, row.model)


def _which_headings(found: Report) -> tuple[str, ...]:
    studies = len({each.study for each in found.rows}) > 1
    return (*([say("study", "数据")] if studies else []), say("task", "任务"), say("model", "模型"))


def _with_seeds(row: Row) -> str:
    spread = row.test_seeds.get(HEADLINE)
    text = bracketed(row.test.get(HEADLINE))
    return f"{text} ± {spread.sd:.3f}" if spread and spread.runs > 1 else text


def plus_minus(spread: Spread | None) -> str:
    if spread is None or math.isnan(spread.mean):
        return "–"
    return f"{spread.mean:.3f}" if math.isnan(spread.sd) else f"{spread.mean:.3f} ± {spread.sd:.3f}"


def bracketed(interval: Interval | None, sign: str = "", digits: int = 3) -> str:
    if interval is None or math.isnan(interval.value):
        return "–"
    value, low, high = (f"{each:{sign}.{digits}f}" for each in (interval.value, interval.low, interval.high))
    return f"{value} [{low}, {high}]"


# --- Markdown -------------------------------------------------------------------------------------------------------


def markdown(found: Report) -> str:
    """All tables, one below the other, then the notes."""
    lines = [f"# {say('Benchmark', '基准')}", ""]
    for table in tables(found):
        lines += [f"## {table.title}", "", table.about, "", *_rows(table), ""]
    return "\n".join([*lines, *(f"{note}  " for note in notes(found))]) + "\n"


def _rows(table: Table) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return [line(table.headings), "|---" * len(table.headings) + "|", *map(line, table.rows)]
