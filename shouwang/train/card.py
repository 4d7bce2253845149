"""The model card, in both languages, from the figures that training measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shouwang.evaluate import METRICS
from shouwang.evaluate.answers import TASKS
from shouwang.language import Words, say
from shouwang.scale import INDICATOR_NAMES, INDICATORS
from shouwang.train import card_names as names
from shouwang.train.builtin.measure import FLOOR, REPORTED

Figures = Mapping[str, Any]
TASK_NAMES = {"levels": Words("levels 0-10", "0-10 级"), "high": Words("high/low", "高/低风险")}
POINTS = ("recall99", "recall95", "balanced")


def card(settings: Figures) -> str:
    """Markdown in the language in use; `settings` is what the model's JSON file holds."""
    metrics = settings["metrics"]
    sections = [
        f"# {settings['name']} {settings['version']}",
        use(),
        f"## {say('What it is', '构成')}",
        _what(settings),
        f"## {say('Data', '数据')}",
        *_data(settings["data"]),
        f"## {say('How good it is', '效果')}",
        *_scores(metrics, settings["command"]),
        f"## {say('Operating points', '工作点')}",
        *_points(settings["operating"], metrics["flagged"]),
        f"## {say('How sure it is', '把握程度')}",
        _sureness(metrics["sureness"]),
        f"## {say('Quiet on ordinary life', '对日常内容的误报')}",
        *_quiet(metrics),
        f"## {say('Contrasts (invented posts)', '对照集（虚构帖子）')}",
        *_contrast(metrics["contrast"]),
        *_rated(metrics["rated"]),
        f"## {say('Disguised posts', '变形文字')}",
        *_robustness(metrics["robustness"]),
        f"## {say('Evidence', '依据')}",
        *_faithfulness(metrics["faithfulness"]),
        f"## {say('Where it is better and worse', '分组表现')}",
        _slices(metrics["slices"]),
        f"## {say('Known failures', '已知不足')}",
        _failures(),
    ]
    return "\n\n".join(sections) + "\n"


def use() -> str:
    """What a model is for and not for, and where people in danger find help."""
    return say(
        "Ranks Chinese posts by the suicide risk that their text *expresses* (0-10), for people who read and decide. "
        "It must not be used to diagnose, to decide about a person, to punish or to exclude, or to contact anybody "
        "by itself. A low score is no all-clear. Mainland China: 12356 (psychological aid), 120, 110; elsewhere: "
        "findahelpline.com.",
        "按帖子文字*表达出*的自杀风险（0-10）排序，供人阅读和判断。不得用于诊断、对人作决定、惩罚或排斥，"
        "也不得自动联系任何人。低分不等于安全。中国大陆：12356（心理援助）、120、110；其他地区：findahelpline.com。",
    )


def _what(settings: Figures) -> str:
    return say(
        f"Two readers, mixed: an encoder of 4 layers in 8-bit numbers, distilled from {settings['backbone']} and from teachers "
        "that were fine-tuned from it, and "
        "logistic regressions on hashed characters (1-4), cues and the encoder's frozen features. The mixture was fitted "
        "on posts that neither had seen. Posts are read one at a time: none changes another's score. No torch, no "
        "network, nothing in the files is executed.",
        f"由两个模型混合而成：4 层的 8 位编码器，蒸馏自 {settings['backbone']} 以及由它微调而来的教师模型；以及基于散列字符（1-4 字）、线索词和编码器"
        "冻结层特征的逻辑回归。混合权重由两者都没见过的帖子拟合。帖子逐条读取，互不影响得分。不需要 torch，不联网，"
        "文件内容不会被执行。",
    )


def _data(data: Figures) -> Iterable[str]:
    yield _table(
        (say("role", "用途"), say("data set", "数据集"), say("posts", "帖数")),
        [(str(_ROLES[row["role"]]), names.shown(row["source"]), str(row["posts"])) for row in data["used"]],
    )
    dropped = sum(map(len, data["dropped"].values()))
    yield say(
        f"{dropped} posts that equal or nearly equal one that measures were left out of training (model.json names "
        "them). The invented posts were written by a language model for this project, out of sight of every evaluation "
        "set. The model holds no post; n-grams are hashed, the tokenizer's pieces come from the backbone.",
        f"训练时剔除了与评测帖子相同或几乎相同的 {dropped} 条（编号见 model.json）。虚构帖子由语言模型为本项目撰写，"
        "撰写时看不到任何评测数据。模型中没有帖子原文；字符组合经过散列，分词词表来自骨干模型。",
    )


