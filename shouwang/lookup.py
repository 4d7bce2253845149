"""Names to things, with a helpful error."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from shouwang.errors import InputError
from shouwang.language import say

T = TypeVar("T")


def get(registry: Mapping[str, T], name: str, kind: str) -> T:
    """The entry called `name`.

    Raises InputError that names the closest entry ("No encoder 'macbret'. Did you mean 'macbert'?").
    """
    if name in registry:
        return registry[name]
    close = get_close_matches(name, registry, n=1)
    there = ", ".join(registry)
    hint = f"Did you mean '{close[0]}'?" if close else f"There are: {there}."
    zh = f"是不是“{close[0]}”？" if close else f"可用的有：{there}。"
    raise InputError(say(f"No {kind} '{name}'. {hint}", f"没有“{name}”。{zh}"))
