"""What a model does not rule out: level sets, and posts that may be high or low, at a stated coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sets:
    """Cuts fitted on posts that the model had not seen, by split conformal prediction (Vovk et al. 2005).

    For a share `coverage` (0–1) of all such posts the level set holds the true level; of the high posts among them, and
    of the low ones, as many are either uncertain or answered rightly. Other kinds of posts were promised nothing.
    """

    coverage: float
    level_cut: float
    """Levels with at least this probability are not ruled out."""

    high_span: tuple[float, float]
    """Lowest and highest p_high at which both high and low are still possible, ends included."""

    def levels(self, probabilities: Sequence[float]) -> tuple[int, ...]:
        """The levels not ruled out, lowest first; the most probable one always is among them."""
        cut = min(self.level_cut, max(probabilities))
        return tuple(level for level, probability in enumerate(probabilities) if probability >= cut)

    def uncertain(self, p_high: float) -> bool:
        """Whether both high and low are still possible."""
        lowest, highest = self.high_span
        return lowest <= p_high <= highest

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return asdict(self) | {"high_span": list(self.high_span)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Sets:
        """What `to_json` laid out."""
        lowest, highest = found["high_span"]
        return cls(found["coverage"], found["level_cut"], (lowest, highest))
