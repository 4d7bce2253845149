"""A form that was sent when its session was over: kept until the person who filled it in has logged in again.

A form takes part by saying whose it is, in a field `by` with the user's id. What was sent travels inside the log-in page
and comes back after it as a form that takes one click; it is never sent for anybody else, and nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from shouwang.web.visitor import local


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a form was sent, the id of the user who filled it in, and its fields in order, without the CSRF token."""

    path: str
    by: str
    fields: tuple[tuple[str, str], ...]

    def packed(self) -> str:
        return _ADAPTER.dump_json(self).decode()


_ADAPTER = TypeAdapter(Kept)


def unpacked(text: str) -> Kept | None:
    """What `packed` made; None where the text is something else."""
    try:
        kept = _ADAPTER.validate_json(text)
    except ValidationError:
        return None
    return kept if kept.by and local(kept.path) == kept.path else None


async def sent(request: Request) -> Kept | None:
    """What to keep of a request that cannot be answered now; None where it is no form that says whose it is."""
    if request.method != "POST":
        return None
    form = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    named = dict(form)
    if "kept" in named:  # a log-in page that is itself too old
        return unpacked(named["kept"])
    fields = tuple((name, value) for name, value in form if name != "csrf")
    return Kept(request.url.path, named["by"], fields) if named.get("by") else None


def from_here(request: Request) -> bool:
    """Sent by a page of ours: browsers say so, and no other site's page can."""
    fetched = request.headers.get("sec-fetch-site", "")  # not told over plain HTTP
    return fetched == "same-origin" or (
        not fetched and urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "")
    )
