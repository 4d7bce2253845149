"""New posts of a wanted level, written by a language model from the scale's definition and a few training posts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, Field

from shouwang import scale
from shouwang.augment.records import Augmented, NothingMadeError, Task
from shouwang.llm import Client, Message, Reply, Request
from shouwang.posts import LabelledPost

VERSION = "write-1"
EXAMPLES = 4
PER_CALL = 5
TEMPERATURE = 1.0
TOKENS_PER_POST = 60

_SYSTEM = """\
你在协助一项预防自杀的研究。研究者要训练一个软件，让它在社交媒体上认出需要帮助的人，使志愿者能及时找到他们。
请按照给定的等级，写出虚构的中文社交媒体帖子，作为训练材料。

写法：
- 第一人称，口语，像普通人随手发的；长短、语气、身份、处境各不相同，不要套话，不要互相模仿。
- 每条所表达的风险恰好是给定的等级，不高也不低；内容符合等级的定义即可，不要提到“等级”。
- 全部虚构：不抄写也不改写示例，不出现真实的人名、账号、电话、地址。
- 绝不写怎样伤害自己：不写剂量、药名、具体做法、步骤、方法的比较，也不写别人可以照做的任何细节；提到方式时只用一个普通的词带过。
- 不劝慰、不说教、不加说明。"""


class Written(BaseModel):
    """What the model answers."""

    posts: list[str] = Field(min_length=1, max_length=4 * PER_CALL)


def messages(level: int, examples: Sequence[str], count: int) -> tuple[Message, ...]:
    """The question: the level's definition beside its neighbours', what it expresses, and the examples."""
    wanted = scale.level(level)
    near = [each for each in scale.LEVELS if abs(each.value - level) == 1]
    lines = [
        f"要写的等级：{level}（{wanted.name.zh}）",
        f"定义：{wanted.definition.zh}",
        "表达的程度：" + "；".join(_strength(wanted, indicator) for indicator in scale.INDICATORS),
        "不要写成相邻的等级：" + "".join(f"{each.value}（{each.name.zh}）：{each.definition.zh}" for each in near),
        "同一等级的示例，只供体会分寸和口吻：",
        *(f"<示例>{text}</示例>" for text in examples),
        f"请写 {count} 条。",
    ]
    return ({"role": "system", "content": _SYSTEM}, {"role": "user", "content": "\n".join(lines)})


def _strength(level: scale.Level, indicator: scale.Indicator) -> str:
    words = {None: "不限", 0.0: "没有", 0.5: "有一些", 1.0: "明确"}
    return f"{scale.INDICATOR_NAMES[indicator].zh}{words[level.expressed(indicator)]}"


@dataclass(slots=True)
class Generated:
    """Writes posts of a post's level, with that post and others of its level in `posts` (training only) as examples."""

    client: Client
    posts: Sequence[LabelledPost]
    _replies: dict[str, Reply[Written]] = field(default_factory=dict)
    _levels: dict[int, list[LabelledPost]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for post in self.posts:
            if post.level is not None:
                self._levels[post.level].append(post)

    def ahead(self, tasks: Sequence[Task]) -> None:
        """Ask for all of them at once, as many at a time as the endpoint allows."""
        for reply in self.client.stream(self.request(post, deepcopy(rng))[0] for post, rng in tasks):
            self._replies[reply.id] = reply

    def make(self, post: LabelledPost, rng: np.random.Generator) -> list[Augmented]:
        request, examples, seed = self.request(post, rng)
        reply = self._replies.pop(request.id, None) or self.client.ask(request)
        if reply.answer is None:
            raise NothingMadeError(reply.problem or "no answer")
        notes = {"model": self.client.endpoint.model, "prompt": VERSION, "seed": seed, "temperature": TEMPERATURE}
        level, origins = post.level or 0, tuple(example.id for example in examples)
        return [
            Augmented(
                f"level-{level}+generated-{request.id[:10]}-{i}",
                text.strip(),
                level,
                level >= scale.HIGH_FROM,
                "generated",
                origins,
                notes,
            )
            for i, text in enumerate(reply.answer.posts)
        ]

    def request(self, post: LabelledPost, rng: np.random.Generator) -> tuple[Request[Written], list[LabelledPost], int]:
        """The question for one post, the examples in it and its seed."""
        others = [each for each in self._levels[post.level or 0] if each.id != post.id]
        drawn = rng.choice(len(others), min(EXAMPLES - 1, len(others)), replace=False)
        examples, seed = [post, *(others[i] for i in drawn)], int(rng.integers(1, 1 << 31))
        asked = messages(post.level or 0, [example.text for example in examples], PER_CALL)
        name = hashlib.sha256(f"{seed} {asked}".encode()).hexdigest()
        return Request(name, VERSION, asked, Written, TEMPERATURE, seed), examples, seed


def estimate(posts: int, examples: Sequence[LabelledPost]) -> tuple[int, int, int]:
    """Calls, and tokens in and out, for so many posts: at a token per character and 60 tokens a post."""
    calls = -(-posts // PER_CALL)
    mean = sum(len(post.text) for post in examples) / max(1, len(examples))
    asked = sum(len(message["content"]) for message in messages(5, ["字" * round(mean)] * EXAMPLES, PER_CALL))
    return calls, calls * asked, calls * PER_CALL * TOKENS_PER_POST
