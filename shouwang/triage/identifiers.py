"""Posts shown without what points to a person, and their evidence at the places that it has then."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import replace

from shouwang.posts import Assessment, Post
from shouwang.text import deidentify


def deidentified(post: Post, assessment: Assessment) -> tuple[Post, Assessment, Mapping[str, int]]:
    """The post with placeholders, its evidence at the places that it has there, and how many of each kind were put in."""
    hidden = deidentify(post.text)
    starts, ends = hidden.aligned.starts, hidden.aligned.ends
    evidence = tuple(
        replace(span, start=bisect_right(ends, span.start), end=bisect_left(starts, span.end))
        for span in assessment.evidence
    )
    return Post(post.id, hidden.text), replace(assessment, evidence=evidence), hidden.counts
