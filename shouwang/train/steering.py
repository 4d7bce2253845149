"""Trains the detector of words that speak to the rater: invented sentences, set into real posts.

Two writers, who did not see each other's sentences nor the sets that measure, wrote `steering.jsonl`; real posts are
what ordinary people write. Half of these train, the other half sets the thresholds; only weights of hashed n-grams ship.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack, vstack
from sklearn.linear_model import LogisticRegression

from shouwang.annotate.detector import BITS, Detector, clauses, features, occurring
from shouwang.data.load import records
from shouwang.text import canonical

LEAVE, DOUBT = 0.005, 0.02
"""Shares of real posts that may lose something, and that may be marked, by mistake."""
GROW = 0.03
"""The share of real clauses that would go with a neighbour that goes."""
COPIES, C, HOST, HARD, STEERING = 8, 10.0, 20.0, 1.0, 0.1
"""Posts that each sentence is set into; inverse regularisation; weights of the clauses around it, of hard ordinary
sentences, and of all that steers together (against all else)."""
_PARTS = (
    ("sos-1k", ("fold1", "fold2", "fold3", "fold4", "fold5")),
    ("sos-4k", ("train", "val")),
    ("everyday", ("virus-train", "usual-eval")),
    ("psyguard", (None,)),
    ("smilechat", (None,)),
)
MOST = 10_000
_CLOSE = re.compile(r"[，,。!?;:\s]+$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Of `steering.jsonl`, in canonical form."""

    text: str
    steers: bool
    kind: str
    writer: str


@dataclass(frozen=True, slots=True)
class Set:
    """A post in clauses, and which of them speak to the rater."""

    clauses: list[str]
    steers: list[bool]


def sentences() -> list[Sentence]:
    lines = resources.files(__package__).joinpath("steering.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [Sentence(**json.loads(line)) for line in lines]
    return [replace(row, text=_plain(row.text)) for row in rows]


def posts() -> dict[str, tuple[list[str], list[str]]]:
    """Real posts by source, in two halves; posts that begin alike fall into the same one. SmileChat: 10,000 turns."""
    found = {}
    for source, splits in _PARTS:
        texts = [record.post.text for split in splits for record in records(source, split)]
        texts = Random(0).sample(texts, min(len(texts), MOST))  # noqa: S311 - which posts, not a secret
        plain = dict.fromkeys(filter(clauses, map(_plain, texts)))
        halves: tuple[list[str], list[str]] = ([], [])
        for text in plain:
            halves[zlib.crc32(re.sub(r"\W", "", text)[:12].encode()) % 2].append(text)
        found[source] = halves
    return found


def fit(texts: Sequence[Sentence], train: Sequence[str], held: Sequence[str], seed: int = 0) -> Detector:
    """The detector, its thresholds from posts that it has not seen."""
    rng = Random(seed)  # noqa: S311
    hosts = [text for text in train if len(text) >= 4]
    steering = [text.text for text in texts if text.steers]
    hard = [text.text for text in texts if not text.steers]
    rows = [set_into(text, rng.choice(hosts), rng) for text in steering for _ in range(COPIES)]
    rows += [_whole(clauses(text), True) for text in steering]
    plain = [_whole(clauses(text), False) for text in train]
    calm = [_whole(clauses(text), False) for text in hard]
    calm += [_whole(set_into(text, rng.choice(hosts), rng).clauses, False) for text in hard for _ in range(2)]
    idf = _idf([clause for row in [*rows, *plain, *calm] for clause in row.clauses])
    matrix = vstack([_matrix(part, idf) for part in (rows, calm, plain)])
    target = np.array([steers for part in (rows, calm, plain) for row in part for steers in row.steers])
    sizes = [sum(len(row.clauses) for row in part) for part in (rows, calm, plain)]
    weight = np.repeat([HOST, HARD, 1.0], sizes)
    weight[target] = STEERING * weight[~target].sum() / target.sum()
    model = LogisticRegression(C=C, solver="liblinear", max_iter=300).fit(matrix, target, sample_weight=weight)
    weights = model.coef_[0].reshape(3, -1).astype(np.float32)
    return _with_thresholds(Detector(idf, weights, float(model.intercept_[0]), 0, 0, 0), held)


def _whole(parts: list[str], steers: bool) -> Set:
    return Set(parts, [steers] * len(parts))


def set_into(text: str, host: str, rng: Random) -> Set:
    """A sentence after a post (mostly), before it or between two of its clauses."""
    parts = clauses(_CLOSE.sub("", host))
    at = rng.choice([len(parts)] * 5 + [0, rng.randrange(len(parts) + 1)])
    before, after = "".join(parts[:at]), "".join(parts[at:])
    between = rng.choice(",。。。\n! ")
    before += between if before and at == len(parts) else ""
    text = text if rng.random() < 0.5 else _CLOSE.sub("", text)
    after = between + after if after and text[-1:].isalnum() else after
    found, place, steers = clauses(before + text + after), 0, []
    for clause in found:
        inside = min(place + len(clause), len(before) + len(text)) - max(place, len(before))
        steers.append(2 * inside > len(clause))
        place += len(clause)
    return Set(found, steers)


def highest(detector: Detector, texts: Iterable[str]) -> NDArray[np.float32]:
    """The highest score in each text."""
    return np.array([detector.scores(clauses(text)).max() for text in texts], dtype=np.float32)


def _with_thresholds(detector: Detector, held: Sequence[str]) -> Detector:
    scores = [detector.scores(clauses(text)) for text in held]
    most = np.array([each.max() for each in scores])
    leave, doubt = np.quantile(most, [1 - LEAVE, 1 - DOUBT])
    grow = min(leave, np.quantile(np.concatenate(scores), 1 - GROW))
    return replace(detector, leave=float(leave), grow=float(grow), doubt=float(doubt))


def _matrix(rows: Sequence[Set], idf: NDArray[np.float32]) -> csr_matrix:
    """A clause's own features, those of the clause before and those of the one after, side by side."""
    found = features([clause for row in rows for clause in row.clauses], idf)
    first = np.concatenate([np.arange(len(row.clauses)) == 0 for row in rows])
    last = np.concatenate([np.arange(len(row.clauses)) == len(row.clauses) - 1 for row in rows])
    own = csr_matrix((found.value, (found.row, found.column)), (len(first), 1 << BITS))
    places = np.arange(len(first))
    before = diags((~first).astype(np.float32)) @ own[np.maximum(places - 1, 0)]
    after = diags((~last).astype(np.float32)) @ own[np.minimum(places + 1, len(first) - 1)]
    return hstack([own, before, after]).tocsr()


def _idf(texts: Sequence[str]) -> NDArray[np.float32]:
    _, column = occurring(texts)
    holding = np.bincount(column, minlength=1 << BITS)
    return (np.log((1 + len(texts)) / (1 + holding)) + 1).astype(np.float32)


def _plain(text: str) -> str:
    return canonical(text, variants=False).text
