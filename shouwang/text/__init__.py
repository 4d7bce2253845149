"""What is done to the text of posts: cleaning, de-identification, and the canonical form of internet variants."""

from __future__ import annotations

from shouwang.text.aligned import Aligned, align
from shouwang.text.canonical import Canonical, canonical
from shouwang.text.cleaning import clean
from shouwang.text.deidentify import Deidentified, deidentify

__all__ = ["Aligned", "Canonical", "Deidentified", "align", "canonical", "clean", "deidentify"]
