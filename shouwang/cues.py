"""Words that carry an indicator, or that turn one around: a small lexicon of our own.

Written from knowledge of the language, not collected from posts. Patterns run over canonical text (see `text.py`).
A cue is a hint to a model and a reason to show; alone it decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from shouwang.scale import Indicator

Context = Literal["self", "negation", "degree", "farewell", "help", "hyperbole", "other", "hope"]


@dataclass(frozen=True)
class Cue:
    """A named pattern; `kind` is the indicator it speaks for, or the context it sets."""

    name: str
    kind: Indicator | Context
    pattern: str

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)


_DIE = "(?:死|去死|自杀|轻生|自尽|寻死|了结|了断|解脱|离开这个世界|离开人世|结束生命|结束自己|结束这一切|消失)"
_METHOD = "(?:跳楼|跳河|跳江|跳海|跳桥|跳下去|割腕|割脉|上吊|烧炭|安眠药|吞药|服药|吃药|农药|药片|溺水|卧轨|天台|楼顶|刀片|绳子|煤气)"

CUES: tuple[Cue, ...] = (
    Cue("want-to-die", "wish", f"(?:想|好想|很想|真想|只想|就想|要|愿意|渴望|希望|恨不得|巴不得)(?:要|去|快点|赶紧|早点|立刻|马上|直接|一个人|安静地|静静地)*{_DIE}"),
    Cue("not-want-to-live", "wish", "(?:不想|不愿|不愿意|不要|懒得)(?:再|继续|这样)*(?:活|活着|活下去|醒|醒来|存在|呼吸|坚持|撑)"),
    Cue("cannot-live-on", "wish", "(?:活不下去|活不了|活够了|活腻|撑不住|撑不下去|坚持不下去|坚持不住|熬不下去|熬不住|走不下去)"),
    Cue("better-dead", "wish", "(?:死了(?:算了|就好|更好|最好|吧|才好)|不如死|生不如死|一死了之|死了之后|我死了|怎么还不死|让我死|求死|该死的是我|为什么死的不是我)"),
    Cue("suicide-word", "wish", "(?:自杀|轻生|自尽|寻死|自我了断|自我了结|结束生命|结束自己)"),
    Cue("never-wake", "wish", "(?:睡(?:着|下|过去)[^。！？]{0,6}(?:不(?:再|要|用)?(?:醒|起)|醒不过来)|再也(?:不要|不用|别)?醒|永远(?:睡|沉睡|离开|闭上眼))"),
    Cue("disappear", "wish", "(?:想|好想|让我|希望我?)(?:能|可以|就此|从此)?(?:消失|蒸发|不存在)|(?:从来|从)没(?:有)?(?:出生|来过|存在)"),
    Cue("plan-word", "plan", "(?:计划|打算|准备|决定|安排|想好|选好|定好|考虑好|下定决心|写好|遗书|遗言|遗嘱|后事|交代)"),
    Cue("how-to-die", "plan", "(?:怎么|怎样|如何|什么|哪种|哪里)[^。！？]{0,6}(?:死|自杀|方式|不疼|不痛|没有痛苦|解脱)"),
    Cue("search-method", "plan", "(?:查|搜|百度|网上|买|囤|攒|存)(?:了|好|着|到)?[^。！？]{0,8}(?:药|绳|刀|炭|方法|方式|天台|楼)"),
    Cue("farewell-note", "plan", "(?:遗书|遗言|遗嘱|后事|最后一条|最后一次|定时(?:发|微博))"),
    Cue("method-word", "method", _METHOD),
    Cue("jump", "method", "(?:想|要|去|准备|打算|从)[^。！？]{0,5}跳(?!舞|槽|绳|高|远|过|操|水|蚤|级|转)"),
    Cue("cut", "method", "(?:割|划|刀)[^。！？]{0,4}(?:手|腕|腿|脉|自己)"),
    Cue("pills", "method", "(?:药)[^。！？]{0,4}(?:全|都|一瓶|整瓶|好多|很多)|(?:全|都|一瓶|整瓶|好多|很多)[^。！？]{0,3}药"),
    Cue("now", "time", "(?:现在|此刻|马上|立刻|这就|正在|已经(?:吃|喝|割|站|写|准备)|刚(?:刚)?(?:吃|喝|割))"),
    Cue("today", "time", "(?:今天|今晚|今夜|今日|明天|明晚|明早|后天|天亮|凌晨|这几天|过几天|这周|下周|周[一二三四五六日天末])"),
    Cue("date", "time", "(?:\\d{1,2}月\\d{1,2}|\\d{1,2}[号日]|这个月|下个月|月底|年底|生日(?:那天|之前|之后|过后)|过完年|国庆|春节|放假(?:前|后)|毕业(?:前|后)|考完|\\d{2}岁(?:那年|之前|以前|时))"),
    Cue("goodbye", "farewell", "(?:再见了|永别|告别|别了|来世|来生|下辈子|对不起(?:爸|妈|大家|所有人|我的)|我走了|我先走|谢谢(?:你们|大家)[^。！？]{0,8}(?:照顾|陪伴)|拜拜(?:了)?(?:世界|大家))"),
    Cue("pain", "pain", "(?:痛苦|难受|绝望|崩溃|煎熬|折磨|窒息|喘不过气|好累|太累|很累|疲惫|抑郁|焦虑|孤独|无助|麻木|空虚|压抑|撕心裂肺)"),
    Cue("meaningless", "pain", "(?:没(?:有)?(?:意思|意义|希望|盼头|未来|价值)|活着(?:好|真|太|很|为了|干|有什么|的意义)|为什么(?:要)?(?:活|出生|生下)|毫无意义|多余|废物|累赘|拖累|没人(?:在乎|爱|需要|理解|懂))"),
    Cue("crying", "pain", "(?:哭|眼泪|流泪|失眠|睡不着|噩梦)"),
    Cue("self", "self", "(?:我|俺|自己|本人)"),
    Cue("negation", "negation", "(?:不想死|不会(?:去)?(?:死|自杀)|没(?:有)?想(?:过|要)?(?:死|自杀)|不敢死|怕死|不舍得死|舍不得|不能死|还不想)"),
    Cue("live-on", "hope", "(?:好好活|活下去吧|加油|会好的|好起来|希望大家|努力活|坚持下去|熬过|撑过|走出来|治愈|康复|开心|快乐|幸福|喜欢|期待|谢谢)"),
    Cue("degree", "degree", "(?:真的|好|太|非常|特别|极其|无比|实在|彻底|完全|一直|每天|总是|永远|越来越)"),
    Cue("seek-help", "help", "(?:救救我|帮帮我|有没有人|谁能|求助|怎么办|救命)"),
    Cue("hyperbole", "hyperbole", "(?:[笑热冷累饿困气烦吓馋甜美帅丑酸急渴撑尬愁羡慕爱想]|尴尬|无聊|好看|可爱|难吃|好吃|恶心)死(?:我|了|个人|人|你|他|她|啦|啊)|要(?:我|了)(?:老)?命|社死|死线|死党|死机|死磕|打死(?:我)?(?:也|都)|笑(?:不活|到)"),
    Cue("third-person", "other", "(?:他|她|朋友|同学|同事|闺蜜|邻居|网友|室友|孩子|老师|主角|主人公|男主|女主|新闻|报道|电影|电视剧|小说|歌词|游戏)"),
)  # fmt: skip


def find(text: str) -> Iterator[tuple[int, int, int]]:
    """(cue index, start, end) of every match in canonical text."""
    for index, cue in enumerate(CUES):
        for match in cue.regex.finditer(text):
            yield index, match.start(), match.end()
