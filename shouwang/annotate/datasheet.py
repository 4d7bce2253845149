"""A datasheet after Gebru et al., "Datasheets for Datasets" (CACM 64(12), 2021): the questions in our own words.

What the project knows is filled in from its data. What only people can know is asked and left marked, unless they
give an answer under the question's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shouwang.annotate.comparison import PEOPLE, Agreement
from shouwang.annotate.labels import Rating
from shouwang.annotate.project import MODEL
from shouwang.language import Words, say
from shouwang.scale import HIGH_NAMES, INDICATOR_NAMES, INDICATORS, LEVELS


@dataclass(frozen=True, slots=True)
class Facts:
    """What the project knows of the data set: rows of data.jsonl, of left-out.jsonl, every rating, how far they agree."""

    name: str
    licence: str
    rows: Sequence[Mapping[str, Any]]
    left_out: Sequence[Mapping[str, Any]]
    ratings: Sequence[Rating]
    agreement: Agreement
    raters: int


def datasheet(facts: Facts, answers: Mapping[str, str]) -> str:
    """In the language in use; `answers` are people's, by the question's key."""
    lines = [
        f"# {say('Datasheet', '数据说明书')}: {facts.name}",
        "",
        say(
            "After Gebru et al., Datasheets for Datasets (2021). Answers marked ⚠ are still to be given by people.",
            "依据 Gebru 等《Datasheets for Datasets》（2021）。标有 ⚠ 的回答有待由人填写。",
        ),
    ]
    for title, questions in QUESTIONS.items():
        lines += ["", f"## {_TITLES[title]}"]
        for key, (question, known) in questions.items():
            answer = answers.get(key) or (known(facts) if known else "") or _asked(key)
            lines += ["", f"**{question}**", "", answer]
    return "\n".join([*lines, ""])


def _asked(key: str) -> str:
    return say(f"⚠ To be answered by people (key `{key}`).", f"⚠ 有待由人回答（键名 `{key}`）。")


# --- what the data say ----------------------------------------------------------------------------------------------


def _table(rows: Sequence[Sequence[object]]) -> str:
    head, *body = [[str(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *body])


def _instances(facts: Facts) -> str:
    return say(
        "Chinese social-media posts, each with the suicide risk that its text expresses.",
        "中文社交媒体帖子，每条附有其文字所表达的自杀风险。",
    )


def _count(facts: Facts) -> str:
    levels = Counter(row["level"] for row in facts.rows)
    highs = Counter(row["high"] for row in facts.rows)
    table = _table(
        [
            [
                say("level", "等级"),
                *(each.value for each in LEVELS),
                *map(str, HIGH_NAMES.values()),
                say("all", "合计"),
            ],
            [
                say("posts", "帖子"),
                *(levels[each.value] for each in LEVELS),
                highs[True],
                highs[False],
                len(facts.rows),
            ],
        ]
    )
    expressed = ", ".join(
        f"{INDICATOR_NAMES[name]} {sum(name in row['indicators'] for row in facts.rows)}" for name in INDICATORS
    )
    return f"{table}\n\n{say('Indicators expressed', '表达的指标')}: {expressed}."


def _content(facts: Facts) -> str:
    lengths = [len(row["text"]) for row in facts.rows]
    middle, most = int(np.median(lengths)), max(lengths)
    return say(
        f"The text after cleaning and de-identification (median {middle} characters, at most {most}), no author, no date.",
        f"清洗并去标识后的正文（中位数 {middle} 字，最长 {most} 字）；不含作者与日期。",
    )


def _labels(facts: Facts) -> str:
    return say(
        "A level 0–10; high or low, judged separately; indicators with the words they rest on; whether a rater was unsure.",
        "0–10 级；另行判断的高/低；各项指标及其所依据的文字；标注员是否拿不准。",
    )


def _missing(facts: Facts) -> str:
    reasons = Counter(row["reason"] for row in facts.left_out)
    listed = ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items())) or "–"
    return say(f"Left out (ids in left-out.jsonl): {listed}.", f"未收入的记录（编号见 left-out.jsonl）：{listed}。")


def _relations(facts: Facts) -> str:
    return say(
        "Exact and near duplicates were dropped at import; near-equal posts that remain stand in the same fold.",
        "导入时已去除完全或近似重复的帖子；其余相近的帖子放在同一折。",
    )


def _splits(facts: Facts) -> str:
    sizes = Counter(row["fold"] for row in facts.rows)
    listed = ", ".join(f"fold{fold}: {sizes[fold]}" for fold in sorted(sizes))
    return say(f"Folds stratified by level: {listed}.", f"按等级分层的各折：{listed}。")


def _noise(facts: Facts) -> str:
    rows: list[list[object]] = [
        [say("who", "对象"), say("when", "阶段"), say("posts", "帖子"), *("%", "κ²", "α ordinal", "α interval")]
    ]
    for each in facts.agreement.comparisons:
        if PEOPLE not in (each.left, each.right):
            continue
        cells = [
            "–"
            if name not in each.levels or np.isnan((found := each.levels[name]).value)
            else f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f})"
            for name in ("percentage", "quadratic-kappa", "alpha-ordinal", "alpha-interval")
        ]
        rows.append([f"{each.left} – {each.right}", each.stage, each.posts, *cells])
    return (
        say(
            "Agreement with 95% bootstrap intervals (κ²: quadratic weighted kappa, α: Krippendorff's alpha):",
            "一致性及 95% 自助法区间（κ²：二次加权 kappa，α：Krippendorff alpha）：",
        )
        + "\n\n"
        + _table(rows)
    )


def _sensitive(facts: Facts) -> str:
    return say(
        "Yes: people in distress wrote of pain, of wanting to die, of plans. Do not quote, search for, or contact them.",
        "是：处于痛苦中的人写下了痛苦、想死的念头与计划。不要引用、检索或联系他们。",
    )


def _identify(facts: Facts) -> str:
    return say(
        "Names after @, telephone numbers, addresses, accounts and links were replaced by rules, which miss some; a text "
        "that is still public can be searched for. Ids are those of the input.",
        "@ 的名字、电话、地址、账号与链接已按规则替换，但规则会有遗漏；仍然公开的原文可能被检索到。编号沿用输入。",
    )


def _who_labelled(facts: Facts) -> str:
    people = {each.who for each in facts.ratings if not each.who.startswith(MODEL)}
    models = sorted({each.who for each in facts.ratings if each.who.startswith(MODEL)})
    settled = Counter(row["settled"] for row in facts.rows)
    found = facts.agreement.anchoring
    instructing, shortened = (
        len({each.post for each in facts.ratings if each.data.get(name)}) for name in ("instructs", "left_out")
    )
    sighted = _sighted(facts.ratings)
    seen = say(
        f" {sighted} ratings came from other tools, in which a suggestion was seen first: they are not blind.",
        f"另有 {sighted} 个标注来自其他工具，标注者事先看到了建议，不是盲评。",
    )
    return say(
        f"{len(people)} people, {facts.raters} for each post, blind: a model's suggestion was shown only after their own "
        f"rating.{seen if sighted else ''} {settled['agreed']} posts were agreed on, {settled['adjudicated']} adjudicated. Models: "
        f"{', '.join(models) or 'none'}. After {found.revealed} suggestions {found.changed} ratings changed, "
        f"{found.towards} towards and {found.away} away from it. {instructing} posts may speak to whoever rates them; of "
        f"{shortened} of these the models were not shown all (people were): see `left_out` in votes.jsonl.",
        f"共 {len(people)} 人，每帖 {facts.raters} 人先独立盲评：自己标注之后才显示模型建议。{seen if sighted else ''}{settled['agreed']} 条一致，"
        f"{settled['adjudicated']} 条经裁定。模型：{'、'.join(models) or '无'}。看到 {found.revealed} 次建议后改了 "
        f"{found.changed} 次，{found.towards} 次更接近建议，{found.away} 次更远。{instructing} 条帖子可能在对评分者说话；"
        f"其中 {shortened} 条未向模型展示全文（人看到的是全文）：见 votes.jsonl 的 `left_out`。",
    )


def _sighted(ratings: Sequence[Rating]) -> int:
    """People's ratings before which they had given no blind one."""
    said = {stage: {(each.who, each.post) for each in ratings if each.stage == stage} for stage in ("blind", "after")}
    return len(said["after"] - said["blind"])


