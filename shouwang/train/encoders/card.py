"""The model card of a run, from its own files, in the language in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from shouwang.evaluate import METRICS, TASKS
from shouwang.language import Words, say
from shouwang.train.card import use

TASK_NAMES = {"levels": Words("levels 0-10", "0-10 级"), "high": Words("high/low", "高/低风险")}
SHOWN = {"levels": ("weighted_f1", "macro_f1", "mae", "qwk", "high_level_recall", "ece"),
         "high": ("weighted_f1", "f1", "recall", "auroc", "ece")}  # fmt: skip


def card(settings: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Markdown; `settings` and `result` are what the run's files hold."""
    sections = [
        f"# {_name(settings)}: {say('fine-tuned for expressed suicide risk', '微调后评估文字表达的自杀风险')}",
        use(),
        f"## {say('Model and data', '模型与数据')}",
        _table((say("what", "项目"), say("value", "值")), _facts(settings, result)),
        _left_out(settings["data"]),
        f"## {say('How good it is', '效果')}",
        _how_measured(result),
        _scores(result),
        f"## {say('Known limits', '已知局限')}",
        _limits(),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _name(settings: Mapping[str, Any]) -> str:
    """The repository's, or of a local folder its last part alone."""
    source = str(settings["resolved"]["source"])
    return source if settings["resolved"]["revision"] else PurePath(source).name


def _facts(settings: Mapping[str, Any], result: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    chosen, found, data = settings["settings"], settings["resolved"], settings["data"]
    not_stated = say("not stated", "未说明")
    yield (
        say("backbone", "骨干模型"),
        (f"{_name(settings)} ({found['architecture']}, {found['parameters'] / 1e6:.1f} M {say('parameters', '参数')})"),
    )
    yield say("revision", "版本"), found["revision"] or say("a local folder", "本地文件夹")
    yield say("licence of the backbone", "骨干模型的许可"), found["licence"] or not_stated
    yield say("task", "任务"), ", ".join(str(TASK_NAMES[task]) for task in TASKS if chosen["task"] in (task, "both"))
    yield say("data", "数据"), data["name"]
    yield (
        say("posts: training, validation, test", "帖数：训练、验证、测试"),
        f"{data['train']}, {data['validation']}, {data['test']}",
    )
    yield say("recipe", "配方"), f"{chosen['recipe']}, {chosen['loss']}, {say('seed', '种子')} {chosen['seed']}"
    yield say("best epoch", "最佳轮次"), f"{result['best_epoch']} / {result['epochs']}"
    yield say("training time", "训练用时"), f"{result['seconds']:.0f} s"


def _left_out(data: Mapping[str, Any]) -> str:
    return say(
        f"{len(data['leaked'])} posts that equal or nearly equal a held-out post and {len(data['unlabelled'])} without "
        "a label were left out; their ids are in settings.json. The folder holds no post text, but weights that were "
        "trained on posts may give some of them away: share it as you would share the data.",
        f"剔除了 {len(data['leaked'])} 条与留出帖子相同或几乎相同的帖子，以及 {len(data['unlabelled'])} 条没有标注的帖子，"
        "编号见 settings.json。文件夹中没有帖子原文，但用帖子训练的权重可能泄露其中的内容：请按数据本身的要求共享。",
    )


def _how_measured(result: Mapping[str, Any]) -> str:
    tested = say("The test set chose nothing. ", "测试集不参与任何选择。") if "test" in result else ""
    return tested + say(
        "Validation chose the epoch, so its scores are a little too good. 95 % bootstrap intervals over posts; "
        "one seed, so the spread between seeds is not in them.",
        "轮次由验证集选出，因此其分数略偏高。括号内为对帖子重抽样的 95% 自助法区间；只有一个种子，不含种子之间的波动。",
    )


def _scores(result: Mapping[str, Any]) -> str:
    parts = {"validation": Words("validation", "验证集"), "test": Words("test", "测试集")}
    there = [part for part in parts if part in result]
    rows = [
        (str(TASK_NAMES[task]), str(METRICS[task][name].name), *(_cell(result[part], task, name) for part in there))
        for task in TASKS
        for name in SHOWN[task]
        if any(task in result[part] for part in there)
    ]
    return _table((say("task", "任务"), say("metric", "指标"), *(str(parts[part]) for part in there)), rows)


def _cell(scores: Mapping[str, Any], task: str, name: str) -> str:
    interval = scores.get(task, {}).get(name)
    if not interval or interval["value"] is None:
        return "–"
    scale, digits = (1, 2) if name in ("mae", "qwk") else (100, 1)
    value, low, high = (
        "–" if interval[key] is None else f"{interval[key] * scale:.{digits}f}" for key in ("value", "low", "high")
    )
    return f"{value} [{low}, {high}]"


def _limits() -> str:
    lines = (
        Words(
            "It reads words, not situations: irony, quotation, lyrics and worry about others may be taken for one's own.",
            "它看的是文字而不是处境：反讽、引用、歌词、替他人担忧，可能被当成本人的表达。",
        ),
        Words(
            "Data such as SOS-1K hold no ordinary life: trained on them alone, a model flags many everyday posts.",
            "SOS-1K 之类的数据不含日常生活内容：只用它训练的模型会误报许多日常帖子。",
        ),
        Words(
            "Other platforms, years and writers will differ from the training data; measure before use.",
            "其他平台、年份和人群与训练数据不同：使用前请先评估。",
        ),
    )
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