_ROLES = {
    "folds": Words("training, five folds", "训练（五折）"),
    "training": Words("training", "训练"),
    "negatives": Words("training, ordinary posts", "训练（日常内容）"),
    "mixture": Words("fits the mixture", "拟合混合权重"),
    "measured": Words("only measures", "仅用于评测"),
    "test": Words("test", "测试"),
}


def _scores(metrics: Figures, command: str) -> Iterable[str]:
    yield say(
        "Every choice was made on the folds; there, every post was read by a model that had not seen it. 95% bootstrap "
        f"intervals. `{command}` gives all of it.",
        f"一切选择只依据五折；每条帖子都由没见过它的模型读取。括号内为 95% 自助法区间。以下均由 `{command}` 得出。",
    )
    parts = [part for part in _PARTS if part in metrics]
    rows = []
    for task in TASKS:
        for name in REPORTED[task]:
            cells = [_interval(metrics[part][task][name], name) for part in parts]
            rows.append((str(TASK_NAMES[task]), str(METRICS[task][name].name), *cells))
    heads = [f"{say(*_PARTS[part])} (n={metrics[part]['n']})" for part in parts]
    yield _table((say("task", "任务"), say("metric", "指标"), *heads), rows)
    lines = []
    for task in TASKS:
        fold, floor = metrics["folds"]["by_fold"][task], metrics["against_floor"][task]
        values = f"{100 * fold['mean']:.1f} ± {100 * fold['sd']:.1f}"
        lines.append(
            say(
                f"- {TASK_NAMES[task]}: by fold {values}; less {FLOOR} trained on the same folds "
                f"({100 * floor['second']:.1f}): {_points_more(floor)}, paired.",
                f"- {TASK_NAMES[task]}：逐折 {values}；减去同样五折上训练的 {FLOOR}（{100 * floor['second']:.1f}）："
                f"{_points_more(floor)}，配对比较。",
            )
        )
    yield "\n".join(lines)


_PARTS = {"folds": ("folds", "五折"), "test": ("test", "测试集")}


def _points(operating: Figures, flagged: Figures) -> Iterable[str]:
    yield say(
        "Shares flagged, each post by a model that had not seen it. `shouwang operating-points` gives the workload and "
        "the misses at a base rate of your own.",
        "被标记的比例，每条帖子都由没见过它的模型读取。`shouwang operating-points` 可按你的基础比例给出工作量和漏报。",
    )
    rows = []
    for name in POINTS:
        point = operating["points"][name]
        cells = [_percent(flagged[part][name]) for part in ("low", "usual", "unrelated")]
        rows.append((name, f"{point['threshold']:.3f}", f"{point['recall']:.1%}", *cells))
    n = {part: flagged[part]["balanced"]["n"] for part in ("low", "usual", "unrelated")}
    heads = (
        say("operating point", "工作点"),
        say("threshold", "阈值"),
        say("recall of high", "高风险召回"),
        say(f"low posts of SOS-1K (n={n['low']})", f"SOS-1K 低风险帖（n={n['low']}）"),
        say(f"everyday posts (n={n['usual']})", f"日常帖子（n={n['usual']}）"),
        say(f"counselling, nothing of suicide (n={n['unrelated']})", f"与自杀无关的求助（n={n['unrelated']}）"),
    )
    yield _table(heads, rows)