def _when_labelled(facts: Facts) -> str:
    times = [each.at[:10] for each in facts.ratings]
    return say(f"Rated from {min(times)} to {max(times)} (UTC).", f"标注于 {min(times)} 至 {max(times)}（UTC）。")


def _cleaning(facts: Facts) -> str:
    return say(
        "HTML remains, zero-width characters, reposted words of others, mentions, links and topics were removed; "
        "identifiers replaced; duplicates dropped (shouwang annotate import).",
        "去除了 HTML 残留、零宽字符、转发链中他人的话、@、链接与话题；替换了可识别信息；去除了重复（shouwang annotate import）。",
    )


def _raw(facts: Facts) -> str:
    return say("Not in this folder.", "不在此文件夹中。")


def _software(facts: Facts) -> str:
    import shouwang

    return f"shouwang {shouwang.__version__}"


def _not_for(facts: Facts) -> str:
    return say(
        "Not for diagnosing, punishing, reporting or refusing anyone, and not for predicting what a person will do.",
        "不得用于诊断、惩罚、举报或拒绝任何人，也不得用于预测某人的行为。",
    )


def _licence(facts: Facts) -> str:
    return facts.licence


_TITLES: dict[str, Words] = {
    "motivation": Words("Motivation", "动机"),
    "composition": Words("Composition", "组成"),
    "collection": Words("Collection", "收集"),
    "preprocessing": Words("Cleaning and labelling", "清洗与标注"),
    "uses": Words("Uses", "用途"),
    "distribution": Words("Distribution", "分发"),
    "maintenance": Words("Maintenance", "维护"),
}

