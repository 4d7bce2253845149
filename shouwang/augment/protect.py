"""What an augmenter must leave alone: every character that carries a level.

A wish, a plan, a method, a time, a farewell, how strong, how sure, and who: changing one of those words changes what a
post expresses. They are found by the lexicon (`shouwang.cues`), by the words that people hide (`text.risk_words`) and
by the closed classes of words below.
"""

from __future__ import annotations

import re

from shouwang import cues
from shouwang.text import canonical
from shouwang.text.risk_words import HIDDEN

KINDS = frozenset({"wish", "plan", "method", "time", "hold", "farewell", "together"})
"""Kinds of cues of which every match is protected."""

NAMED = frozenset({"pain", "tired", "hopeless", "worthless", "lonely", "illness", "cry", "me", "degree-die", "number"})
"""Single cues of the other kinds: how much pain is expressed, the first person, numbers.

Family, school, money, love and the other settings of a life are not among them: they carry no level.
"""

NEGATION = "不 没 别 未 无 非 莫 勿 没有 从不 从未 并非 毫不 绝不 不再"
DEGREE = (
    "很 太 好 真 真的 非常 特别 十分 万分 极 极其 极度 最 更 更加 越 越来越 超 超级 挺 蛮 有点 有些 稍微 略 比较 相当 无比 "
    "多么 这么 那么 如此 实在 彻底 完全 根本 一点 强烈 严重 深深 终于 只 只想 只能 只好 唯一 一定 肯定 必须 绝对 大概 几乎 差点 快"
)
TIME = (
    "现在 此刻 如今 目前 今天 今晚 今夜 今年 明天 明晚 后天 昨天 昨晚 前天 刚刚 刚才 刚 马上 立刻 立即 即刻 即将 快要 就要 "
    "正在 正 在 已经 已 曾经 曾 以前 从前 之前 以后 之后 后来 将来 未来 最近 近来 早晚 迟早 平时 经常 常常 时常 总是 老是 一直 "
    "始终 偶尔 有时 有时候 每天 天天 整天 每晚 每次 永远 从来 又 再 再次 还 仍 仍然 依然 依旧 突然 忽然 暂时 早 晚 早上 早晨 清晨 "
    "凌晨 上午 中午 下午 傍晚 晚上 深夜 半夜 夜里 白天 周末 假期 春节 新年 毕业 开学 月 年 日 号 点 天 周 时候 时间 日子"
)
PERSON = "我 我们 自己 本人 俺 咱 咱们 自我"
SERIOUS = (
    "死 活 命 走 离开 消失 结束 解脱 生命 人生 一生 世界 世间 人间 生 亡 尸 葬 坟 墓 鬼 魂 灵魂 天堂 地狱 轮回 来世 下辈子 想 要 "
    "愿 愿意 希望 希望能 打算 决定 计划 准备 安排 药 刀 绳 楼 楼顶 天台 窗 桥 河 江 海 湖 水 血 火 车轨 煤气 炭 伤 害 疼 痛 苦 累 "
    "怕 敢 勇气 懦弱 难过 难受 伤心 悲伤 绝望 崩溃 痛苦 孤独 寂寞 抑郁 焦虑 失眠 麻木 哭 泪 眼泪 恨 救 求救 帮 帮帮 再见 告别 "
    "遗书 遗言 后事 对不起 谢谢 最后"
)

CLOSED = frozenset(f"{NEGATION} {DEGREE} {TIME} {PERSON} {SERIOUS}".split())
"""Words that are protected wherever they stand as a word of their own."""

_HIDDEN = re.compile("|".join(sorted(map(re.escape, HIDDEN), key=len, reverse=True)))
_NEGATED = re.compile(r"[不没别未无莫勿].")
_GRAVE = re.compile(r"[死杀亡葬尸坟墓魂遗绝痛苦哭泪血刀药毒]")


def protected(text: str) -> frozenset[int]:
    """Positions of the characters of a text that must stay as they are; disguised words are read in canonical form."""
    form = canonical(text)
    spans = [
        (start, end)
        for index, start, end in cues.find(form.text)
        if cues.CUES[index].kind in KINDS or cues.CUES[index].name in NAMED
    ]
    for pattern in (_HIDDEN, _NEGATED, _GRAVE):
        spans += [match.span() for match in pattern.finditer(form.text)]
    return frozenset(i for span in spans for i in range(*form.original(*span)))


def carries_level(word: str) -> bool:
    """Whether a word alone, or any part of it, is protected: it can be neither replaced nor a replacement."""
    return word in CLOSED or bool(protected(word))