def _sureness(sure: Figures) -> str:
    size = sure["mean_size"]
    return say(
        f"Sets of levels that hold the truth in {_percent(sure['held'])} of posts (asked: {sure['coverage']:.0%}) have "
        f"{size['value']:.2f} [{size['low']:.2f}, {size['high']:.2f}] levels on average. {_percent(sure['uncertain'])} of "
        f"SOS-1K's posts are *uncertain*: neither high nor low can be ruled out at {sure['coverage']:.0%}. Of the others "
        f"{_percent(sure['wrong'])} are wrong.",
        f"等级集合在 {_percent(sure['held'])} 的帖子中包含真实等级（要求 {sure['coverage']:.0%}），平均 {size['value']:.2f} "
        f"[{size['low']:.2f}, {size['high']:.2f}] 级。SOS-1K 中 {_percent(sure['uncertain'])} 的帖子属于*不确定*："
        f"在 {sure['coverage']:.0%} 水平上高、低都不能排除。其余帖子中 {_percent(sure['wrong'])} 判断错误。",
    )


def _quiet(metrics: Figures) -> Iterable[str]:
    yield _table(
        (say("ordinary posts, none trained on", "日常内容，均未参与训练"), "n", *POINTS),
        [
            (
                str(_SETS[name]),
                str(metrics["flagged"][name]["balanced"]["n"]),
                *(_percent(metrics["flagged"][name][point]) for point in POINTS),
            )
            for name in _SETS
        ],
    )
    yield say(
        "The first comes from the same collection as 995 training posts, the last two helped to fit the mixture. "
        "Everyday posts by emotion at recall95:",
        "第一行与 995 条训练帖同源；后两行参与了混合权重的拟合。日常帖子按情绪（recall95）：",
    )
    emotions = metrics["usual_by_emotion"]
    yield _table(
        (say("emotion", "情绪"), "n", say("flagged", "被标记")),
        [(names.shown(name), str(each["n"]), _percent(each)) for name, each in emotions.items()],
    )


_SETS = {
    "usual": Words("everyday Weibo posts", "日常微博"),
    "unrelated": Words("PsyGUARD, nothing of suicide", "PsyGUARD 中与自杀无关"),
    "virus": Words("Weibo posts on the epidemic", "疫情微博"),
    "invented": Words("invented ordinary posts", "虚构日常帖子"),
}


def _contrast(contrast: Figures) -> Iterable[str]:
    pairs = say("; ", "；").join(f"{name} {_percent(contrast['points'][name]['pairs_told_apart'])}" for name in POINTS)
    yield say(
        f"{contrast['n']} invented posts, none trained on. Pairs that share their words, told apart: {pairs}.",
        f"共 {contrast['n']} 条虚构帖子，均未参与训练。用词相同而含义相反的一对能区分开的比例：{pairs}。",
    )
    by_point = [contrast["points"][name]["categories"] for name in POINTS]
    yield _table(
        (say("category", "类别"), say("label", "标签"), "n", *(f"{say('flagged', '被标记')}, {p}" for p in POINTS)),
        [
            (
                names.shown(row[0]["category"]),
                _high(row[0]["high"]),
                str(row[0]["n"]),
                *(str(each["flagged"]) for each in row),
            )
            for row in zip(*by_point, strict=True)
        ],
    )


def _rated(rated: Figures) -> Iterable[str]:
    yield say(
        "Further invented posts in the manner of SOS-4K, hard ones among them (veiled, ironic, about others), whose writer "
        "wrote no training post; how high each is was rated by somebody else who did not know what was meant:",
        "另一些仿 SOS-4K 写法的虚构帖子，含难判断的（隐晦、反讽、说别人），其作者没有写过训练帖；风险高低由不知其本意的他人评定：",
    )
    shown = {
        "high": say("rated high, at least 50%", "评为高风险，至少 50%"),
        "low": say("rated high, at most 20%", "评为高风险，至多 20%"),
    }
    yield _table(
        (say("posts", "帖子"), "n", *(f"{say('flagged', '被标记')}, {point}" for point in POINTS)),
        [
            (words, str(rated[part]["balanced"]["n"]), *(_percent(rated[part][point]) for point in POINTS))
            for part, words in shown.items()
        ],
    )


def _high(high: bool) -> str:
    return say("high", "高") if high else say("low", "低")