_Known = Callable[[Facts], str] | None

QUESTIONS: dict[str, dict[str, tuple[Words, _Known]]] = {
    "motivation": {
        "purpose": (Words("What was it made for?", "为何制作？"), None),
        "creators": (Words("Who made it, for whom?", "由谁制作，代表谁？"), None),
        "funding": (Words("Who paid for it?", "由谁资助？"), None),
    },
    "composition": {
        "instances": (Words("What is one record?", "一条记录是什么？"), _instances),
        "count": (Words("How many are there?", "有多少条？"), _count),
        "sample": (Words("Is it a sample, of what, and how was it drawn?", "是样本吗？取自什么，如何抽取？"), None),
        "content": (Words("What does a record hold?", "记录里有什么？"), _content),
        "labels": (Words("Is there a label?", "有标签吗？"), _labels),
        "missing": (Words("Is anything missing?", "有无缺失？"), _missing),
        "relations": (Words("Are records related?", "记录之间有关联吗？"), _relations),
        "splits": (Words("Which splits are recommended?", "建议如何划分？"), _splits),
        "noise": (Words("How far can the labels be trusted?", "标签有多可靠？"), _noise),
        "external": (Words("Does it rely on anything outside?", "是否依赖外部资源？"), None),
        "confidential": (Words("Is anything confidential?", "有无保密内容？"), None),
        "sensitive": (
            Words("Could it distress who reads it, and is it sensitive?", "是否会使读者不适，是否敏感？"),
            _sensitive,
        ),
        "groups": (Words("Whom does it speak of, and of whom not?", "涉及哪些人群，缺少哪些？"), None),
        "identify": (Words("Can somebody be identified?", "能否识别出个人？"), _identify),
    },
    "collection": {
        "acquired": (Words("How were the posts obtained?", "帖子如何获得？"), None),
        "collectors": (Words("Who collected them, and how were they paid?", "由谁收集，如何付酬？"), None),
        "period": (Words("From when are the posts?", "帖子写于何时？"), None),
        "ethics": (Words("Was there an ethical review?", "是否经过伦理审查？"), None),
        "consent": (
            Words("Did the writers know or consent, and can they withdraw?", "作者是否知情或同意，能否撤回？"),
            None,
        ),
        "impact": (Words("Was the effect on the writers considered?", "是否评估过对作者的影响？"), None),
    },
    "preprocessing": {
        "cleaning": (Words("What was done to the texts?", "对文本做了什么处理？"), _cleaning),
        "labelling": (Words("Who labelled, and how?", "由谁、如何标注？"), _who_labelled),
        "labelled": (Words("When was it labelled?", "何时标注？"), _when_labelled),
        "training": (Words("How were raters trained, paid and cared for?", "标注员如何培训、付酬与关怀？"), None),
        "raw": (Words("Is the raw text kept?", "是否保留原文？"), _raw),
        "software": (Words("Which software was used?", "使用什么软件？"), _software),
    },
    "uses": {
        "used": (Words("What has it been used for?", "曾用于什么？"), None),
        "uses": (Words("What else could it be used for?", "还能用于什么？"), None),
        "not-for": (Words("What must it not be used for?", "不得用于什么？"), _not_for),
    },
    "distribution": {
        "recipients": (Words("Who gets it, how and when?", "分发给谁，何时、如何分发？"), None),
        "licence": (Words("Under which licence?", "采用什么许可？"), _licence),
        "third-parties": (Words("Do others hold rights in it?", "他人是否享有权利？"), None),
    },
    "maintenance": {
        "maintainer": (Words("Who looks after it, and how are they reached?", "由谁维护，如何联系？"), None),
        "erratum": (Words("Where are errors listed?", "勘误列于何处？"), None),
        "updates": (Words("Will it be updated, and how is that told?", "是否更新，如何告知？"), None),
        "retention": (Words("For how long may it be kept?", "可保留多久？"), None),
        "contributions": (Words("How can others contribute?", "他人如何参与？"), None),
    },
}
