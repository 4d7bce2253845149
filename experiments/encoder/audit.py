"""Leak audit: drop rows that equal or nearly equal a protected post, by the package's own measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shouwang.data.duplicates import canonical
from shouwang.data.leaks import leaks
from shouwang.posts import LabelledPost

from .sources import Row


@dataclass(frozen=True)
class Audit:
    kept: list[Row]
    dropped: list[Row]


def _posts(rows: Iterable[Row]) -> list[LabelledPost]:
    return [LabelledPost(row.id, row.text) for row in rows]


def _split(rows: Sequence[Row], out: set[str]) -> Audit:
    return Audit([r for r in rows if r.id not in out], [r for r in rows if r.id in out])


def without_copies(rows: Sequence[Row], protected: Iterable[Row]) -> Audit:
    """Split `rows` by whether the package's audit finds them again among the protected posts."""
    return _split(rows, {leak.train_id for leak in leaks(_posts(rows), _posts(protected))})


def distinct(rows: Sequence[Row]) -> Audit:
    """Keep the first of rows with the same canonical text."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(canonical(row.text) or row.text, row.id)
    return _split(rows, {r.id for r in rows} - set(first.values()))