def _robustness(found: Figures) -> Iterable[str]:
    yield say(
        f"Recall of {found['high_posts']} high posts at recall95, all words of risk disguised, and flags on "
        f"{found['everyday_posts']} everyday posts, in points. Mean loss {_points_more(found['loss'])}; mean rise of false "
        f"flags {_points_more(found['rise'])}. Training showed the kinds {', '.join(found['shown_in_training'])}; mean loss "
        f"of the others {_points_more(found['loss_of_kinds_not_shown'])}.",
        f"{found['high_posts']} 条高风险帖在 recall95 下的召回（所有风险词都变形），以及 {found['everyday_posts']} 条日常帖子的"
        f"误报，单位为百分点。平均损失 {_points_more(found['loss'])}；误报平均上升 {_points_more(found['rise'])}。"
        f"训练中出现过的变形：{'、'.join(map(names.of_disguise, found['shown_in_training']))}；其余变形的平均损失 "
        f"{_points_more(found['loss_of_kinds_not_shown'])}。",
    )
    yield _table(
        (
            say("kind", "变形"),
            say("posts it changes", "改变的帖数"),
            say("recall lost", "召回损失"),
            say("false flags", "误报上升"),
        ),
        [
            (names.of_disguise(kind), str(each["changed"]), _points_more(each["loss"]), _points_more(each["rise"]))
            for kind, each in found["kinds"].items()
        ],
    )


def _faithfulness(found: Figures) -> Iterable[str]:
    yield say(
        "How far an indicator's log-odds fall when its evidence is deleted, less the fall when as many characters are "
        "deleted elsewhere (mean of 3 draws), over the folds, paired.",
        "删去依据后该指标对数几率的下降，减去在别处删去同样多字符时的下降（3 次平均），五折配对。",
    )
    yield _table(
        (
            say("indicator", "指标"),
            say("posts with evidence", "有依据的帖数"),
            say("difference", "差"),
            say("posts in which evidence matters more", "依据影响更大的帖子"),
        ),
        [
            (
                str(INDICATOR_NAMES[name]),
                str(each["n"]),
                "{value:.2f} [{low:.2f}, {high:.2f}]".format(**each["comprehensiveness"]),
                _percent(each["larger"]),
            )
            for name in INDICATORS
            if (each := found.get(name))
        ],
    )


def _slices(found: Figures) -> str:
    return _table(
        (
            say("posts of the folds", "五折帖子"),
            "n",
            say("weighted F1, levels", "等级加权 F1"),
            say("mean error, levels", "等级平均误差"),
            say("recall of high", "高风险召回"),
        ),
        [
            (
                names.of_slice(name),
                str(each["n"]),
                _or_dash(each["weighted_f1"], 100, 1),
                _or_dash(each["mae"], 1, 2),
                _or_dash(each["recall_of_high"], 100, 1),
            )
            for name, each in found.items()
        ],
    )


def _or_dash(value: float | None, scale: float, digits: int) -> str:
    return "–" if value is None else f"{scale * value:.{digits}f}"


def _failures() -> str:
    lines = (
        Words(
            "It reads words more than situations: irony, quotation, lyrics and worry about others are still taken for "
            "one's own now and then (see the contrasts).",
            "它更多看文字而不是处境：反讽、引用、歌词、替他人担忧，仍时常被当成本人的表达（见对照集）。",
        ),
        Words(
            "A bare wish to die is mostly *low* in SOS-1K's separate high/low labels, hence here: rank by level too.",
            "在 SOS-1K 单独标注的高/低风险中，只表达想死多为*低*，本模型亦然：请同时看等级。",
        ),
        Words(
            "Level and high/low are separate answers, as the labels are, and may disagree.",
            "等级与高/低风险是两个独立的回答（标签如此），可能不一致。",
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


def _interval(interval: Figures, name: str) -> str:
    scale, digits = (1, 2) if name in ("mae", "qwk") else (100, 1)
    value, low, high = (f"{interval[key] * scale:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _points_more(interval: Figures) -> str:
    value, low, high = (f"{100 * interval[key]:+.1f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _percent(interval: Figures) -> str:
    value, low, high = (f"{interval[key]:.1%}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
