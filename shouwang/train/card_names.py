"""What the model card calls the things that the figures are of, in the language in use."""

from __future__ import annotations

from shouwang.language import say


def of_slice(name: str) -> str:
    """A group of posts, such as "length 0–15"."""
    kind, _, which = name.partition(" ")
    zh = {"length": f"{which} 字", "level": f"{which} 级", "with": "含方式词", "without": "不含方式词"}
    return say(name, zh.get(kind, name))


def shown(name: str) -> str:
    """A data set, an emotion, a category."""
    return say(name, CHINESE.get(name, name))


def of_disguise(name: str) -> str:
    """A kind of disguise, also as the commands and the canonical form's page call it."""
    return say(name, f"{CHINESE[name]} {name}" if name in CHINESE else name)


CHINESE = {
    "everyday/usual-eval, one half": "everyday/usual-eval 的一半",
    "everyday/usual-eval, the other half": "everyday/usual-eval 的另一半",
    "everyday/virus-train, held out": "everyday/virus-train，留出部分",
    "invented (train/builtin/invented.jsonl), ordinary": "虚构帖子（train/builtin/invented.jsonl），日常内容",
    "invented (train/builtin/ordinary.jsonl), ordinary, in the last steps": (
        "虚构帖子（train/builtin/ordinary.jsonl），日常内容，用于最后的步骤"
    ),
    "invented, with a level": "虚构帖子，带等级",
    "invented and rated unseen (train/builtin/rated.jsonl), in the last steps": (
        "虚构帖子，由他人盲评（train/builtin/rated.jsonl），用于最后的步骤"
    ),
    "invented, held out": "虚构帖子，留出部分",
    "invented and rated unseen, by another writer (train/builtin/rated-held.jsonl)": (
        "虚构帖子，由他人盲评，另一位作者所写（train/builtin/rated-held.jsonl）"
    ),
    "smilechat and half of psyguard/valid, nothing of suicide": "smilechat，以及 psyguard/valid 中与自杀无关的一半",
    "psyguard/valid, intent or plan": "psyguard/valid，有意图或计划",
    "psyguard/valid, nothing of suicide, the other half": "psyguard/valid，与自杀无关的另一半",
    "angry": "愤怒",
    "fear": "恐惧",
    "happy": "高兴",
    "neutral": "无情绪",
    "sad": "悲伤",
    "surprise": "惊讶",
    "hyperbole": "夸张",
    "games": "游戏",
    "work": "工作、学业",
    "lyrics": "歌词",
    "fiction": "小说、影视",
    "news": "新闻",
    "worry": "担心他人",
    "quotation": "引用",
    "negation": "否定",
    "recovered": "已走出来",
    "helping": "帮助他人",
    "professional": "专业内容",
    "advertising": "广告",
    "nature": "动植物",
    "ancestors": "祭奠先人",
    "medical": "医疗",
    "humour": "玩笑",
    "wish": "意愿",
    "plan": "计划",
    "method": "方式",
    "time": "时间",
    "farewell": "告别",
    "covert": "隐晦",
    "zero-width": "零宽字符",
    "combining-marks": "组合符号",
    "spaces": "空格",
    "symbols": "符号",
    "emoji": "表情",
    "doubled": "叠字",
    "traditional": "繁体",
    "kangxi-radicals": "康熙部首",
    "html-entities": "HTML 实体",
    "symbol-in-word": "词中夹符号",
    "pinyin": "拼音",
    "pinyin-with-tones": "带调拼音",
    "pinyin-letter-by-letter": "逐字母拼音",
    "pinyin-enclosed": "带圈拼音",
    "half-pinyin": "半拼音",
    "initials": "首字母",
    "homophones": "同音字",
    "one-homophone": "每词一个同音字",
    "split-characters": "拆字",
    "look-alike": "形近字",
    "swapped": "颠倒字序",
}
