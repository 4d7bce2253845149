"""Texts that tell how harm is done: what no augmenter may add to a training set.

That a post names a method is part of the scale (level 7); amounts, comparisons and instructions are not. The patterns
are coarse on purpose: refusing a harmless text costs one invented post.
"""

from __future__ import annotations

import re

_METHOD = re.compile(r"药|毒|割|跳楼|上吊|烧炭|煤气|绳|刀|自杀|自残|死")
_AMOUNT = re.compile(
    r"[0-9一二两三四五六七八九十百几]+\s*(?:片|颗|粒|瓶|板|盒|毫克|毫升|克|mg|ml)|剂量|用量|致死|致命", re.IGNORECASE
)
_COMPARISON = re.compile(
    r"(?:最|更|比较)(?:快|不疼|不痛|无痛|有效|容易|保险|没有痛苦).{0,8}(?:死|方法|方式|办法)|无痛(?:死|自杀)"
)
_INSTRUCTION = re.compile(
    r"步骤|教程|攻略|操作方法|具体做法|方法如下|首先.{0,40}(?:然后|其次|接着)|第一步|1[.、].{0,40}2[.、]", re.DOTALL
)


def explains_harm(text: str) -> bool:
    """Whether a text that names a method also gives an amount, a comparison of methods or an instruction."""
    return bool(_METHOD.search(text)) and any(p.search(text) for p in (_AMOUNT, _COMPARISON, _INSTRUCTION))
