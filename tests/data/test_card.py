from __future__ import annotations

from pathlib import Path

from shouwang.data.audit import audit
from shouwang.data.card import card
from shouwang.data.load import parts
from shouwang.data.sources import Source


def test_a_card_holds_origin_licence_and_counts_and_no_text(tiny: Source, copy: Path) -> None:
    text = card(tiny, audit(parts("tiny", folder=copy)))
    assert "https://github.com/someone/tiny @ abc1234" in text
    assert "MIT" in text
    assert "| tiny/train | 2 | 1 | – | – | 1 |" in text
    assert "下雨" not in text
