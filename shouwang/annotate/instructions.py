"""Words in a post that speak to whoever rates it: found by a small model, and left out of what a language model is shown.

A net, not a wall: some wording passes. Hence no label stands without people, who see the whole post and what was left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from shouwang import cues
from shouwang.annotate.detector import Detector, clauses, detector
from shouwang.text import canonical

NOTHING = "……"
_CLOSED = re.compile(r"[。!?;\n]\s*$")


def instructs(text: str) -> bool:
    """Whether a post may speak to whoever rates it; such a post needs a person whatever a model says."""
    found = detector()
    parts = clauses(canonical(text, variants=False).text)
    return bool(parts) and bool(found.scores(parts).max() > found.doubt)


def left_out(text: str) -> list[tuple[int, int]]:
    """The clauses (start, end) that a language model is not shown, in order, each up to where the next one begins."""
    plain = canonical(text, variants=False)
    parts, spans, place = clauses(plain.text), [], 0
    for part, goes in zip(parts, going(parts, detector()), strict=True):
        start, end = plain.original(place, place + len(part))
        place += len(part)
        if goes:
            spans.append((start, max(end, plain.starts[place] if place < len(plain.starts) else len(text))))
    return spans


def without_instructions(text: str) -> str:
    """The post without what is left out; "……" where nothing else stands in it."""
    pieces, done = [], 0
    for start, end in left_out(text):
        pieces.append(text[done:start])
        done = end
    rest = "".join([*pieces, text[done:]])
    return rest if not done or rest.strip() else NOTHING


def going(parts: Sequence[str], found: Detector) -> list[bool]:
    """Which clauses of a canonical text are left out: those that speak to the rater almost surely, and what of the
    same sentence beside them may. What names a wish to die or a method, also in disguise, stays, whatever it says."""
    if not parts:
        return []
    scores = found.scores(parts)
    read = [canonical(part).text for part in parts]
    free = [not any(cues.CUES[cue].kind in ("wish", "method") for cue, _, _ in cues.find(part)) for part in read]
    goes = [bool(score > found.leave) and may for score, may in zip(scores, free, strict=True)]
    joined = [not _CLOSED.search(part) for part in parts]
    steps = [(a, b) for a, b in pairwise(range(len(parts))) if joined[a]]
    for beside, place in [*steps, *((b, a) for a, b in reversed(steps))]:
        goes[place] = goes[place] or (goes[beside] and free[place] and bool(scores[place] > found.grow))
    return goes
