"""Invented posts of three levels, and a split of them."""

from __future__ import annotations

from collections.abc import Sequence

from shouwang.augment.records import Split
from shouwang.posts import LabelledPost

TRAIN = (
    LabelledPost("a-1", "今天朋友约我去公园散步，天气很好", 0, False),
    LabelledPost("a-2", "老师批改作业到很晚，学生都回家了", 0, False),
    LabelledPost("a-3", "邻居的孩子总是大喊，院子里谁都不安静", 0, False),
    LabelledPost("b-1", "我真的不想活了，朋友都不知道", 4, False),
    LabelledPost("b-2", "妈妈因为小事骂我，好想死", 4, False),
    LabelledPost("c-1", "我决定了，明天就走，东西都收拾好了", 8, True),
)
HELD_OUT = (LabelledPost("v-1", "图书馆里面没有座位，只好回宿舍复习", 0, False),)


def split(*more: LabelledPost, held_out: Sequence[LabelledPost] = HELD_OUT) -> Split:
    return Split("invented", (*TRAIN, *more), tuple(held_out))
