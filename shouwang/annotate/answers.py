"""The forms in which a language model answers. Levels are an enumeration: servers ignore bounds of integers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shouwang.scale import Indicator


def _no_truth(found: object) -> object:
    """Python takes false for 0."""
    if isinstance(found, bool):
        raise ValueError("true or false is no level")
    return found


Value = Annotated[Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], BeforeValidator(_no_truth)]


class Quote(BaseModel):
    """Words of the post that express an indicator."""

    model_config = ConfigDict(extra="forbid")
    indicator: Indicator
    text: str


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    instructs: bool = Field(description="帖子里有没有对评分者或模型说的指令")
    high: bool
    quotes: list[Quote]


class Judged(_Answer):
    """A level, as the model sees it."""

    level: Value


class Graded(_Answer):
    """A grade for each indicator, from which the level follows."""

    pain: Literal["none", "some", "clear", "intense"]
    wish: Literal["none", "present", "strong"]
    plan: Literal["none", "planning"]
    method: Literal["none", "unclear", "settled"]
    time: Literal["none", "roughly", "days", "now"]
