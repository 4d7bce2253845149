"""A text that remembers where each of its characters came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Edit = tuple[int, int, str]
"""Characters `start` up to `end`, and what stands there instead."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """Characters [i, j) of `text` came from characters [starts[i], ends[j - 1]) of the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original characters that [start, end) of this text came from; an empty span gives an empty one."""
        if start < end:
            return self.starts[start], self.ends[end - 1]
        here = self.starts[start] if start < len(self.starts) else self.ends[-1] if self.ends else 0
        return here, here

    def edited(self, edits: Iterable[Edit]) -> Aligned:
        """This text with edits made, which are in order and do not overlap.

        A replacement as long as what it replaces keeps its offsets character by character;
        every character of another one came from the whole of it.
        """
        changes = [each for each in edits if self.text[each[0] : each[1]] != each[2]]
        if not changes:
            return self
        if all(end - start == len(new) for start, end, new in changes):
            return Aligned(_spliced(self.text, changes), self.starts, self.ends)
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, new in changes:
            same = end - start == len(new)
            starts += self.starts[done : end if same else start]
            ends += self.ends[done : end if same else start]
            if not same:
                first, last = self.original(start, end)
                starts += [first] * len(new)
                ends += [last] * len(new)
            done = end
        starts += self.starts[done:]
        ends += self.ends[done:]
        return Aligned(_spliced(self.text, changes), starts, ends)

    def replaced(self, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str]) -> Aligned:
        """Every match of the pattern replaced, as `re.sub` does (`new` is taken literally)."""
        matches = pattern.finditer(self.text)
        if isinstance(new, str):
            return self.edited((m.start(), m.end(), new) for m in matches)
        return self.edited((m.start(), m.end(), new(m)) for m in matches)


Rule = Callable[[Aligned], Aligned]


def align(text: str) -> Aligned:
    """The text itself, each character from its own place."""
    return Aligned(text, range(len(text)), range(1, len(text) + 1))


def applied(rules: Iterable[Rule], text: str) -> Aligned:
    """The text after each rule in turn."""
    aligned = align(text)
    for rule in rules:
        aligned = rule(aligned)
    return aligned


def _spliced(text: str, edits: Sequence[Edit]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, new in edits:
        pieces += (text[done:start], new)
        done = end
    pieces.append(text[done:])
    return "".join(pieces)
