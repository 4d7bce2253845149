"""What is asked of a language model, where, at what price, and what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar

from shouwang.errors import InputError, ShouwangError
from shouwang.language import say

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T", bound="BaseModel")

Problem = Literal["invalid", "refused", "rejected", "unreachable"]
"""Why there is no answer: never in the wanted form; the model declined; the server turned this request down; no server."""


class EndpointError(ShouwangError):
    """Nothing more can be asked for now; what has arrived is kept."""


class Message(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that the user names, and how it may be used.

    `url` is the base that ends in /v1; `timeout` is in seconds; prices are per million tokens, in any currency, and
    `budget` is in the same; `per_minute` limits calls. `extra` joins the body of every call, such as
    `{"chat_template_kwargs": {"enable_thinking": False}}`.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    retries: int = 3
    concurrency: int = 4
    per_minute: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float | None = None
    max_tokens: int = 1024
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise InputError(
                say(
                    f"'{self.url}' is not an http(s) address; give the endpoint's base, such as …/v1",
                    f"“{self.url}”不是 http(s) 地址；请给出接口的地址，如 …/v1",
                )
            )
        if not self.model:
            raise InputError(
                say(
                    "no model named; give the name that the endpoint knows it by",
                    "没有写明模型；请给出接口上的模型名称",
                )
            )
        if self.budget is not None and not (self.price_in or self.price_out):
            raise InputError(
                say(
                    "a budget needs prices per million tokens (of input, of output) to reckon with",
                    "设预算须给出每百万词元的价格（输入、输出），才能计算",
                )
            )

    @property
    def longest_answer(self) -> int:
        """Tokens that an answer can have at most; `extra` may say so, too."""
        said = (self.extra.get(name) for name in ("max_tokens", "max_completion_tokens"))
        return max([each for each in said if isinstance(each, int)], default=self.max_tokens)

    def price(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One question. `sample` tells apart votes on the same question; `version` is that of the prompt.

    `id` comes back with the reply and is no part of the question.
    """

    id: str
    version: str
    messages: tuple[Message, ...]
    answer: type[T]
    temperature: float = 0.0
    sample: int = 0

    def key(self, endpoint: Endpoint) -> str:
        """What the cache knows the question by (hex SHA-256); where more is asked with `extra`, it is another one."""
        schema, extra = self.answer.model_json_schema(), (dict(endpoint.extra),) if endpoint.extra else ()
        parts = (self.version, endpoint.model, self.messages, schema, self.temperature, self.sample, *extra)
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """The validated answer, or the problem; `detail` never quotes a post. `cached`: nothing was sent for it now."""

    id: str
    answer: T | None
    problem: Problem | None = None
    detail: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Costs:
    """What a cache file has paid for, in all runs together.

    `calls` arrived; `unmetered` of them came without token counts and are reckoned at a token per character; `lost`
    were under way when a run was killed, and may have been charged: `cost` counts them at their estimate.
    """

    calls: int
    tokens_in: int
    tokens_out: int
    unmetered: int
    lost: int
    cost: float

    def to_row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}
