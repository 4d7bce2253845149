"""Raw posts into a project: cleaned, de-identified, without duplicates; what stays out is listed with the reason."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select

from shouwang import ledger
from shouwang.annotate.project import DROPPED, POSTS, Project
from shouwang.posts import Post, Skipped
from shouwang.text import clean, deidentify

LONGEST = 20_000
"""Characters of a record that is still taken for a post; the longest that Weibo allows is 5,000."""

Similar = Callable[[Sequence[str]], Iterable[tuple[int, int, float]]]
"""Pairs of positions, left before right, of canonical texts that are nearly the same, and how similar they are (0–1)."""


@dataclass(slots=True)
class Imported:
    """What became of every record: `posts` joined the project, `known` stood in it already with the same text.

    `dropped` counts the others by reason, `replaced` identifiers by kind, and `cleaned` posts that cleaning changed.
    """

    posts: int = 0
    known: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    cleaned: int = 0
    skips: list[Skipped] = field(default_factory=list)


def import_posts(
    project: Project,
    records: Iterable[Post | Skipped],
    *,
    canonical: Callable[[str], str],
    similar: Similar,
    source: str = "",
    progress: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Add the posts that are new, in one transaction: all of them or, after an interruption, none.

    `canonical` gives what makes two texts the same. Importing a file again adds what is new in it.
    """
    found = Imported()
    out: list[dict[str, Any]] = []

    def drop(post: str, reason: str, **more: Any) -> None:
        found.dropped[reason] += 1
        out.append({"post": post, "reason": reason, "like": None, "similarity": None, "text": "", **more})

    candidates: list[Post] = []
    for record in records:
        progress(1)
        if isinstance(record, Skipped):
            found.skips.append(record)
            drop(_storable(record.where), "unreadable")
            out[-1]["reason"] = _storable(f"unreadable: {record.reason}")
        elif len(record.text) > LONGEST:
            drop(record.id, "too long")
        elif own := _own_words(record, found):
            candidates.append(own)
        else:
            drop(record.id, "nothing of its own")
    with project.writing() as connection:
        there = [Post(row.id, row.text) for row in connection.execute(select(POSTS).order_by(POSTS.c.place))]
        new = _with_new_ids(there, candidates, found, drop)
        kept = _distinct(there, new, canonical, similar, drop)
        place = connection.execute(select(func.coalesce(func.max(POSTS.c.place), 0))).scalar_one()
        rows = [{"place": n, "id": p.id, "text": p.text, "turn": n} for n, p in enumerate(kept, place + 1)]
        if rows:
            connection.execute(insert(POSTS), rows)
        if out:
            connection.execute(insert(DROPPED).prefix_with("OR IGNORE"), out)
        found.posts = len(kept)
        told = {"posts": len(kept), "known": found.known, "dropped": dict(found.dropped), "sha256": _sha256(kept)}
        ledger.append(connection, "cli", "imported", _storable(f"file:{source}"), **told)
    return found


def _storable(name: str) -> str:
    """The name of a file that is written in another encoding than the system's holds what no text can."""
    return name.encode(errors="replace").decode()


def _own_words(post: Post, found: Imported) -> Post | None:
    cleaned = clean(post.text).text
    anonymous = deidentify(cleaned)
    found.cleaned += cleaned != post.text
    found.replaced.update(anonymous.counts)
    text = anonymous.text.replace("\r\n", "\n").replace("\r", "\n").strip()  # as browsers count characters
    return Post(post.id, text) if text else None


def _with_new_ids(
    there: Sequence[Post], candidates: Sequence[Post], found: Imported, drop: Callable[..., None]
) -> list[Post]:
    """Those whose id is not taken."""
    taken = {post.id: post.text for post in there}
    new = []
    for post in candidates:
        if post.id not in taken:
            taken[post.id] = post.text
            new.append(post)
        elif taken[post.id] == post.text:
            found.known += 1
        else:
            drop(post.id, "id is taken", like=post.id, text=post.text)
    return new


def _distinct(
    there: Sequence[Post],
    new: Sequence[Post],
    canonical: Callable[[str], str],
    similar: Similar,
    drop: Callable[..., None],
) -> list[Post]:
    """The new posts that resemble neither one that is there nor an earlier new one."""
    first: dict[str, Post] = {}
    fresh: set[str] = set()
    for post in there:
        first.setdefault(canonical(post.text), post)
    for post in new:
        form = canonical(post.text)
        if form in first:
            drop(post.id, "duplicate", like=first[form].id, similarity=1.0, text=post.text)
        else:
            first[form] = post
            fresh.add(form)
    forms = list(first)
    earlier: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for left, right, similarity in similar(forms):
        earlier[right].append((similarity, left))
    gone: set[int] = set()
    for position, form in enumerate(forms):
        alike = max(((s, left) for s, left in earlier[position] if left not in gone), default=None)
        if form in fresh and alike is not None:
            gone.add(position)
            similarity, left = alike
            post = first[form]
            drop(post.id, "near duplicate", like=first[forms[left]].id, similarity=similarity, text=post.text)
    return [first[form] for position, form in enumerate(forms) if form in fresh and position not in gone]


def _sha256(posts: Iterable[Post]) -> str:
    """What the ledger remembers posts by."""
    digest = hashlib.sha256()
    for post in posts:
        digest.update(f"{post.id}\0{post.text}\0".encode())
    return digest.hexdigest()
