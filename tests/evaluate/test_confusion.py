from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from shouwang.errors import InputError, MissingExtraError
from shouwang.evaluate.confusion import as_text, save_picture

COUNTS = np.array([[12.0, 0.0], [3.0, 5.0]])
NAMES = ("low", "high")


def test_text_has_gold_by_row_and_totals_at_the_edges() -> None:
    assert [line.split() for line in as_text(COUNTS, NAMES).splitlines()] == [
        ["low", "high", "Σ"],
        ["low", "12", "·", "12"],
        ["high", "3", "5", "8"],
        ["Σ", "15", "5", "20"],
    ]
    assert len(set(map(len, as_text(COUNTS, NAMES).splitlines()))) == 1


def test_a_picture_is_a_png_or_an_svg_and_the_same_each_time(tmp_path: Path) -> None:
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
        save_picture(COUNTS, NAMES, tmp_path / name, "high risk, n = 20")
        first = (tmp_path / name).read_bytes()
        save_picture(COUNTS, NAMES, tmp_path / name, "high risk, n = 20")
        assert first.startswith(start)
        assert (tmp_path / name).read_bytes() == first


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        save_picture(COUNTS, NAMES, tmp_path / "a.gif")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"shouwang\[plot\]"):
        save_picture(COUNTS, NAMES, tmp_path / "a.png")
