"""The model card, in both languages, from the figures that training measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shouwang.evaluate import METRICS
from shouwang.evaluate.answers import TASKS
from shouwang.language import Words, say
from shouwang.train.measure import REPORTED

TASK_NAMES = {"levels": Words("levels 0-10", "0-10 级"), "high": Words("high/low", "高/低风险")}


def card(settings: Mapping[str, Any]) -> str:
    """Markdown in the language in use; `settings` is what the model's JSON file holds."""
    metrics = settings["metrics"]
    sections = [
        f"# {settings['name']} {settings['version']}",
        _use(),
        f"## {say('Data', '数据')}",
        *_data(settings["data"]),
        f"## {say('How good it is', '效果')}",
        _command(settings["command"]),
        _scores(metrics),
        f"## {say('Quiet on ordinary life', '对日常内容的误报')}",
        _ordinary(metrics),
        f"## {say('Contrasts (invented posts)', '对照集（虚构帖子）')}",
        *_contrast(metrics["contrast"]),
        f"## {say('Known failures', '已知不足')}",
        _failures(),
    ]
    return "\n\n".join(sections) + "\n"


def _use() -> str:
    return say(
        "Ranks Chinese posts by the suicide risk that their text *expresses* (0-10), for people who read and decide. "
        "It must not be used to diagnose, to decide about a person, to punish or to exclude, or to contact anybody "
        "by itself. A low score is no all-clear. Mainland China: 12356 (psychological aid), 120, 110; elsewhere: "
        "findahelpline.com.",
        "按帖子文字*表达出*的自杀风险（0-10）排序，供人阅读和判断。不得用于诊断、对人作决定、惩罚或排斥，"
        "也不得自动联系任何人。低分不等于安全。中国大陆：12356（心理援助）、120、110；其他地区：findahelpline.com。",
    )


def _data(data: Mapping[str, Any]) -> Iterable[str]:
    yield _table(
        (say("role", "用途"), say("data set", "数据集"), say("posts", "帖数")),
        [(str(_ROLES[row["role"]]), row["source"], str(row["posts"])) for row in data["used"]],
    )
    yield say(
        f"{len(data['dropped'])} training posts that equal or nearly equal a held-out post were left out. "
        "The model holds no post text and no vocabulary: features are hashed.",
        f"与留出帖子相同或几乎相同的 {len(data['dropped'])} 条训练帖已剔除。模型中没有帖子原文，也没有词表：特征经过散列。",
    )


_ROLES = {
    "core": Words("training, folds", "训练（五折）"),
    "further": Words("training", "训练"),
    "everyday": Words("training, negatives", "训练（日常负例）"),
    "test": Words("test", "测试"),
    "ordinary": Words("never trained on", "未参与训练"),
}


def _command(command: str) -> str:
    return say(
        f"Chosen on the folds, never on the test set. 95 % bootstrap intervals. `{command}` gives all of it.",
        f"一切选择只依据五折，不看测试集。括号内为 95% 自助法区间。以下均由 `{command}` 得出。",
    )


def _scores(metrics: Mapping[str, Any]) -> str:
    rows = []
    for task in TASKS:
        for name in REPORTED[task]:
            cells = [_interval(metrics[part][task][name], name) for part in ("folds", "test")]
            rows.append((str(TASK_NAMES[task]), str(METRICS[task][name].name), *cells))
    heads = [f"{say(*words)} (n={metrics[part]['n']})" for part, words in _PARTS.items()]
    return _table((say("task", "任务"), say("metric", "指标"), *heads), rows)


_PARTS = {"folds": ("folds, out of fold", "五折（折外）"), "test": ("test", "测试集")}


def _ordinary(metrics: Mapping[str, Any]) -> str:
    rows = [
        (name, str(each["at_threshold"]["n"]), _percent(each["at_threshold"]), _percent(each["at_recall95"]))
        for name, each in metrics["ordinary"].items()
    ]
    low = metrics["low_flagged_at_recall95"]
    rows.append((say("SOS-1K's low posts (folds)", "SOS-1K 低风险帖（五折）"), str(low["n"]), "", _percent(low)))
    return _table(
        (
            say("posts of which none should be flagged", "本不该报警的帖子"),
            "n",
            say("flagged", "被标为高风险"),
            say("flagged at 95 % recall of high", "高风险召回 95% 时被标"),
        ),
        rows,
    )


def _contrast(contrast: Mapping[str, Any]) -> Iterable[str]:
    yield say(
        f"{contrast['n']} invented posts. Pairs that share a word, told apart: ",
        f"共 {contrast['n']} 条虚构帖子。用词相同而含义相反的一对能区分开的比例：",
    ) + _percent(contrast["pairs_told_apart"])
    yield _table(
        (say("category", "类别"), say("label", "标签"), "n", say("flagged", "被标为高风险")),
        [
            (
                row["category"],
                say("high", "高") if row["high"] else say("low", "低"),
                str(row["n"]),
                str(row["flagged"]),
            )
            for row in contrast["categories"]
        ],
    )


def _failures() -> str:
    lines = (
        Words(
            "It reads words, not situations: irony, quotation, lyrics and worry about others are often taken for one's own.",
            "它看的是文字而不是处境：反讽、引用、歌词、替他人担忧，常被当成本人的表达。",
        ),
        Words(
            "Trained on comments under one Weibo tree hole and on Weibo posts: other platforms and years will differ.",
            "训练数据来自一个微博树洞的评论和微博帖子：其他平台、其他年份会有差别。",
        ),
        Words(
            "Indicators (pain, wish, plan, method, time) are learnt from levels, not from marked spans: read them as hints.",
            "各指标（痛苦、意愿、计划、方式、时间）由等级推得，没有人工标注的依据：只作提示。",
        ),
        Words(
            "Only Chinese is in scope; other languages and posts without words are marked, not judged.",
            "只适用于中文；其他语言和没有文字的帖子只作标记，不作判断。",
        ),
    )
    return "\n".join(f"- {line}" for line in lines)


def _interval(interval: Mapping[str, float], name: str) -> str:
    scale, digits = (1, 2) if name in ("mae", "qwk") else (100, 1)
    value, low, high = (f"{interval[key] * scale:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _percent(interval: Mapping[str, float]) -> str:
    value, low, high = (f"{interval[key]:.1%}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
